package explore

import (
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Kind is what can happen.
type Kind uint8

// The kinds of moves. Each names the fields of [Move] that it uses beside I, the member that it happens to.
const (
	// Beats: it is time for a pulse. Arg: which pulse is lost on a way that is full.
	Beats Kind = iota
	// Hears: pulse number Arg of P arrives. HearsAgain: the same, and it stays under way.
	Hears
	HearsAgain
	// Silent: no link has life of P any more.
	Silent
	// Fires: timer Arg, of group or member P.
	Fires
	// Probed, Started, Stopped: what was begun with group G ends, Arg says how.
	Probed
	Started
	Stopped
	// Dies: group G is found not running.
	Dies
	// Acts: the relay towards P opens.
	Acts
	// Proves, Opens, Gives: a cut of P, an opening for a person, a restore ends, Arg says how.
	Proves
	Opens
	Gives
	// Writes, Keeps: the run directory, the state directory takes what was to be written, Arg says how.
	Writes
	Keeps
	// Senses: the sense of P is read.
	Senses
	// Deaf, Listens: it loses all its ports, or has one again.
	Deaf
	Listens
	// Killed: its daemon dies. Arg: what was being written is, [wroteRun] and [wroteDisk].
	Killed
	// Begins: its daemon starts.
	Begins
	// Wiped: its run directory is emptied while no daemon runs.
	Wiped
	// Dark, Lit: it loses its power, or has it again.
	Dark
	Lit
	// Asks: a person asks for command Arg about P and G.
	Asks
	// Fades: as Silent, and the links to P were lost one after the other.
	Fades
	// Doubts: someone with another key is on the cable of P.
	Doubts
	// Vanishes: what ran of group G is gone, and no daemon runs that could see it.
	Vanishes
	// Overdue, OverdueCut: what was given up long ago with group G, with a cut of P, ends now, Arg says how.
	Overdue
	OverdueCut

	kindEnd
)

// How something ends.
const (
	Well uint8 = iota
	Badly
	Lying // it is proven off, and has power
)

// What of a daemon that dies got written.
const (
	wroteRun uint8 = 1 << iota
	wroteDisk
)

// Move is one thing that happens.
type Move struct {
	Kind Kind
	I    uint8
	P    uint8
	G    uint8
	Arg  uint8
}

// moves gives all that may happen next.
func (s *Scope) moves(c *Cluster, out []Move) []Move {
	for i := range s.Members {
		h := &c.Hosts[i]
		switch {
		case !h.Powered:
			if h.Cut == 0 {
				out = append(out, Move{Kind: Lit, I: i})
			}
			continue
		case !h.Daemon:
			out = append(out, Move{Kind: Begins, I: i})
			if s.Wipes && h.OfBoot && c.Faults < s.Faults {
				out = append(out, Move{Kind: Wiped, I: i})
			}
			for g := range s.Groups {
				if h.runs(g) && c.Faults < s.Faults {
					out = append(out, Move{Kind: Vanishes, I: i, G: g})
				}
			}
		default:
			out = s.daemonMoves(c, i, out)
		}
		if c.Crashes < s.Crashes {
			out = append(out, Move{Kind: Dark, I: i})
		}
	}
	return out
}

func (s *Scope) daemonMoves(c *Cluster, i uint8, out []Move) []Move {
	h := &c.Hosts[i]
	out = s.beats(c, i, out)
	for p := range s.Members {
		if p == i {
			continue
		}
		w := &c.Ways[way(p, i)]
		for k := range w.N {
			out = append(out, Move{Kind: Hears, I: i, P: p, Arg: k})
			if s.Again {
				out = append(out, Move{Kind: HearsAgain, I: i, P: p, Arg: k})
			}
		}
		peer := &h.State.Peers[p]
		if presence := peer.Presence; (presence == failover.Present || presence == failover.Unjudged) && (s.Fights || !c.Hosts[p].Daemon) {
			out = append(out, Move{Kind: Silent, I: i, P: p})
			if s.LastLink == failover.AskOnLastLink {
				out = append(out, Move{Kind: Fades, I: i, P: p})
			}
		}
		if s.Keys && peer.Doubt&failover.DoubtWrongKey == 0 {
			out = append(out, Move{Kind: Doubts, I: i, P: p})
		}
		if sense := &peer.Senses[0]; s.Senses && (sense.Suspect > 0 || sense.Reading != reading(&c.Hosts[p])) {
			out = append(out, Move{Kind: Senses, I: i, P: p})
		}
		out = s.fenceMoves(c, i, p, out)
	}
	for g := range s.Groups {
		out = s.groupMoves(c, i, g, out)
	}
	for k := range h.State.Timers {
		if failover.TimerKind(k) == failover.TimerWindow && !s.counts() {
			continue
		}
		for p := range max(s.Members, s.Groups) {
			if h.State.Timers[k]&(1<<p) != 0 {
				out = append(out, Move{Kind: Fires, I: i, P: p, Arg: uint8(k)})
			}
		}
	}
	if h.Saving {
		out = s.endings(c, Move{Kind: Writes, I: i}, out)
	}
	if h.Keeping {
		out = s.endings(c, Move{Kind: Keeps, I: i}, out)
	}
	switch {
	case s.Deaf && h.State.Deaf:
		out = append(out, Move{Kind: Listens, I: i})
	case s.Deaf:
		out = append(out, Move{Kind: Deaf, I: i})
	}
	if c.Crashes < s.Crashes {
		out = append(out, s.deaths(h, i)...)
	}
	if c.Words < s.Words {
		out = s.words(c, i, out)
	}
	return out
}

// beats is the next pulse, with what it displaces: a way that is full loses any one of its pulses.
func (s *Scope) beats(c *Cluster, i uint8, out []Move) []Move {
	full := false
	for p := range s.Members {
		full = full || p != i && c.Ways[way(i, p)].N+s.carriers() > s.Wire
	}
	if !full {
		return append(out, Move{Kind: Beats, I: i})
	}
	for k := range s.Wire {
		out = append(out, Move{Kind: Beats, I: i, Arg: k})
	}
	return out
}

// endings gives a move that ends well, and one that ends badly if there may be another fault.
func (s *Scope) endings(c *Cluster, m Move, out []Move) []Move {
	out = append(out, m)
	if c.Faults < s.Faults {
		m.Arg = Badly
		out = append(out, m)
	}
	return out
}

func (s *Scope) groupMoves(c *Cluster, i, g uint8, out []Move) []Move {
	grp := &c.Hosts[i].State.Groups[g]
	m := Move{I: i, G: g}
	switch {
	case grp.Doing == 0:
		if grp.Phase == pulse.Active && c.Faults < s.Faults {
			m.Kind = Dies
			out = append(out, m)
		}
		return out
	case grp.Phase == pulse.Starting:
		m.Kind = Started
	case grp.Phase == pulse.Stopping:
		m.Kind = Stopped
	default:
		m.Kind = Probed
	}
	if s.Faults > 0 {
		out = append(out, Move{Kind: Overdue, I: i, G: g}, Move{Kind: Overdue, I: i, G: g, Arg: Badly})
	}
	return s.endings(c, m, out)
}

func (s *Scope) fenceMoves(c *Cluster, i, p uint8, out []Move) []Move {
	fence, target := &c.Hosts[i].State.Peers[p].Fence, &c.Hosts[p]
	if fence.Giving != 0 {
		out = s.endings(c, Move{Kind: Gives, I: i, P: p}, out)
	}
	if fence.ID == 0 {
		return out
	}
	open := target.Cut&bit(i) != 0
	if !open && fence.Giving == 0 && (!fence.Secure || !target.Powered) {
		out = append(out, Move{Kind: Acts, I: i, P: p})
	}
	m := Move{Kind: Proves, I: i, P: p}
	if fence.Phase == failover.FenceOpening {
		m.Kind = Opens
	}
	if open {
		out = append(out, m)
	}
	lie := c.Lies < s.Lies && target.Powered
	// A person's word is taken although a cut did not open: that it is off was true, or a lie.
	if c.Faults < s.Faults && (m.Kind == Proves || !target.Powered || lie) {
		m.Arg = Badly
		out = append(out, m)
	}
	if lie {
		m.Arg = Lying
		out = append(out, m)
	}
	if s.Faults > 0 {
		out = append(out, Move{Kind: OverdueCut, I: i, P: p}, Move{Kind: OverdueCut, I: i, P: p, Arg: Badly})
	}
	return out
}

func (s *Scope) deaths(h *Host, i uint8) []Move {
	out := []Move{{Kind: Killed, I: i}}
	if h.Saving {
		out = append(out, Move{Kind: Killed, I: i, Arg: wroteRun})
	}
	if h.Keeping {
		out = append(out, Move{Kind: Killed, I: i, Arg: wroteDisk})
		if h.Saving {
			out = append(out, Move{Kind: Killed, I: i, Arg: wroteRun | wroteDisk})
		}
	}
	return out
}

// words gives what a person may ask a member for. That another one is away for repair is said of one without power only:
// nothing is cut for that word.
func (s *Scope) words(c *Cluster, i uint8, out []Move) []Move {
	for _, say := range s.Says {
		m := Move{Kind: Asks, I: i, Arg: uint8(say)}
		switch say {
		case failover.CmdSwitchover:
			for m.G = range s.Groups {
				for m.P = range s.Members {
					out = append(out, m)
				}
			}
		case failover.CmdFailback:
			for m.G = range s.Groups {
				out = append(out, m)
			}
		case failover.CmdConfirmOff, failover.CmdWithdraw, failover.CmdFenceOff, failover.CmdFenceOn:
			for m.P = range s.Members {
				if m.P != i && (say != failover.CmdWithdraw || !c.Hosts[m.P].Powered) {
					out = append(out, m)
				}
			}
		default:
			out = append(out, m)
		}
	}
	return out
}

// reading is what a fail-safe sense says of a host.
func reading(h *Host) failover.Reading {
	if h.Powered {
		return failover.ReadsOn
	}
	return failover.ReadsOff
}
