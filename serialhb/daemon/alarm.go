package daemon

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/detect"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// alarmEvery is how often alarms are looked at. What is wrong at two looks in a row is told.
const alarmEvery = 200 * time.Millisecond

// watchAlarms compares what is wrong now with what was, and tells what came and went. Alarms are levels, not events:
// one that still holds is not told twice, and what mends itself at once is not told at all.
func (d *Daemon) watchAlarms(now time.Duration) {
	wrong := map[string]string{}
	d.stateAlarms(wrong)
	for p := range d.o.Decision.N {
		if p != d.o.Decision.Me {
			d.peerAlarms(p, wrong)
		}
	}
	for l := range d.o.Links {
		d.linkAlarms(uint8(l), now, wrong)
	}
	d.serviceAlarms(now, wrong)
	d.compareAlarms(now, wrong)
}

// compareAlarms takes what is wrong now, by code.
func (d *Daemon) compareAlarms(now time.Duration, wrong map[string]string) {
	for code, text := range wrong {
		text = oneLine(text)
		a, known := d.alarms[code]
		if !known {
			if d.wrong[code] == "" {
				continue
			}
			a.since = now
			d.book.put(Record{Kind: "alarm", Code: code, Text: text, Incident: d.openIncident()})
		}
		a.text, a.last = text, now
		d.alarms[code] = a
	}
	for code, a := range d.alarms {
		if _, still := wrong[code]; !still && now-a.last >= lasts(code) {
			delete(d.alarms, code)
			d.book.put(Record{Kind: "alarm", Code: code, Text: "over: " + a.text, Incident: d.openIncident()})
		}
	}
	d.wrong = wrong
}

// raised is an alarm that holds. Its times are those of the boot-time clock: the wall clock may be set meanwhile, and a
// host without a battery begins in 1970.
type raised struct {
	text        string
	since, last time.Duration
}

// alarmsNow tells the alarms as the wall clock would have stamped them if it had always been right as it is now.
func (d *Daemon) alarmsNow(now time.Duration, wall time.Time) []control.Alarm {
	all := make([]control.Alarm, 0, len(d.alarms))
	for code, a := range d.alarms {
		all = append(all, control.Alarm{Code: code, Text: a.text, Since: wall.Add(a.since - now), Last: wall.Add(a.last - now)})
	}
	slices.SortFunc(all, func(a, b control.Alarm) int { return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Code, b.Code)) })
	return all
}

// strangersStay is how long an alarm about frames that should not come stays after the last sign of them: whoever sends
// now and then is there all the time.
const strangersStay = 30 * time.Second

// lasts is how long an alarm stays after what it is about was last seen.
func lasts(code string) time.Duration {
	what, _, _ := strings.Cut(code, " ")
	switch what {
	case "echo", "own-name", "foreign", "other-key", "wrong-key", "twin":
		return strangersStay
	}
	return 0
}

// strangeFor is how long frames that do not belong on a link keep its alarm up.
const strangeFor = 2 * time.Second

func (d *Daemon) stateAlarms(wrong map[string]string) {
	s := &d.state
	say := func(on bool, code, text string) {
		if on {
			wrong[code] = text
		}
	}
	say(!s.Armed, "disarmed", "this node is disarmed and drives no relay; `serialhb arm` arms it")
	say(s.Unsettled, "unsettled", failover.NoteUnsettled.Sentence(d.o.Names, 0, 0, 0, 0))
	say(s.Locked, "locked-out", "this node is locked out after too many moves or fences; look into it, then run `serialhb clear`")
	say(s.FenceMe, "fence-me", "a service could not be stopped here; this node asks to be cut off; stop it by hand, then run `serialhb clear`")
	say(s.Deaf, "deaf", "every link of this node has lost its device, so it can judge nobody; mend the ports or the network")
	say(s.SaveBad, "save-failed", "the run directory cannot be written, so nothing can be granted or taken over; mend it: "+d.saver.cause())
	say(s.AskedGen > s.SavedGen && s.SavedGen == d.saved, "save-hangs", "the run directory does not answer, so nothing can be granted or taken over; look at its disk, or put run_dir on a tmpfs")
	d.saved = s.SavedGen
	say(s.KeepBad, "keep-failed", "the state directory cannot be written; free or mend the disk: "+d.keeper.cause())
	say(s.CountNotKept() && !s.KeepBad, "count-not-kept", "the count of the last move or fence is not on disk yet; if this lasts the state directory hangs: mend it, for the next move locks this node out")
	if err := d.book.trouble(); err != nil {
		say(true, "record-failed", "what happens here cannot be recorded for good; mend the directory: "+err.Error())
	}
	say(len(d.o.Damage) > 0, "facts-damaged", "kept facts were damaged and are not trusted; see `serialhb events`")
	for g := range d.o.Decision.G {
		name, grp := d.group(g), &s.Groups[g]
		say(grp.Phase == pulse.Failed, "failed "+name, name+" failed here; mend it, then run `serialhb clear`")
		say(grp.Phase == pulse.Blocked && !grp.Accused, "blocked "+name, name+" stays down: no node could be proven off"+d.whatToConfirm())
		say(grp.Accused, "accused "+name, failover.WhyAccused.Sentence(d.o.Names, 0, uint8(g), 0, 0))
		say(grp.Phase == pulse.AwaitingApproval, "question "+name, "a person must decide whether "+name+" is taken over; see `serialhb status`")
		say(grp.Frozen, "two-owners "+name, "two nodes hold "+name+": stop it on one of them with `serialhb standby on` there")
	}
}

