package daemon

import (
	"sync"
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// News is what happens to a service beside the calls.
type News struct {
	Service string // its name within the group
	Code    string // a stable word
	Text    string // one sentence
	// Alarm: it is wrong until news end it, or the group is no longer here.
	Alarm bool
	// Lasts ends an alarm by itself after so long; 0 is that it waits for its end.
	Lasts time.Duration
	// Ends is the code of the alarm that these news end, empty is none.
	Ends string
}

// troubles are the alarms that services have raised. Safe for concurrent use.
type troubles struct {
	mu  sync.Mutex
	all map[troubleKey]trouble
}

type troubleKey struct {
	group         uint8
	code, service string
}

type trouble struct {
	text  string
	until time.Duration // 0 is open
}

// Tell takes news of a service of a group. It never waits. Safe from any goroutine.
func (d *Daemon) Tell(group int, n News) {
	if group < 0 || group >= len(d.o.Names.Groups) {
		return
	}
	g := uint8(group)
	d.book.say(n.Code, d.group(g)+": "+n.Text, subject{group: d.group(g)})
	t := &d.troubles
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.all, troubleKey{g, n.Ends, n.Service})
	if !n.Alarm {
		return
	}
	one := trouble{text: n.Text}
	if n.Lasts > 0 {
		one.until = d.o.Clock() + n.Lasts
	}
	if t.all == nil {
		t.all = map[troubleKey]trouble{}
	}
	t.all[troubleKey{g, n.Code, n.Service}] = one
}

// serviceAlarms adds what services told and nobody ended. What is told of a group that is not here is past.
func (d *Daemon) serviceAlarms(now time.Duration, wrong map[string]string) {
	t := &d.troubles
	t.mu.Lock()
	defer t.mu.Unlock()
	for key, one := range t.all {
		if one.until != 0 && now >= one.until || d.state.Groups[key.group].Holds == pulse.HoldsNo {
			delete(t.all, key)
			continue
		}
		wrong[key.code+" "+d.group(key.group)+" "+key.service] = one.text
	}
}
