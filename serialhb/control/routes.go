package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// beatTime is how often a follower is told that the daemon is there.
const beatTime = 2 * time.Second

// answerTime is how long any request may take: what takes longer is answered when it is begun.
const answerTime = 2 * time.Second

func (s *Server) routes(b Backend) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, _ *http.Request) {
		status := b.Status()
		if status.Taken.IsZero() {
			fail(w, http.StatusServiceUnavailable, errors.New(status.Headline))
			return
		}
		reply(w, http.StatusOK, status)
	})
	mux.HandleFunc("GET /v1/why", func(w http.ResponseWriter, r *http.Request) {
		if incident, ok := number(w, r, "incident", 32); ok {
			reply(w, http.StatusOK, b.Why(uint32(incident)))
		}
	})
	mux.HandleFunc("POST /v1/command", func(w http.ResponseWriter, r *http.Request) { command(w, r, b) })
	mux.HandleFunc("GET /v1/events", func(w http.ResponseWriter, r *http.Request) { s.events(w, r, b) })
	return mux
}

func command(w http.ResponseWriter, r *http.Request, b Backend) {
	// A word that this daemon does not know may be the one that makes the command harmless.
	var req Request
	in := json.NewDecoder(r.Body)
	in.DisallowUnknownFields()
	if err := in.Decode(&req); err != nil {
		fail(w, http.StatusBadRequest, fmt.Errorf("the daemon does not understand the request: %w", err))
		return
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		fail(w, http.StatusBadRequest, errors.New("the daemon does not understand the request: there is more than one"))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), answerTime)
	defer cancel()
	reply(w, http.StatusOK, b.Command(ctx, r.Context().Value(whoKey{}).(string), req))
}

func (s *Server) events(w http.ResponseWriter, r *http.Request, b Backend) {
	from, ok := number(w, r, "from", 64)
	if !ok {
		return
	}
	out := &lines{w: w, to: http.NewResponseController(w)}
	w.Header().Set("Content-Type", "application/x-ndjson")
	var err error
	if r.URL.Query().Get("follow") == "1" {
		stop := out.beat(s.beat)
		err = b.Follow(r.Context(), from, out.event)
		stop()
	} else {
		for _, e := range b.Events(from) {
			if err = out.event(e); err != nil {
				break
			}
		}
	}
	// A follower whose stream ends in order knows that the daemon does.
	if ending := r.Context().Err() != nil && errors.Is(err, context.Canceled); ending || err == nil {
		return
	}
	if out.put(failure{err.Error()}) != nil {
		panic(http.ErrAbortHandler) // nobody listens
	}
}

// lines writes JSON lines. It is safe for concurrent use.
type lines struct {
	mu    sync.Mutex
	w     http.ResponseWriter
	to    *http.ResponseController
	flush bool
}

func (l *lines) event(e Event) error { return l.put(e) }

func (l *lines) put(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return l.line(b)
}

func (l *lines) line(b []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.to.SetWriteDeadline(time.Now().Add(writeTime))
	if err == nil {
		_, err = l.w.Write(append(b, '\n'))
	}
	if err == nil && l.flush {
		err = l.to.Flush()
	}
	return err
}

// beat sends an empty line now and every so often, until stop.
func (l *lines) beat(every time.Duration) (stop func()) {
	l.flush = true
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for l.line(nil) == nil {
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	})
	return func() { close(done); wg.Wait() }
}

// failure is how an error travels.
type failure struct {
	Error string `json:"error"`
}

func fail(w http.ResponseWriter, code int, err error) { reply(w, code, failure{err.Error()}) }

// reply writes an answer. If it cannot be written the visitor has gone, and nobody is left to be told.
func reply(w http.ResponseWriter, code int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic("control: marshal answer: " + err.Error())
	}
	if http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTime)) != nil {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if _, err := w.Write(append(b, '\n')); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// number reads a parameter, 0 if it is missing, and answers the visitor if it is no number.
func number(w http.ResponseWriter, r *http.Request, name string, bits int) (n uint64, ok bool) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, true
	}
	n, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		fail(w, http.StatusBadRequest, fmt.Errorf("%s=%q is no number that the daemon takes", name, text))
		return 0, false
	}
	return n, true
}
