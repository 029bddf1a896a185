package main

import (
	"context"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/daemon"
)

// backend is the daemon as people see it: what the daemon knows, and what only its process does. It is safe for concurrent
// use.
type backend struct {
	*daemon.Daemon
	toldToLeave atomic.Bool
	began       beginning

	mu     sync.Mutex
	alarms []control.Alarm
}

var _ control.Backend = (*backend)(nil)

// Status implements [control.Backend].
func (b *backend) Status() control.Status {
	s := b.Daemon.Status()
	if s.Taken.IsZero() {
		return s // nobody knows
	}
	s.PID, s.Goroutines = os.Getpid(), runtime.NumGoroutine()
	s.StartMS = float64(b.began.took().Microseconds()) / 1000
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.alarms {
		if !slices.ContainsFunc(s.Alarms, func(other control.Alarm) bool { return other.Code == a.Code }) {
			a.Since, a.Last = s.Taken.Add(a.Since.Sub(s.Taken)), s.Taken // by the clock of now: it may have been set since
			s.Alarms = append(s.Alarms, a)
		}
	}
	slices.SortStableFunc(s.Alarms, func(x, y control.Alarm) int { return x.Since.Compare(y.Since) })
	s.Headline = control.Headline(s)
	return s
}

// Command implements [control.Backend].
func (b *backend) Command(ctx context.Context, who string, r control.Request) control.Result {
	res := b.Daemon.Command(ctx, who, r)
	if r.Command == "leave" && res.OK {
		b.toldToLeave.Store(true)
	}
	return res
}

// judge raises an alarm or ends it, and records both. Saying the same again does nothing.
func (b *backend) judge(code string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := slices.IndexFunc(b.alarms, func(a control.Alarm) bool { return a.Code == code })
	switch {
	case err == nil && at >= 0:
		b.Trouble(code, "over: "+b.alarms[at].Text)
		b.alarms = slices.Delete(b.alarms, at, at+1)
	case err != nil && at >= 0:
		b.alarms[at].Text = sentence(err)
	case err != nil:
		a := control.Alarm{Code: code, Text: sentence(err), Since: time.Now()}
		b.alarms = append(b.alarms, a)
		b.Trouble(code, a.Text)
	}
}

// sentence is an error on one line.
func sentence(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
