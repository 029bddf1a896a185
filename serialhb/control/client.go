package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// What can go wrong between a client and its daemon. Each error of a [Client] that has one of these causes is one
// sentence, and errors.Is finds the cause.
var (
	// ErrNoDaemon: nobody listens, or the daemon ended while it was asked.
	ErrNoDaemon = errors.New("no daemon runs")
	// ErrTimeout: somebody listens and does not answer in time.
	ErrTimeout = errors.New("the daemon does not answer")
	// ErrDenied: this user may not talk to the daemon.
	ErrDenied = errors.New("you may not talk to the daemon")
)

const (
	// patience is how much longer than [answerTime] a client waits, so that the daemon's own sentence still arrives.
	patience = 200 * time.Millisecond
	// followPatience is how long a followed daemon may be quiet: several empty lines.
	followPatience = 5 * beatTime
	// maxAnswer bounds an answer in memory.
	maxAnswer = 64 << 20
)

// Client talks to the daemon at one socket. It is safe for concurrent use.
type Client struct {
	path  string
	quiet time.Duration // how long a followed daemon may say nothing
	http  *http.Client
}

// Dial makes a client of the socket at path. Nothing is connected yet: each call finds the daemon that is there then.
// Every answer is waited for two seconds.
func Dial(path string) *Client {
	var d net.Dialer
	return &Client{path: path, quiet: followPatience, http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", path) },
		// The daemon closes what is idle after ten seconds; being earlier avoids asking into a closing door.
		IdleConnTimeout: idleTime / 2,
	}}}
}

// Close lets go of idle connections. The client can still be used.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status asks how things stand.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	return s, c.ask(ctx, answerTime, http.MethodGet, "/v1/status", nil, &s)
}

// Why asks for an incident, 0 is the last one.
func (c *Client) Why(ctx context.Context, incident uint32) (Why, error) {
	var w Why
	return w, c.ask(ctx, answerTime, http.MethodGet, "/v1/why?incident="+strconv.FormatUint(uint64(incident), 10), nil, &w)
}

// Command asks for something to be done. A nil error says that the daemon answered, not that it agreed: see
// [Result.OK]. After any error it is not known whether the request was carried out.
func (c *Client) Command(ctx context.Context, r Request) (Result, error) {
	var res Result
	body, err := json.Marshal(r)
	if err != nil {
		return res, fmt.Errorf("control: marshal request: %w", err)
	}
	err = c.ask(ctx, answerTime, http.MethodPost, "/v1/command", body, &res)
	if errors.Is(err, ErrTimeout) {
		err = fmt.Errorf("%w; it is not known whether the command was carried out", err)
	}
	return res, err
}

// ask makes one exchange within a time.
func (c *Client) ask(ctx context.Context, within time.Duration, method, path string, body []byte, answer any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, within+patience, errLate)
	defer cancel()
	resp, err := c.send(ctx, method, path, body)
	if err != nil {
		return c.explain(ctx, err)
	}
	defer resp.Body.Close()
	in := io.LimitReader(resp.Body, maxAnswer)
	err = json.NewDecoder(in).Decode(answer)
	if err == nil {
		_, err = io.Copy(io.Discard, in) // a connection is used again only if its answer was read to the end
	}
	if err != nil {
		return c.explain(ctx, err)
	}
	return nil
}

// errLate marks a context that ended because the daemon was late, and not because the caller wanted it.
var errLate = errors.New("late")

func (c *Client) send(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://serialhb"+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil || resp.StatusCode == http.StatusOK {
		return resp, err
	}
	defer resp.Body.Close()
	var f failure
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(&f); err != nil || strings.TrimSpace(f.Error) == "" {
		return nil, fmt.Errorf("control: ask %s: the daemon answers %s; is it of another version?", path, plain(resp.Status))
	}
	switch resp.StatusCode {
	case http.StatusForbidden:
		return nil, &told{plain(f.Error), ErrDenied}
	case http.StatusServiceUnavailable:
		return nil, &told{plain(f.Error), ErrTimeout}
	}
	return nil, &told{plain(f.Error), nil}
}

// told is the daemon's own sentence, with the cause that it stands for.
type told struct {
	text  string
	cause error
}

func (t *told) Error() string { return t.text }
func (t *told) Unwrap() error { return t.cause }

// explain makes one sentence of what went wrong in an exchange.
func (c *Client) explain(ctx context.Context, err error) error {
	var said *told
	switch {
	case errors.As(err, &said):
		return said
	case errors.Is(context.Cause(ctx), errLate), errors.Is(err, unix.EAGAIN): // EAGAIN: its queue of visitors is full
		return fmt.Errorf("%w at %s: it may be frozen or overloaded; look at its process and its log", ErrTimeout, c.path)
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ECONNREFUSED):
		return fmt.Errorf("%w at %s: start it, or name the socket of another one with --socket", ErrNoDaemon, c.path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w at %s: become root, or join the group of that socket", ErrDenied, c.path)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.EPIPE):
		return fmt.Errorf("%w any more at %s: it ended while it was asked; look again when it is back", ErrNoDaemon, c.path)
	}
	// It may quote the answer.
	return fmt.Errorf("control: ask %s: %s", c.path, plain(err.Error()))
}
