package failover

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// A walk is a random order of everything that can happen to a few hosts: pulses lost, repeated and late, timers at any
// moment, verdicts without reason, crashes, reboots, fences that fail, a person's commands. It keeps the physical truth
// beside the members' beliefs and demands that no group ever runs on two powered hosts.
type walk struct {
	r     *rand.Rand
	n, g  uint8
	hosts []*walkHost
	wire  []walkPulse
	count map[string]int
	trace []string
	mode  Takeover

	upTo                        [moves]int
	total                       int
	lose, repeat, shuffle, fail int // in a hundred
	depth                       int // pulses under way
	rounds                      int // of settling, the most
	crash                       int // in ten thousand actions, after which the daemon dies
	lies, cut                   bool
	bad                         error
	pairs                       pairsMet
}

// pairsMet counts how often a group was in a phase when an event came.
type pairsMet [pulse.Blocked + 1][eventEnd]int

type walkPulse struct {
	p    pulse.Pulse
	link uint8
}

type walkHost struct {
	cfg     Config
	powered bool
	daemon  bool
	cutBy   map[uint8]bool // members whose relay keeps it off
	boot    uint32
	runs    [MaxGroups]bool // the physical truth
	s       State
	pending []Action // waiting for their completion
	timers  map[Timer]bool
	saved   Volatile
	savedOK bool
	kept    Durable
	late    []Event          // completions that may come once more
	agreed  [MaxMembers]bool // a person approved while it was silent
	halts   [MaxGroups]bool  // a stop was asked for, and did not end
	told    [MaxGroups]bool  // and that was written
}

func newWalk(seed uint64, n, g uint8) *walk {
	w := &walk{r: rand.New(rand.NewPCG(seed, 77)), n: n, g: g, count: map[string]int{}}
	if w.r.IntN(6) == 0 {
		w.mode = Approve
	}
	for i := range n {
		h := &walkHost{cutBy: map[uint8]bool{}, timers: map[Timer]bool{}}
		h.cfg = Config{Me: i, N: n, G: g, Core: 7, Rest: 7, IntervalMS: 100, QuietMS: 2000, Takeover: w.mode,
			DetectTime: time.Second, FenceDelay: time.Second, MoveTime: time.Second, Backoff: time.Second,
			ApprovalTime: time.Second, DoubtTime: time.Second, FenceRetries: 2, FenceRetryTime: time.Second,
			Window: time.Hour, MaxMoves: 250, MaxFences: 250, RestoreTime: time.Second, FarewellTime: time.Second}
		if w.r.IntN(8) == 0 {
			h.cfg.Split = OwnerSurvives
		}
		for m := range n {
			h.cfg.Members[m] = MemberConfig{Fenceable: true, RestoreAfter: time.Second}
			h.cfg.Members[m].Senses[0] = SenseConfig{Present: true, FailSafe: w.r.IntN(2) == 0}
		}
		for k := range g {
			for m := range n {
				h.cfg.Groups[k].Rank[m] = (m + n - k%n) % n
			}
			h.cfg.Groups[k].Failback = Failback(1 + w.r.IntN(2))
		}
		h.kept.Armed = true
		w.hosts = append(w.hosts, h)
	}
	w.draw()
	for i := range n {
		w.powerOn(i)
	}
	return w
}

func (w *walk) logf(format string, a ...any) {
	w.trace = append(w.trace, fmt.Sprintf(format, a...))
	if len(w.trace) > 400 {
		w.trace = w.trace[1:]
	}
}

func (w *walk) powerOn(i uint8) {
	h := w.hosts[i]
	if h.powered || len(h.cutBy) > 0 {
		return
	}
	h.powered, h.boot = true, 1+w.r.Uint32N(1<<24-1)
	h.savedOK = false
	h.cfg.Boot = h.boot
	w.logf("host %d boots", i)
	w.startDaemon(i)
}

func (w *walk) powerOff(i uint8) {
	h := w.hosts[i]
	if !h.powered {
		return
	}
	w.logf("host %d loses power", i)
	w.killDaemon(i)
	h.powered, h.runs, h.agreed = false, [MaxGroups]bool{}, [MaxMembers]bool{}
	h.forget()
	h.savedOK = false
	h.saved = Volatile{}
}

