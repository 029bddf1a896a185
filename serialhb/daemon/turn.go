package daemon

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/serialhb/serialhb/serialhb/detect"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// timer is one that the decision asked for.
type timer struct {
	id failover.Timer
	at time.Duration
}

const (
	// lateTolerance is how late a turn may be before windows are lengthened for it.
	lateTolerance = 2 * time.Millisecond
	// watchdogEvery is how often the supervisor hears that turns are taken.
	watchdogEvery = 500 * time.Millisecond
	// deferMost is how long a verdict waits for bytes that the driver already has, and whatever else is no word of a peer.
	deferMost = 20 * time.Millisecond
	// readAgain is how long whoever waits for that leaves the driver alone.
	readAgain = time.Millisecond
	// listenBeats is for how many beats of the slowest member answers are waited for after a sleep of a detection time: one for a
	// pulse of ours, one for the answer, and two that may be lost.
	listenBeats = 4
	// crowdMost is how many turns in a row may leave what is due to the next one: more than there can be who wait, and they
	// are served in their order, so everybody who waited when something became due is heard before it is judged.
	crowdMost = 64
	// sideEvery is how often the side frames of keys and digests go out.
	sideEvery = 5 * time.Second
	// idle is the longest sleep: alarms and the watchdog want a look now and then.
	idle = time.Second
)

// A turn is one arrival, completion, request or deadline, from its event to the last action. There is one at a time.
// Whoever brings something takes the turn for it in its own goroutine: handing it over to another would wake a second
// thread for every pulse.

// enter waits for the turn, until giveUp is closed; nil is never. false is that there is none: the caller gave up, or the
// daemon has ended.
func (d *Daemon) enter(giveUp <-chan struct{}) bool {
	select {
	case d.turn <- struct{}{}:
		d.lateness(d.o.Clock())
		return true
	case <-giveUp:
	case <-d.ended:
	}
	return false
}

// bring waits for the turn with something in hand that is to come before what is judged: an arrival or a completion.
func (d *Daemon) bring() bool {
	d.coming.Add(1)
	defer d.coming.Add(-1)
	return d.enter(nil)
}

// readUp takes turns until one in which all that peers said while this member was held up has been read, or for so long as
// that may take. A completion, a word of a person and a timer wait for it: a coil must not be driven on what was so before
// the sleep, while the evidence against it lies in the driver. False is that there is none, as with enter.
func (d *Daemon) readUp(enter func() bool) bool {
	for enter() {
		if !d.unread(d.o.Clock()) {
			return true
		}
		d.leave()
		select {
		case <-time.After(d.pause(d.o.Clock())):
		case <-d.ended:
			return false
		}
	}
	return false
}

// unread says whether this member was late a moment ago, and a driver has bytes for it, or whoever reads them may have some in
// hand. After a sleep of a detection time what is read may be as old as that, and the driver may have thrown away what came
// later: so it waits until everybody has answered a pulse that was sent since, for a few beats.
func (d *Daemon) unread(now time.Duration) bool {
	return now < d.listenUntil && !d.answered() || now < d.readUntil && (now < d.readUntil-deferMost+readAgain || d.bytes())
}

// answered says whether every other member has named a pulse of this one that was sent after the sleep.
func (d *Daemon) answered() bool {
	for p := range d.o.Decision.N {
		if claim := &d.state.Peers[p].Claim; p != d.o.Decision.Me && (!claim.Valid || claim.Echo <= d.wokeSeq) {
			return false
		}
	}
	return true
}

// listen begins to wait for answers. Who sleeps that long again and again must not listen for ever.
func (d *Daemon) listen(now time.Duration) {
	detection := d.o.Decision.DetectTime
	if detection == 0 || now < d.listenUntil+detection {
		return
	}
	beat := d.interval
	for p := range d.o.Decision.N {
		beat = max(beat, d.watch.Window(p)/time.Duration(max(1, d.o.Detection.Multiplier)))
	}
	d.listenUntil, d.wokeSeq = now+listenBeats*beat, d.state.Seq
}

// pause is how long who waits for peers leaves them alone.
func (d *Daemon) pause(now time.Duration) time.Duration {
	if now < d.listenUntil {
		return deferMost
	}
	return readAgain
}

func (d *Daemon) bytes() bool {
	return slices.ContainsFunc(d.o.Links, func(l LinkInfo) bool { return l.Link.Pending() > 0 })
}

