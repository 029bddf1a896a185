package board

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// server speaks the protocol of the package doc on a unix socket.
type server struct {
	model *model
	wg    sync.WaitGroup

	mu       sync.Mutex
	sessions map[*session]bool
	watchers map[*session]chan Event
	closed   bool
}

// watchBacklog is how many events a watcher may be behind before its stream ends: an end is seen, a gap is not.
const watchBacklog = 1 << 14

// session is one connection. The zero session, used by tests of the model, is never gone.
type session struct {
	conn *net.UnixConn
	raw  syscall.RawConn
	wmu  sync.Mutex
}

// gone asks the kernel whether the other side has closed, which it knows before we have read so.
func (s *session) gone() bool {
	if s.raw == nil {
		return false
	}
	gone := false
	err := s.raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(fds, 0)
		gone = err == nil && n > 0 && fds[0].Revents&(unix.POLLRDHUP|unix.POLLHUP) != 0
	})
	return gone || err != nil
}

// say writes one line. A peer that does not read for a second is cut off.
func (s *session) say(text string) {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	err := s.conn.SetWriteDeadline(time.Now().Add(time.Second))
	if err == nil {
		_, err = s.conn.Write([]byte(text + "\n"))
	}
	if err != nil {
		s.conn.Close() // its reader then ends and drops what it held
	}
}

func newServer(cfg Config, now func() time.Duration) (*server, error) {
	srv := &server{sessions: map[*session]bool{}, watchers: map[*session]chan Event{}}
	m, err := newModel(cfg, now, srv.publish)
	if err != nil {
		return nil, err
	}
	srv.model = m
	return srv, nil
}

// serve runs until the listener closes, then ends all sessions.
func (srv *server) serve(l *net.UnixListener) error {
	defer srv.shut()
	for {
		conn, err := l.AcceptUnix()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("board: accept: %w", err)
		}
		raw, err := conn.SyscallConn()
		if err != nil {
			return fmt.Errorf("board: use connection: %w", err)
		}
		s := &session{conn: conn, raw: raw}
		srv.mu.Lock()
		srv.sessions[s] = true
		srv.mu.Unlock()
		srv.wg.Go(func() { srv.attend(s) })
	}
}

func (srv *server) shut() {
	srv.mu.Lock()
	srv.closed = true
	for s := range srv.sessions {
		s.conn.Close()
	}
	srv.mu.Unlock()
	srv.wg.Wait()
}

func (srv *server) attend(s *session) {
	defer func() {
		s.conn.Close()
		srv.model.drop(s)
		srv.mu.Lock()
		defer srv.mu.Unlock()
		delete(srv.sessions, s)
		srv.unwatch(s)
	}()
	in := bufio.NewScanner(s.conn)
	for in.Scan() {
		if reply := srv.answer(s, strings.Fields(in.Text())); reply != "" {
			s.say(reply)
		}
	}
}

// answer carries out one request. Lines from supervisors get no reply.
func (srv *server) answer(s *session, w []string) string {
	m := srv.model
	if len(w) == 0 {
		return "error empty request"
	}
	switch {
	case is(w, "out", 3):
		return replyLevel(m.output(s, w[1], w[2], w[3]))
	case is(w, "in", 3):
		return replyLevel(m.input(s, w[1], w[2], w[3]))
	case is(w, "get", 1):
		return replyLevel(m.get(s, w[1]))
	case is(w, "set", 2):
		return reply("", m.set(s, w[1], w[2]))
	case is(w, "free", 1):
		return reply("", m.free(s, w[1]))
	case is(w, "ledger", 3) && w[1] == "begin":
		id, err := m.begin(s, w[2], w[3])
		return reply(fmt.Sprint(id), err)
	case is(w, "ledger", 1) && w[1] == "end":
		return reply("", m.end(s))
	case is(w, "host", 1):
		if err := m.attach(w[1], s, s.say); err != nil {
			return reply("", err)
		}
		return "" // attach has said ok, before the first order
	case w[0] == "dead", w[0] == "event":
		m.report(s, w[0], strings.Join(w[1:], " "))
		return ""
	case is(w, "ctl", 1) && w[1] == "watch":
		srv.watch(s)
		return ""
	case w[0] == "ctl":
		return reply(m.control(w[1:]))
	}
	return fmt.Sprintf("error the board does not know %q", w)
}

func replyLevel(level bool, err error) string { return reply(digit(level), err) }

func reply(text string, err error) string {
	switch {
	case err != nil:
		return "error " + err.Error()
	case text == "":
		return "ok"
	}
	return "ok " + text
}

// publish is called with the model locked, in the order of the events.
func (srv *server) publish(e Event) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	for s, ch := range srv.watchers {
		select {
		case ch <- e:
		default:
			srv.unwatch(s)
		}
	}
}

func (srv *server) unwatch(s *session) {
	if ch := srv.watchers[s]; ch != nil {
		close(ch)
		delete(srv.watchers, s)
	}
}

func (srv *server) watch(s *session) {
	ch := make(chan Event, watchBacklog)
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if srv.watchers[s] != nil || srv.closed {
		return
	}
	srv.watchers[s] = ch
	srv.wg.Go(func() {
		s.say("ok")
		for e := range ch {
			b, err := json.Marshal(e)
			if err != nil {
				panic("board: marshal event: " + err.Error())
			}
			s.say(string(b))
		}
		s.conn.Close()
	})
}
