package control

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// script is a Backend that says what a test wants.
type script struct {
	status  Status
	events  []Event
	why     map[uint32]Why
	command func(ctx context.Context, who string, r Request) Result

	mu    sync.Mutex
	news  chan Event // what Follow goes on with
	ended int        // how many Follows have ended
}

func (b *script) Status() Status { return b.status }

func (b *script) Command(ctx context.Context, who string, r Request) Result {
	return b.command(ctx, who, r)
}

func (b *script) Events(from uint64) (events []Event) {
	for _, e := range b.events {
		if e.Seq >= from {
			events = append(events, e)
		}
	}
	return events
}

func (b *script) Follow(ctx context.Context, from uint64, tell func(Event) error) error {
	defer func() { b.mu.Lock(); b.ended++; b.mu.Unlock() }()
	for _, e := range b.Events(from) {
		if err := tell(e); err != nil {
			return err
		}
	}
	for {
		select {
		case e, ok := <-b.news:
			if !ok {
				return errors.New("the record cannot be read")
			}
			if err := tell(e); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (b *script) Why(incident uint32) Why { return b.why[incident] }

// serve runs a server at a socket of its own and returns its client. Both end with the test, which fails if the server
// ends badly.
func serve(t *testing.T, b Backend) (*Server, *Client) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "alpha.sock")
	s, err := Listen(path, 0o660, "")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(b) }()
	c := Dial(path)
	t.Cleanup(func() {
		c.Close()
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return s, c
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func noon(ms int) time.Time {
	return time.Date(2026, 11, 22, 12, 0, 0, ms*int(time.Millisecond), time.UTC)
}

// TestMain fixes the zone in which times are told, and lends its process to tests that need another user.
func TestMain(m *testing.M) {
	time.Local = time.UTC
	if path := os.Getenv("CONTROL_TEST_VISIT"); path != "" {
		_, err := Dial(path).Status(context.Background())
		fmt.Printf("%t %v\n", errors.Is(err, ErrDenied), err)
		os.Exit(0)
	}
	os.Exit(m.Run())
}