// leave does what is due, and gives the turn back. What has arrived comes before what is judged: while others wait with
// something in their hands, the last of them does it, or at least every crowdMost-th.
func (d *Daemon) leave() {
	if d.crowd++; d.coming.Load() == 0 || d.crowd >= crowdMost {
		d.crowd = 0
		d.due()
	}
	if d.exited {
		d.close()
		return
	}
	d.planned = d.nextDeadline(d.o.Clock())
	if d.planned != d.bellSet {
		d.bellSet = d.planned
		d.o.Bell.Set(d.planned)
	}
	<-d.turn
}

// close ends the last turn: nobody gets another one.
func (d *Daemon) close() {
	d.refuseWaiting()
	close(d.ended)
}

// ring takes a turn whenever something may be due.
func (d *Daemon) ring() {
	for d.o.Bell.Wait() && d.enter(nil) {
		d.bellSet = 0
		d.leave()
	}
}

// start is the first turn.
func (d *Daemon) start() {
	now := d.o.Clock()
	d.nextBeat, d.senseAt, d.planned = now, now, now
	d.step(failover.Event{Kind: failover.Started})
	d.book.say("daemon-started", "serialhb "+d.o.Version+" runs", subject{})
	for _, damage := range d.o.Damage {
		d.book.say("facts-damaged", damage, subject{})
	}
	d.tell("READY=1")
}

// lateness lengthens the windows of detection by how much later than planned it is, as far as that was not done yet: while
// this member slept it could not hear anybody. The plan stays the same while a crowd puts off what is due, and the sleep
// may come within a turn.
func (d *Daemon) lateness(now time.Duration) {
	late := now - max(d.planned, d.counted)
	if late <= lateTolerance {
		return
	}
	d.counted = now
	if now >= d.readUntil+deferMost { // who is late all the time must not read for ever
		d.readUntil = now + deferMost
	}
	if late >= d.o.Decision.DetectTime {
		d.listen(now)
	}
	d.late = max(d.late, now-d.planned)
	d.watch.Late(late)
}

// due does what is due.
func (d *Daemon) due() {
	now := d.o.Clock()
	d.lateness(now)
	if !d.bytesWait(now) {
		d.changes = d.watch.Check(now, d.changes[:0])
		for _, c := range d.changes {
			d.changed(c)
		}
	}
	if d.timersWait = d.unread(now); !d.timersWait {
		d.fireTimers(now)
	}
	if now >= d.senseAt {
		d.readSenses(now)
	}
	if now >= d.nextBeat {
		d.nextBeat += d.interval
		if d.nextBeat <= now {
			d.nextBeat = now + d.interval
		}
		d.step(failover.Event{Kind: failover.Beat})
		d.chores(now)
	}
	d.turned(now)
}

// chores ride on a beat, so that they wake nobody.
func (d *Daemon) chores(now time.Duration) {
	if now >= d.watchdogAt {
		d.watchdogAt = now + watchdogEvery
		d.tell("WATCHDOG=1")
	}
	if now >= d.sideAt {
		d.sideAt = now + sideEvery
		d.sendSides()
	}
	if now >= d.alarmAt {
		d.alarmAt = now + alarmEvery
		d.watchAlarms(now)
	}
}

// bytesWait says whether a verdict is due while a driver still has bytes for us: they are read first, for a bounded
// while. It is time that bounds it, and not turns: a burst of junk in front of a pulse takes many.
func (d *Daemon) bytesWait(now time.Duration) bool {
	at, ok := d.watch.Next()
	d.deferred = ok && now >= at && now < at+deferMost && d.bytes()
	return d.deferred
}

func (d *Daemon) nextDeadline(now time.Duration) time.Duration {
	next := min(d.nextBeat, d.senseAt, now+idle)
	if at, ok := d.watch.Next(); ok {
		if d.deferred {
			at = max(at, now+readAgain)
		}
		next = min(next, at)
	}
	for i := range d.timers {
		at := d.timers[i].at
		if d.timersWait {
			at = max(at, now+d.pause(now))
		}
		next = min(next, at)
	}
	return next
}

func (d *Daemon) fireTimers(now time.Duration) {
	for i := 0; i < len(d.timers); {
		if d.timers[i].at > now {
			i++
			continue
		}
		id := d.timers[i].id
		d.timers = append(d.timers[:i], d.timers[i+1:]...)
		d.step(failover.Event{Kind: failover.TimerFired, Timer: id})
		i = 0
	}
}