func (d *Daemon) peerAlarms(p uint8, wrong map[string]string) {
	peer, name := &d.state.Peers[p], d.member(p)
	say := func(on bool, code, text string) {
		if on {
			wrong[code+" "+name] = text
		}
	}
	away := d.state.Away(&d.o.Decision, p)
	say(peer.Presence == failover.Silent && !away, "silent", name+" is silent on every link; see whether it runs, and look at its cables")
	say(d.state.CoreDiffers(&d.o.Decision, p), "core-differs", name+" runs with other nodes or groups in its configuration, so nothing starts and nobody is fenced; make both files agree and reload both")
	say(peer.Claim.Valid && peer.Claim.Core == d.o.Decision.Core && (peer.Claim.Rest != d.o.Decision.Rest || d.badDig[p]), "rest-differs", name+" runs with a different configuration, so planned moves are refused; make both files agree and reload both")
	say(peer.Presence == failover.Present && !d.watch.CanHear(p), "cannot-hear", "every link on which "+name+" was ever heard has lost its device here, so nobody can tell whether it lives; mend the port")
	say(peer.Newer, "newer-version", name+" speaks a newer protocol version; upgrade this node")
	say(peer.Doubt&failover.DoubtTwin != 0, "twin", "two daemons bear the name "+name+"; stop the wrong one, and if "+name+" is not heard as before then, run `serialhb restart` on it")
	say(peer.Doubt&failover.DoubtBoot != 0, "other-boot", "another boot of "+name+" took the place of one that held a service: two machines may bear the name, so nothing is granted to it for a while; if there is a second one, stop it, then run `serialhb restart` on the right one")
	say(peer.Doubt&failover.DoubtRising != 0, "deaf-peer", "someone keeps sending in the name of "+name+" and does not hear this node; look at that machine, and at the way from here to it")
	say(peer.Doubt&failover.DoubtWrongKey != 0, "wrong-key", "someone with another key is on the cable of "+name+"; compare the key files")
	say(peer.Fence.Phase == failover.FenceFailed, "fence-failed", "the fence of "+name+" failed"+d.fenceCause(p)+"; make sure that it is off, then run `serialhb confirm-off "+name+"`")
	say(d.state.CutLeftOpen(p), "cut-open", "the cut of "+name+" may be open since a fence that did not end; if it may have power, run `serialhb fence on "+name+"`")
	say(d.state.PowerNotBack(&d.o.Decision, p), "power-not-back", "the power of "+name+" could not be given back; look at its relay, then run `serialhb fence on "+name+"`")
	say(peer.Fence.Unsure && peer.Proof == fencing.Operator, "word-alone", "not every relay of "+name+" could be opened: that it is off rests on a person's word alone, so keep it unplugged until it may run again")
	say(!away && !d.o.Decision.Members[p].Fenceable, "no-fence", "no fence device of this node cuts "+name+", so nothing of it can be taken over; add a [[fence]] with target = \""+name+"\"")
	say(peer.Claim.Flags.Has(pulse.FenceMe) && peer.Presence == failover.Present, "asks-to-be-cut", name+" cannot stop a service and asks to be cut off; stop it there by hand, then run `serialhb clear` there")
	d.healthAlarms(p, say)
	for _, w := range d.senses {
		if w.peer != p {
			continue
		}
		sense := peer.Senses[w.device]
		say(sense.Broken, "sense-broken "+w.sense.Name(), "sense "+w.sense.Name()+" of "+name+" read off while it was alive: it proves nothing until `serialhb clear`")
		say(sense.Reading == failover.NotRead, "sense-unreadable "+w.sense.Name(), "sense "+w.sense.Name()+" of "+name+" cannot be read; look at the relay board")
	}
}