// forget is what a person's clear, or a reboot, does to what the host was told to stop.
func (h *walkHost) forget() { h.halts, h.told = [MaxGroups]bool{}, [MaxGroups]bool{} }

func (w *walk) killDaemon(i uint8) {
	h := w.hosts[i]
	if !h.daemon {
		return
	}
	h.daemon, h.pending, h.timers, h.late, h.halts = false, nil, map[Timer]bool{}, nil, h.told
	for _, o := range w.hosts { // its relays are released
		if w.r.IntN(2) == 0 {
			delete(o.cutBy, i)
		}
	}
}

func (w *walk) startDaemon(i uint8) {
	h := w.hosts[i]
	if !h.powered || h.daemon {
		return
	}
	h.daemon = true
	h.s = New(&h.cfg, 1+w.r.Uint32N(1<<30), h.saved, h.kept, h.savedOK)
	w.logf("daemon %d starts, same boot %v", i, h.savedOK)
	w.step(i, Event{Kind: Started})
}

func (w *walk) step(i uint8, e Event) {
	h := w.hosts[i]
	if !h.daemon {
		return
	}
	before := h.s
	for g := range w.g {
		w.pairs[before.Groups[g].Phase][e.Kind]++
	}
	m := machine{c: &h.cfg, s: &h.s} // as Step does it
	m.apply(&e)
	if w.rounds = max(w.rounds, m.settle(settleRounds)); h.s.Unsettled {
		panic("the rules do not come to rest")
	}
	if bad := h.s.Check(&h.cfg); bad != "" {
		panic(bad)
	}
	if h.s.Groups[0].Phase != before.Groups[0].Phase || h.s.Groups[0].Holds != before.Groups[0].Holds {
		w.logf("%d: %s -> group 0 %s holds %s permits %v request %d", i, e.Kind, h.s.Groups[0].Phase, h.s.Groups[0].Holds, h.s.Groups[0].Permits, h.s.Groups[0].Request)
	}
	w.agrees(i, &before, e, &m)
	for _, a := range m.out {
		w.act(i, a)
		if h.daemon && w.r.IntN(10000) < w.crash {
			w.logf("daemon %d dies after %s", i, a.Kind)
			w.killDaemon(i)
		}
		if !h.daemon {
			return
		}
	}
}

func (w *walk) act(i uint8, a Action) {
	h := w.hosts[i]
	switch a.Kind {
	case Send:
		for p := range w.n {
			if p == i || h.s.Peers[p].Muted {
				continue
			}
			link := uint8(w.r.IntN(2))
			f := h.s.Pulse(&h.cfg, p)
			f.Echo = h.s.Peers[p].In.LinkSeq[link]
			w.wire = append(w.wire, walkPulse{f, link})
			if len(w.wire) > w.depth {
				k := w.r.IntN(len(w.wire))
				w.wire = append(w.wire[:k:k], w.wire[k+1:]...)
			}
		}
	case Adopt:
		if h.told[a.Group] {
			w.bad = fmt.Errorf("%d adopts group %d, of which it wrote that it is being stopped", i, a.Group)
		}
	case SetTimer:
		h.timers[a.Timer] = true
	case StopTimer:
		delete(h.timers, a.Timer)
	case Start:
		w.count["start"]++
		h.runs[a.Group] = true // the worst moment: it runs from the request on
		w.logf("%d: starts group %d", i, a.Group)
		h.pending = append(h.pending, a)
	case Probe, Stop, Cut, Secure, OpenCuts, Restore, Save, Keep:
		if (a.Kind == Cut || a.Kind == Secure) && a.Code != CodePerson {
			w.mayCut(i, a)
		}
		if a.Kind == Cut || a.Kind == Secure || a.Kind == OpenCuts || a.Kind == Restore {
			w.logf("%d: %s %d", i, a.Kind, a.Peer)
			switch {
			case !h.s.Armed:
				panic("a coil while disarmed")
			case a.Kind != Restore && !(h.savedOK && h.saved.Peers[a.Peer].Open && (h.saved.Peers[a.Peer].Counted || a.Code != CodeSilent)):
				panic("a coil before it is written that the cut may be open, and counted")
			}
		}
		if a.Kind == Stop {
			h.halts[a.Group] = true
			w.logf("%d: stops group %d (%s)", i, a.Group, a.Code)
		}
		h.pending = append(h.pending, a)
	case Note:
		w.count[a.Code.String()]++
	case Exit:
		for _, p := range h.pending {
			if (p.Kind == Cut || p.Kind == Secure) && !h.s.Hurried {
				panic("it ends in the middle of a fence")
			}
		}
		w.count["exit"]++
		w.killDaemon(i)
	case Renew:
		w.step(i, Event{Kind: NewSession, Session: 1 + w.r.Uint32N(1<<30)})
	}
}

