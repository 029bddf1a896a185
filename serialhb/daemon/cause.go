package daemon

import (
	"strings"
	"sync"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// causes remembers why something failed, in the words of its last error, until it works again. It is safe for concurrent
// use.
type causes struct {
	mu   sync.Mutex
	last map[causeKey]string
}

type causeKey struct {
	whose string // a group, or a peer whose power was meant
	of    failover.ActionKind
}

// tried are the actions whose failures are remembered.
var tried = []failover.ActionKind{failover.Probe, failover.Start, failover.Stop, failover.Cut, failover.Secure, failover.OpenCuts, failover.Restore}

// learn reads the news of the workers.
func (c *causes) learn(code, text string, about subject) {
	whose := about.group + about.peer
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, of := range tried {
		if code == of.String()+"-error" {
			if c.last == nil {
				c.last = map[causeKey]string{}
			}
			c.last[causeKey{whose, of}] = oneLine(strings.TrimPrefix(text, whose+": "))
		}
	}
	switch code {
	case failover.Start.String() + "-took":
		delete(c.last, causeKey{whose, failover.Start})
		fallthrough
	case failover.Stop.String() + "-took": // a clean-up that worked does not tell why the start before it failed
		delete(c.last, causeKey{whose, failover.Stop})
		delete(c.last, causeKey{whose, failover.Probe})
	}
}

// of gives the first cause that is known of these.
func (c *causes) of(whose string, kinds ...failover.ActionKind) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, kind := range kinds {
		if text := c.last[causeKey{whose, kind}]; text != "" {
			return text
		}
	}
	return ""
}

// cause is what the service of a group said when it failed, if that is what is wrong here now.
func (d *Daemon) cause(g uint8) string {
	grp := &d.state.Groups[g]
	switch {
	case grp.Phase == pulse.Failed && d.state.FenceMe:
		return d.book.causes.of(d.group(g), failover.Stop, failover.Start, failover.Probe)
	case grp.Phase == pulse.Failed:
		return d.book.causes.of(d.group(g), failover.Start, failover.Stop, failover.Probe)
	case grp.Holds == pulse.HoldsUnknown:
		return d.book.causes.of(d.group(g), failover.Stop, failover.Probe)
	}
	return ""
}

// fenceCause is why the last fence of a peer failed, in brackets behind what is said of it; empty if nobody knows.
func (d *Daemon) fenceCause(p uint8) string {
	if text := d.book.causes.of(d.member(p), failover.Cut, failover.Secure); text != "" {
		return " (" + text + ")"
	}
	return ""
}

// whatToConfirm tells a person what to do about a silent peer of which there is no proof.
func (d *Daemon) whatToConfirm() string {
	for p := range d.o.Decision.N {
		if peer := &d.state.Peers[p]; p != d.o.Decision.Me && peer.Presence == failover.Silent && peer.Proof == 0 {
			return "; make sure that " + d.member(p) + " is off, then run `serialhb confirm-off " + d.member(p) + "`"
		}
	}
	return "; `serialhb why` says what stands in the way"
}