func (d *Daemon) linkAlarms(l uint8, now time.Duration, wrong map[string]string) {
	state, info := &d.link[l], &d.o.Links[l]
	if state.rates.due(now) {
		state.rates.keep(seenOn(now, info.Link.Counters()))
	}
	say := func(on bool, code, text string) {
		if on {
			wrong[code+" "+info.Name] = text
		}
	}
	flaps := state.flaps.look(now, !state.up)
	say(flaps, "flapping", info.Name+" comes and goes here: look at its plug, its adapter and what feeds it")
	say(!state.up && !flaps, "link-down", info.Name+" is down here: "+state.reason)
	say(state.own > 0, "echo", "own pulses come back on "+info.Name+": a loop-back plug or an echoing modem is on it; remove it")
	say(state.twin > 0, "own-name", "someone else on "+info.Name+" uses the name of this node; stop it or give it a name of its own with --node, and if this node is not heard as before then, run `serialhb restart` here")
	say(state.foreign > 0, "foreign", "frames of another cluster arrive on "+info.Name+"; look where it leads")
	say(state.wrongKey.run >= wrongKeyRun && now-state.wrongKey.since < 2*d.o.Decision.DoubtTime, "other-key", "frames under another key arrive on "+info.Name+"; compare the key files")
	if now-state.told > strangeFor {
		state.told, state.own, state.twin, state.foreign = now, 0, 0, 0
	}
	for p := range d.o.Decision.N {
		if p == d.o.Decision.Me || info.Peers&(1<<p) == 0 {
			continue
		}
		receives, sends, _, _ := d.watch.Path(l, p)
		name, judged := d.member(p), d.state.Peers[p].Presence == failover.Present && state.up
		deaf := judged && d.heardBetter(l, p, receives)
		mute := judged && sends == detect.Down
		if state.lived(p, judged, deaf, receives) {
			state.ways[p].turned(now)
		}
		flaps := state.ways[p].look(now, deaf || mute)
		say(flaps, "flapping "+name, name+" comes and goes on "+info.Name+": look at the plugs, at each part of that cable or path, and at how busy both nodes are")
		say(deaf && !flaps, "no-pulses "+name, name+" is alive but not heard on "+info.Name+": look at that cable or path")
		say(mute && !flaps, "unheard "+name, name+" does not hear this node on "+info.Name+"; look at its receiver, the driver here and each conductor")
	}
}

// heardBetter says whether a peer is heard on another link while it is not on this one. Who falls silent is late on all of
// them for a while before that is known, and no cable is to blame then.
func (d *Daemon) heardBetter(l, p uint8, here detect.Way) bool {
	worse := map[detect.Way]int{detect.Late: 1, detect.Down: 2, detect.Never: 2}
	for other := range d.o.Links {
		if uint8(other) == l || d.o.Links[other].Peers&(1<<p) == 0 {
			continue
		}
		if there, _, _, _ := d.watch.Path(uint8(other), p); worse[there] < worse[here] {
			return true
		}
	}
	return false
}

// lived says, at each look, whether a peer that was late on all its links is heard as before. That was no death, so it is the
// path or the peer, and it is worth a word before it takes longer than the detection time. What flapping sees by itself is not
// counted again.
func (s *linkState) lived(p uint8, judged, deaf bool, receives detect.Way) bool {
	late := s.late[p]
	switch {
	case !judged || s.ways[p].worse:
		s.late[p] = 0
	case receives == detect.Late && !deaf:
		s.late[p] = min(late+1, lateLooks)
	case receives == detect.OK:
		s.late[p] = 0
		return late == lateLooks
	}
	return false
}

// lateLooks is at how many looks something has to be late to be of account, as for any flapping.
const lateLooks = 2
