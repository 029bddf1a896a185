package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Events hands the record from sequence from on to tell, in order. An error of tell ends it and is returned.
func (c *Client) Events(ctx context.Context, from uint64, tell func(Event) error) error {
	err := c.stream(ctx, answerTime+patience, "/v1/events?from="+strconv.FormatUint(from, 10), tell)
	if errors.Is(err, errWhole) {
		return nil
	}
	return err
}

// Follow does the same and goes on with what happens, until ctx ends, tell returns an error, or the daemon does
// ([ErrNoDaemon]). A daemon that freezes is noticed after ten seconds ([ErrTimeout]).
func (c *Client) Follow(ctx context.Context, from uint64, tell func(Event) error) error {
	err := c.stream(ctx, c.quiet, "/v1/events?follow=1&from="+strconv.FormatUint(from, 10), tell)
	if errors.Is(err, errWhole) {
		return c.explain(ctx, io.EOF)
	}
	return err
}

// errWhole says that a stream ended in order.
var errWhole = errors.New("the stream is whole")

// stream reads events. quiet is how long the daemon may say nothing.
func (c *Client) stream(ctx context.Context, quiet time.Duration, path string, tell func(Event) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// The first word is due as soon as that of any other request.
	watch := time.AfterFunc(answerTime+patience, func() { cancel(errLate) })
	defer watch.Stop()
	resp, err := c.send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return c.explain(ctx, err)
	}
	defer resp.Body.Close()
	for in := json.NewDecoder(&watched{resp.Body, watch, quiet}); ; {
		var line struct {
			Event
			failure
		}
		err := in.Decode(&line)
		switch {
		case errors.Is(err, io.EOF):
			return errWhole
		case err != nil:
			return c.explain(ctx, err)
		case strings.TrimSpace(line.Error) != "":
			return &told{plain(line.Error), nil}
		}
		if err := tell(line.Event); err != nil {
			return err
		}
	}
}

// watched counts only the time in which the daemon is waited for, not that in which the caller tells.
type watched struct {
	r     io.Reader
	watch *time.Timer
	quiet time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	w.watch.Reset(w.quiet)
	defer w.watch.Stop()
	return w.r.Read(p)
}
