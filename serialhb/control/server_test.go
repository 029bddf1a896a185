package control

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestStatusWhyAndEventsArriveWhole(t *testing.T) {
	b := &script{
		status: wellStatus(),
		events: []Event{{Seq: 1, Text: "one"}, {Seq: 2, Text: "two", Evidence: []string{"x"}}, {Seq: 3, Text: "three"}},
		why:    map[uint32]Why{7: {Incident: 7, Open: true, Now: []string{"web is down"}, Events: []Event{{Seq: 2, Text: "two"}}}},
	}
	_, c := serve(t, b)
	ctx := t.Context()
	if got, err := c.Status(ctx); err != nil || !reflect.DeepEqual(got, b.status) {
		t.Errorf("status: %v\ngot  %+v\nwant %+v", err, got, b.status)
	}
	if got, err := c.Why(ctx, 7); err != nil || !reflect.DeepEqual(got, b.why[7]) {
		t.Errorf("why: %v, %+v", err, got)
	}
	var got []Event
	err := c.Events(ctx, 2, func(e Event) error { got = append(got, e); return nil })
	if err != nil || !reflect.DeepEqual(got, b.events[1:]) {
		t.Errorf("events: %v, %+v", err, got)
	}
}

func TestCommandCarriesWhoAndRequest(t *testing.T) {
	var who string
	var req Request
	_, c := serve(t, &script{command: func(ctx context.Context, w string, r Request) Result {
		who, req = w, r
		if _, ok := ctx.Deadline(); !ok {
			t.Error("a command has no deadline")
		}
		return Result{OK: true, Text: "done", Node: "bravo"}
	}})
	want := Request{Command: "confirm-off", Node: "bravo", Incident: 7, Broken: []string{"dc"}, Reason: "seen"}
	res, err := c.Command(t.Context(), want)
	if err != nil || !res.OK || res.Text != "done" || res.Node != "bravo" {
		t.Errorf("result: %+v, %v", res, err)
	}
	if !reflect.DeepEqual(req, want) {
		t.Errorf("request: %+v", req)
	}
	if uid := strconv.Itoa(os.Getuid()); !strings.HasPrefix(who, "user ") || !strings.HasSuffix(who, " (uid "+uid+")") {
		t.Errorf("who: %q", who)
	}
}

// A status without a time is none: the client must not take its zeros for facts.
func TestNoFactsAreATimeout(t *testing.T) {
	_, c := serve(t, &script{status: Status{Node: "alpha", Headline: "the loop hangs"}})
	_, err := c.Status(t.Context())
	if !errors.Is(err, ErrTimeout) || err.Error() != "the loop hangs" {
		t.Errorf("got %v", err)
	}
}

