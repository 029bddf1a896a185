package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Limits of one request. A visitor who is slow, or says too much, is cut off.
const (
	maxHeader = 8 << 10
	maxBody   = 64 << 10
	readTime  = 2 * time.Second
	writeTime = 5 * time.Second
	idleTime  = 10 * time.Second
	// byeTime is how long requests under way may take to end once the server closes.
	byeTime = 2 * time.Second
)

// Serve answers visitors from b until [Server.Close], or until the socket fails. When it returns, every connection has
// ended and the socket is removed; requests that ignore the end of their context are reported as an error after four
// seconds. It runs once.
func (s *Server) Serve(b Backend) error {
	first := false
	s.begun.Do(func() { first = true })
	if !first {
		return errors.New("control: serve: it was served or closed before")
	}
	defer close(s.served)

	var conns conns
	faults := make(chan error, 1)
	web := &http.Server{
		Handler:           s.guard(s.routes(b), faults),
		ReadHeaderTimeout: readTime,
		ReadTimeout:       readTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return s.ctx },
		ConnContext:       identify,
		ConnState:         conns.count,
	}
	accepting := make(chan error, 1)
	go func() { accepting <- web.Serve(s.entry) }()

	var err error
	select {
	case err = <-accepting:
		accepting <- err
	case err = <-faults:
	case <-s.ctx.Done():
	}
	err = errors.Join(err, s.entry.remove()) // first, while nobody else can take the name
	s.end()
	err = errors.Join(err, dismiss(web))
	<-accepting
	if left := conns.wait(byeTime); left > 0 {
		err = errors.Join(err, fmt.Errorf("%d requests do not end", left))
	}
	if err != nil {
		return fmt.Errorf("control: serve %s: %w", s.path, err)
	}
	return nil
}

// dismiss lets requests under way be answered, for a while.
func dismiss(web *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), byeTime)
	defer cancel()
	if web.Shutdown(ctx) == nil {
		return nil
	}
	return web.Close()
}

// Close ends Serve, waits for it, and removes the socket. It may be called again, and from any goroutine that no
// method of the Backend waits for.
func (s *Server) Close() error {
	s.closed.Do(func() {
		s.end()
		s.begun.Do(func() { // Serve will never do it
			s.err = errors.Join(s.entry.remove(), s.entry.Close())
			close(s.served)
		})
		<-s.served
	})
	return s.err
}

// conns counts open connections, so that they can be joined.
type conns struct {
	mu   sync.Mutex
	open int
	zero chan struct{} // closed when the last one ends, if somebody waits
}

func (c *conns) count(_ net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		c.open++
	case http.StateClosed, http.StateHijacked:
		if c.open--; c.open == 0 && c.zero != nil {
			close(c.zero)
		}
	}
}

// wait gives the number of connections that are still open after d. No new ones may come.
func (c *conns) wait(d time.Duration) int {
	c.mu.Lock()
	c.zero = make(chan struct{})
	zero, open := c.zero, c.open
	c.mu.Unlock()
	if open == 0 {
		return 0
	}
	select {
	case <-zero:
		return 0
	case <-time.After(d):
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.open
	}
}

// visitor is what the context of a connection knows of its other end.
type visitor struct{}

func identify(ctx context.Context, conn net.Conn) context.Context {
	cred, err := credentials(conn.(*net.UnixConn))
	if err != nil {
		return context.WithValue(ctx, visitor{}, err)
	}
	return context.WithValue(ctx, visitor{}, cred)
}

// guard turns strangers away, and makes a panic the end of the server instead of a line on standard error: what it
// would leave behind, a held lock say, is not known.
func (s *Server) guard(next http.Handler, faults chan<- error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				select {
				case faults <- fmt.Errorf("%s %s panicked: %v\n%s", r.Method, r.URL.Path, p, debug.Stack()):
				default: // one is enough
				}
			}
			panic(http.ErrAbortHandler)
		}()
		who, err := s.visitor(r)
		if err != nil {
			fail(w, http.StatusForbidden, err)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), whoKey{}, who)))
	})
}

// whoKey holds the name of an admitted visitor.
type whoKey struct{}

func (s *Server) visitor(r *http.Request) (who string, err error) {
	switch v := r.Context().Value(visitor{}).(type) {
	case error:
		return "", fmt.Errorf("nobody knows who you are: %w", v)
	default:
		return s.door.admit(v.(*unix.Ucred))
	}
}
