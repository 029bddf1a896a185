package board

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// Env names the environment variable that carries the board's socket to everything that runs on a node.
const Env = "SERIALHB_BOARD"

// replyTime is how long the board may take to answer.
const replyTime = 2 * time.Second

// Client asks the board. Safe for concurrent use; requests take their turn.
type Client struct {
	mu   sync.Mutex
	conn net.Conn
	in   *bufio.Reader
}

// Dial connects to the board at a socket.
func Dial(socket string) (*Client, error) {
	conn, err := net.DialTimeout("unix", socket, replyTime)
	if err != nil {
		return nil, fmt.Errorf("board: connect: %w", err)
	}
	return &Client{conn: conn, in: bufio.NewReader(conn)}, nil
}

// Ask sends one request and returns what stands after "ok". A refusal is an error with the board's sentence. After a
// time-out or a lost reply the connection is closed, with all that the board does then.
func (c *Client) Ask(words ...string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text, err := c.exchange(strings.Join(words, " "))
	if err != nil {
		return "", errors.Join(fmt.Errorf("board: ask %q: %w", strings.Join(words, " "), err), ignoreClosed(c.conn.Close()))
	}
	if sentence, ok := strings.CutPrefix(text, "error "); ok {
		return "", fmt.Errorf("board: %s", sentence)
	}
	value, ok := strings.CutPrefix(text, "ok")
	if !ok {
		return "", fmt.Errorf("board: unknown reply %q", text)
	}
	return strings.TrimPrefix(value, " "), nil
}

func (c *Client) exchange(request string) (string, error) {
	if err := c.conn.SetDeadline(time.Now().Add(replyTime)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(c.conn, request+"\n"); err != nil {
		return "", err
	}
	text, err := c.in.ReadString('\n')
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(text, "\n"), c.conn.SetDeadline(time.Time{})
}

// Say sends a line that gets no reply.
func (c *Client) Say(words ...string) error {
	if _, err := io.WriteString(c.conn, strings.Join(words, " ")+"\n"); err != nil {
		return fmt.Errorf("board: say %q: %w", strings.Join(words, " "), err)
	}
	return nil
}

// Hear waits for a line that the board sends on its own. It must not run beside Ask. An error means that the board, or
// this connection to it, has gone.
func (c *Client) Hear() (string, error) {
	text, err := c.in.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("board: connection lost: %w", err)
	}
	return strings.TrimSuffix(text, "\n"), nil
}

// Close ends the connection: the board frees its lines and ends its run.
func (c *Client) Close() error { return ignoreClosed(c.conn.Close()) }

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Watch streams the board's events in their order. The channel closes when stop is called, when the board goes away, or
// when the receiver falls so far behind that events would be lost. stop must be called once.
func Watch(socket string) (events <-chan Event, stop func() error, err error) {
	c, err := Dial(socket)
	if err != nil {
		return nil, nil, err
	}
	if _, err := c.Ask("ctl", "watch"); err != nil {
		return nil, nil, errors.Join(err, c.Close())
	}
	ch, done := make(chan Event, 256), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(ch)
		for dec := json.NewDecoder(c.in); ; {
			var e Event
			if dec.Decode(&e) != nil {
				return // the closed channel says it
			}
			select {
			case ch <- e:
			case <-done:
				return
			}
		}
	})
	return ch, func() error {
		close(done)
		err := c.Close()
		wg.Wait()
		return err
	}, nil
}