func TestBadRequestsAreRefused(t *testing.T) {
	_, c := serve(t, &script{command: func(context.Context, string, Request) Result {
		t.Error("a bad request reached the daemon")
		return Result{}
	}})
	for name, body := range map[string]string{
		"no JSON":      "arm",
		"unknown word": `{"command":"fence-off","node":"bravo","dry":true}`,
		"two requests": `{"command":"arm"}{"command":"disarm"}`,
		"too long":     `{"command":"` + strings.Repeat("a", maxBody) + `"}`,
	} {
		resp, err := c.http.Post("http://serialhb/v1/command", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "does not understand") {
			t.Errorf("%s: %s %s %v", name, resp.Status, text, err)
		}
	}
	for _, path := range []string{"/v1/events?from=-1", "/v1/why?incident=4294967296"} {
		resp, err := c.send(t.Context(), http.MethodGet, path, nil)
		if err == nil {
			resp.Body.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "no number") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestFollowGoesOnAndEnds(t *testing.T) {
	t.Parallel()
	b := &script{events: []Event{{Seq: 1}, {Seq: 2}}, news: make(chan Event)}
	s, c := serve(t, b)
	seen := make(chan uint64)
	ended := make(chan error, 1)
	go func() {
		ended <- c.Follow(context.Background(), 2, func(e Event) error { seen <- e.Seq; return nil })
	}()
	if n := <-seen; n != 2 {
		t.Errorf("first event: %d", n)
	}
	b.news <- Event{Seq: 3}
	if n := <-seen; n != 3 {
		t.Errorf("next event: %d", n)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, ErrNoDaemon) {
		t.Errorf("after the end of the daemon: %v", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended != 1 {
		t.Errorf("%d Follows of the backend have ended when the server is closed, want 1", b.ended)
	}
}

func TestFollowHandsOverErrors(t *testing.T) {
	b := &script{events: []Event{{Seq: 1}}, news: make(chan Event)}
	_, c := serve(t, b)
	enough := errors.New("enough")
	if err := c.Follow(t.Context(), 0, func(Event) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("tell's own error: %v", err)
	}
	close(b.news)
	if err := c.Follow(t.Context(), 0, func(Event) error { return nil }); err == nil || err.Error() != "the record cannot be read" {
		t.Errorf("the daemon's error: %v", err)
	}
}

func TestCloseLetsAnAnswerOut(t *testing.T) {
	entered := make(chan bool)
	s, c := serve(t, &script{command: func(ctx context.Context, _ string, _ Request) Result {
		entered <- true
		<-ctx.Done() // the closing server says so
		return Result{OK: true, Text: "leaving"}
	}})
	answer := make(chan error, 1)
	go func() {
		res, err := c.Command(context.Background(), Request{Command: "leave"})
		if err == nil && !res.OK {
			err = errors.New("not OK")
		}
		answer <- err
	}()
	<-entered
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-answer; err != nil {
		t.Error(err)
	}
	if exists(s.path) {
		t.Error("the socket is still there")
	}
}

func TestPanicEndsTheServer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	s, err := Listen(path, 0o600, "")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- s.Serve(&script{command: func(context.Context, string, Request) Result { panic("oops") }})
	}()
	if _, err := Dial(path).Command(t.Context(), Request{Command: "arm"}); !errors.Is(err, ErrNoDaemon) {
		t.Errorf("the visitor: %v", err)
	}
	if err := <-done; err == nil || !strings.Contains(err.Error(), "oops") {
		t.Errorf("serve: %v", err)
	}
	if exists(path) {
		t.Error("the socket is still there")
	}
}

func TestRequestThatIgnoresTheEndIsReported(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	s, err := Listen(path, 0o600, "")
	if err != nil {
		t.Fatal(err)
	}
	entered, release := make(chan bool), make(chan bool)
	done := make(chan error, 1)
	go func() {
		done <- s.Serve(&script{command: func(context.Context, string, Request) Result {
			close(entered)
			<-release
			return Result{}
		}})
	}()
	go Dial(path).Command(context.Background(), Request{Command: "arm"})
	<-entered
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; err == nil || !strings.Contains(err.Error(), "1 requests do not end") {
		t.Errorf("serve: %v", err)
	}
	close(release)
}

// A visitor who says nothing is cut off and holds nothing up.
func TestSlowVisitorIsCutOff(t *testing.T) {
	t.Parallel()
	_, c := serve(t, &script{status: wellStatus()})
	conn, err := c.http.Transport.(*http.Transport).DialContext(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /v1/command HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Status(t.Context()); err != nil {
		t.Error(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err != nil && !errors.Is(err, unix.ECONNRESET) {
		t.Errorf("the connection was not closed: %v", err)
	}
}

// An idle record is no reason to give up, a frozen daemon is.
func TestFollowerTellsIdleFromFrozen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	s, err := Listen(path, 0o600, "")
	if err != nil {
		t.Fatal(err)
	}
	s.beat = 20 * time.Millisecond
	b := &script{news: make(chan Event)}
	done := make(chan error, 1)
	go func() { done <- s.Serve(b) }()
	idle := Dial(path)
	idle.quiet = 2 * time.Second
	ended := make(chan error, 1)
	seen := make(chan uint64, 1)
	go func() {
		ended <- idle.Follow(context.Background(), 0, func(e Event) error { seen <- e.Seq; return nil })
	}()
	select {
	case err := <-ended:
		t.Errorf("an idle follower ended: %v", err)
	case <-time.After(2 * idle.quiet):
		b.news <- Event{Seq: 1}
		if n := <-seen; n != 1 {
			t.Errorf("event %d", n)
		}
	}
	if err := errors.Join(s.Close(), <-done); err != nil {
		t.Error(err)
	}

	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err == nil {
			defer conn.Close()
			conn.Read(make([]byte, 4096))
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n")
			io.Copy(io.Discard, conn)
		}
	}()
	frozen := Dial(path)
	frozen.quiet = 100 * time.Millisecond
	if err := frozen.Follow(t.Context(), 0, func(Event) error { return nil }); !errors.Is(err, ErrTimeout) {
		t.Errorf("a frozen daemon: %v", err)
	}
}

// Telling may take its time: a pager that waits is not a daemon that does.
func TestSlowTellIsNoTimeout(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20) // so that the second event is not read with the first
	b := &script{events: []Event{{Seq: 1, Text: long}, {Seq: 2, Text: long}}}
	_, c := serve(t, b)
	n := 0
	err := c.Events(t.Context(), 0, func(Event) error {
		if n++; n == 1 {
			time.Sleep(answerTime + 2*patience)
		}
		return nil
	})
	if err != nil || n != 2 {
		t.Errorf("%d events, %v", n, err)
	}
}