// complete ends one pending action, well or badly, early or late.
func (w *walk) complete(i uint8) {
	h := w.hosts[i]
	if !h.daemon || len(h.pending) == 0 {
		return
	}
	k := w.r.IntN(len(h.pending))
	a := h.pending[k]
	h.pending = append(h.pending[:k:k], h.pending[k+1:]...)
	ok := !w.chance(w.fail)
	e := Event{ID: a.ID, Group: a.Group, Peer: a.Peer, Gen: a.Gen, OK: ok}
	switch a.Kind {
	case Save:
		e.Kind = Saved
		if ok && a.Gen >= h.s.SavedGen {
			h.saved, h.savedOK = h.s.Volatile(), true
			for g := range w.g {
				h.told[g] = h.halts[g]
			}
			e.Gen = h.s.Gen
		} else if ok {
			return
		}
	case Keep:
		e.Kind = Kept
		if ok {
			h.kept = h.s.Durable()
			e.Gen = h.s.KeepGen
		}
	case Probe:
		e.Kind, e.Found = Probed, FoundStopped
		if h.runs[a.Group] {
			e.Found = FoundRunning
		}
		if !ok {
			e.Found = FoundUnknown
		}
		if e.Found == FoundStopped {
			h.halts[a.Group], h.told[a.Group] = false, false
		}
	case Start:
		e.Kind = StartDone
	case Stop:
		e.Kind = StopDone
		if ok {
			h.runs[a.Group], h.halts[a.Group], h.told[a.Group] = false, false, false
		}
	case Cut, Secure:
		e.Kind = FenceDone
		t := w.hosts[a.Peer]
		if a.Kind == Secure && t.powered && !w.lies {
			ok = false
		}
		e.OK = ok
		if ok {
			e.Proof = fencing.FailSafe
		}
		if ok && !(w.lies && w.chance(50)) { // or the sense lies and the contact is welded
			t.cutBy[i] = true
			w.powerOff(a.Peer)
		} else if a.Kind == Cut && w.r.IntN(2) == 0 {
			t.cutBy[i] = true
			w.powerOff(a.Peer)
		}
	case OpenCuts:
		e.Kind = CutsOpened
		if !(w.lies && w.chance(50)) {
			w.hosts[a.Peer].cutBy[i] = true
			w.powerOff(a.Peer)
		}
	case Restore:
		e.Kind = RestoreDone
		if ok {
			delete(w.hosts[a.Peer].cutBy, i)
		}
	}
	if h.late = append(h.late, e); len(h.late) > 8 {
		h.late = h.late[1:]
	}
	w.step(i, e)
	if len(h.late) > 0 && w.chance(w.repeat) {
		w.step(i, h.late[w.r.IntN(len(h.late))])
	}
}

// draw gives every walk its own mix of what happens and how often, so that rare orders are common in some walk.
func (w *walk) draw() {
	base := [...]int{beat: 300, deliver: 400, finish: 250, timer: 15, silent: 6, sense: 20, killDaemon: 4, startDaemon: 60, powerOff: 2, powerOn: 30, service: 2, person: 8}
	for i, b := range base {
		switch w.r.IntN(4) {
		case 0:
			b *= 4
		case 1:
			b = (b + 3) / 4
		}
		w.total += b
		w.upTo[i] = w.total
	}
	w.lose, w.repeat, w.shuffle, w.fail = w.r.IntN(3)*10, w.r.IntN(3)*10, w.r.IntN(4)*15, w.r.IntN(3)*8
	w.depth = 2 + w.r.IntN(10)
	w.crash = w.r.IntN(3) * 30
}