// changed hands what detection found to the decision, and to people.
func (d *Daemon) changed(c detect.Change) {
	switch c.Kind {
	case detect.Silent:
		d.step(failover.Event{Kind: failover.WentSilent, Peer: c.Peer, OneByOne: c.OneByOne})
	case detect.Deaf:
		d.step(failover.Event{Kind: failover.WentDeaf})
		d.book.say("deaf", "every link of this node has lost its device", subject{})
	case detect.Hears:
		d.step(failover.Event{Kind: failover.HearsAgain})
	case detect.CannotJudge:
		d.book.say("cannot-judge", "this node is too slow to judge "+d.member(c.Peer)+" in time", subject{peer: d.member(c.Peer)})
	case detect.CanJudge:
		d.book.say("can-judge", "this node is in time again", subject{peer: d.member(c.Peer)})
	case detect.Receives:
		link, peer := d.o.Links[c.Link].Name, d.member(c.Peer)
		d.book.sayWay(link, "receives-"+c.Way.String(), link+" from "+peer+": "+receiveWords(c.Way), peer)
	case detect.Sends:
		link, peer := d.o.Links[c.Link].Name, d.member(c.Peer)
		d.book.sayWay(link, "sends-"+c.Way.String(), link+" to "+peer+": "+sendWords(c.Way), peer)
	}
}

func receiveWords(w detect.Way) string {
	return map[detect.Way]string{detect.Never: "nothing yet", detect.OK: "pulses arrive", detect.Late: "pulses are late", detect.Down: "no pulses arrive"}[w]
}

func sendWords(w detect.Way) string {
	return map[detect.Way]string{detect.OK: "it hears us here", detect.Down: "it does not hear us here", detect.Unknown: "nobody can tell whether it hears us here"}[w]
}

// sendPulses sends the claim of this turn to every peer, on every link, with the echo of that link.
func (d *Daemon) sendPulses() {
	now := d.o.Clock()
	for p := range d.o.Decision.N {
		if p == d.o.Decision.Me || d.state.Peers[p].Muted {
			continue
		}
		claim := d.state.Pulse(&d.o.Decision, p)
		d.fitness(&claim)
		for l := range d.o.Links {
			if d.o.Links[l].Peers&(1<<p) == 0 {
				continue
			}
			claim.Echo, claim.EchoAge = d.state.Peers[p].In.LinkSeq[l], 15
			if _, _, last, heard := d.watch.Path(uint8(l), p); heard && claim.Echo != 0 {
				claim.EchoAge = pulse.EchoAgeStep(uint32((now - last) / time.Millisecond))
			}
			d.frame = d.o.Keys.AppendPulse(d.frame[:0], &claim)
			d.o.Links[l].Link.Send(p, d.frame)
		}
	}
}

// sendSides tells the peers which keys this member accepts and the digests in full. They decide nothing.
func (d *Daemon) sendSides() {
	keys := pulse.Side{Kind: pulse.SideKeys, From: d.o.Decision.Me, Session: d.state.Session}
	for _, id := range d.o.Keys.IDs() {
		keys.Len += uint8(copy(keys.Payload[keys.Len:], id[:]))
	}
	digests := pulse.Side{Kind: pulse.SideDigests, From: d.o.Decision.Me, Session: d.state.Session, Len: 16}
	binary.BigEndian.PutUint64(digests.Payload[0:], d.o.Digests[0])
	binary.BigEndian.PutUint64(digests.Payload[8:], d.o.Digests[1])
	for p := range d.o.Decision.N {
		if p == d.o.Decision.Me || d.state.Peers[p].Muted {
			continue
		}
		for _, side := range []pulse.Side{keys, digests} {
			if d.sideSeq = d.sideSeq + 1; d.sideSeq > pulse.MaxSeq {
				d.sideSeq = 1
			}
			side.To, side.Seq, side.PeerSession = p, d.sideSeq, d.state.Peers[p].In.Session
			for l := range d.o.Links {
				if d.o.Links[l].Peers&(1<<p) != 0 {
					d.o.Links[l].Link.SendSide(p, d.o.Keys.AppendSide(nil, &side))
				}
			}
		}
	}
}

func sameDigests(b []byte, own [2]uint64) bool {
	return len(b) == 16 && binary.BigEndian.Uint64(b) == own[0] && binary.BigEndian.Uint64(b[8:]) == own[1]
}

func (d *Daemon) tell(state string) {
	if d.o.Notify != nil {
		d.o.Notify(state)
	}
}

func (d *Daemon) member(p uint8) string {
	if int(p) < len(d.o.Names.Members) {
		return d.o.Names.Members[p]
	}
	return "another node"
}

func (d *Daemon) group(g uint8) string {
	if int(g) < len(d.o.Names.Groups) {
		return d.o.Names.Groups[g]
	}
	return "another group"
}