// What can happen next.
const (
	beat = iota
	deliver
	finish
	timer
	silent
	sense
	killDaemon
	startDaemon
	powerOff
	powerOn
	service
	person
	moves
)

// chance is a draw of so many in a hundred.
func (w *walk) chance(percent int) bool { return w.r.IntN(100) < percent }

func (w *walk) move() {
	i := uint8(w.r.IntN(int(w.n)))
	h := w.hosts[i]
	x, what := w.r.IntN(w.total), 0
	for x >= w.upTo[what] {
		what++
	}
	switch what {
	case beat:
		w.step(i, Event{Kind: Beat})
	case deliver:
		w.deliver()
	case finish:
		w.complete(i)
	case timer:
		for _, t := range w.armed(h) {
			delete(h.timers, t)
			w.step(i, Event{Kind: TimerFired, Timer: t})
			break
		}
	case silent:
		if p := uint8(w.r.IntN(int(w.n))); p != i {
			w.step(i, Event{Kind: WentSilent, Peer: p, OneByOne: w.chance(30)})
		}
	case sense:
		p := uint8(w.r.IntN(int(w.n)))
		r := ReadsOff
		if w.hosts[p].powered && !(w.lies && w.chance(70)) {
			r = ReadsOn
		}
		w.step(i, Event{Kind: SenseRead, Peer: p, Reading: r})
	case killDaemon:
		w.logf("daemon %d killed", i)
		w.killDaemon(i)
	case startDaemon:
		w.startDaemon(i)
	case powerOff:
		w.powerOff(i)
	case powerOn:
		w.powerOn(i)
	case service:
		w.step(i, Event{Kind: ServiceFailed, Group: uint8(w.r.IntN(int(w.g)))})
	case person:
		w.person(i)
	}
}

// armed gives the armed timers of a host, in a random order that the seed fixes.
func (w *walk) armed(h *walkHost) []Timer {
	ts := slices.SortedFunc(maps.Keys(h.timers), func(a, b Timer) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Index, b.Index))
	})
	w.r.Shuffle(len(ts), func(i, j int) { ts[i], ts[j] = ts[j], ts[i] })
	return ts
}

func (w *walk) deliver() {
	if len(w.wire) == 0 {
		return
	}
	k := 0
	if w.chance(w.shuffle) {
		k = w.r.IntN(len(w.wire))
	}
	m := w.wire[k]
	if !w.chance(w.repeat) {
		w.wire = append(w.wire[:k:k], w.wire[k+1:]...)
	}
	if !w.cut && !w.chance(w.lose) {
		w.step(m.p.To, Event{Kind: Heard, Pulse: &m.p, Link: m.link})
	}
}

func (w *walk) person(i uint8) {
	p := uint8(w.r.IntN(int(w.n)))
	c := Command{Kind: CommandKind(w.r.IntN(int(commandEnd))), Peer: p, Group: uint8(w.r.IntN(int(w.g))), Incident: w.hosts[i].s.Incident.ID}
	switch c.Kind {
	case CmdConfirmOff, CmdWithdraw: // an honest person, or one who looked at another machine
		if w.hosts[p].powered && !w.lies {
			return
		}
	case CmdDisarm, CmdMaintenanceOn, CmdStandbyOn, CmdDeny:
		if w.chance(80) {
			c.Kind = [...]CommandKind{CmdArm, CmdMaintenanceOff, CmdStandbyOff, CmdSwitchover, CmdLeave, CmdClear, CmdApprove}[w.r.IntN(7)]
		}
	}
	if c.Kind == CmdClear {
		w.hosts[i].forget()
	}
	w.logf("%d: person: %s %d", i, c.Kind, p)
	w.step(i, Event{Kind: Commanded, Command: c})
}
