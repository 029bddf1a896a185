package world

import (
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// TestIllAndWaits: each reason is seen in the state of a node that has just this, and the words say which it is.
func TestIllAndWaits(t *testing.T) {
	w := pair(t, nil)
	if why := w.Unwell() + w.Unrest() + w.Waits("alpha") + w.Waits("bravo"); why != "" {
		t.Fatal(why)
	}
	d := w.host("bravo").daemon
	well, config := d.state, d.cfg
	p, g := &d.state.Peers[0], &d.state.Groups[0]
	asked := failover.Incident{Open: true, Question: failover.Question{Asked: true}}
	for _, c := range []struct {
		do         func()
		ill, waits string // waits "" is: that is no reason to wait for a person
	}{
		{func() { d.state.Armed = false }, "disarmed", "disarmed"},
		{func() { d.state.Maintenance = true }, "maintenance", "maintenance"},
		{func() { d.state.Standby = true }, "standby mode", "standby mode"},
		{func() { d.state.Locked = true }, "locked out", "locked out"},
		{func() { d.state.Incident.Open = true }, "incident is open", ""},
		{func() { d.state.Incident = asked }, "incident is open", "question is not answered"},
		{func() { d.state.Incident = asked; d.state.Incident.Question.Approved = true }, "incident is open", ""},
		{func() { d.state.Incident = asked; d.state.Incident.Question.Used = true }, "incident is open", ""},
		{func() { d.state.Incident = asked; d.state.Incident.Question.Denied = true }, "incident is open", "denied"},
		{func() { d.state.Deaf = true }, "deaf", ""},
		{func() { d.state.FenceMe = true }, "asks to be cut", ""},
		{func() { d.state.FenceMe = true; p.Claim.Flags |= pulse.FenceMe }, "asks to be cut", "everybody asks to be cut"},
		{func() { d.state.Leaving = failover.LeaveStopping }, "leaving", ""},
		{func() { d.state.SaveBad = true }, "run directory", ""},
		{func() { d.state.KeepBad = true }, "state directory", ""},
		{func() { g.MoveGen = d.state.KeptGen + 1 }, "a count is not kept", ""},
		{func() { p.CountGen = d.state.KeptGen + 1 }, "a count is not kept", ""},
		{func() { d.state.Unsettled = true }, "rules", ""},

		{func() { p.Presence = failover.Silent }, "does not hear alpha", ""},
		{func() { p.Claim.Valid = false }, "does not hear alpha", ""},
		{func() { p.Doubt = failover.DoubtRising }, "doubts alpha", ""},
		{func() { p.Withdrawn = true }, "absence of alpha", "absence of alpha"},
		{func() { p.Muted = true }, "says nothing to alpha", ""},
		{func() { p.Newer = true }, "does not understand alpha", ""},
		{func() { p.Claim.Core++ }, "configuration", ""},
		{func() { p.Claim.Rest++ }, "configuration", ""},
		{func() { p.Senses[0].Broken = true }, "sense is broken", "sense is broken"},
		{func() { p.Senses[0].Suspect = 1 }, "sense is broken, or may be", ""},
		{func() { p.Senses[0].Reading = failover.NotRead }, "sense does not read on", ""},
		{func() { p.Senses[0].Reading = failover.ReadsOff }, "sense does not read on", ""},
		{func() {
			w.Path(false, "", "", func(f *PathFault) { f.Cut = true })
			run(t, w, time.Minute)
			well = d.state
		}, "a way of a link is down: lan, towards alpha", ""},
		{func() {
			w.Path(false, "", "", func(f *PathFault) { f.Cut = false })
			run(t, w, time.Minute)
			well = d.state
		}, "", ""},

		{func() { p.Fence.Phase = failover.FenceRunning }, "not at rest", ""},
		{func() { p.Fence.Giving = 1 }, "not at rest", ""},
		{func() { p.Fence.Phase = failover.FenceFailed }, "not at rest", "no fence proved off alpha"},
		{func() { p.Fence.Phase = failover.FenceFailed; d.state.Timers[failover.TimerRetry] = 1 }, "not at rest", ""},
		{func() { p.Fence.Open = true }, "not closed", "nobody gives power back to alpha"},
		{func() { p.Fence.Open = true; d.state.Timers[failover.TimerPower] = 1 }, "not closed", ""},
		{func() { p.Fence.Open, p.Proof = true, fencing.Sense }, "not closed", ""},
		{func() { p.Fence.Open, p.Proof = true, fencing.Sense; d.cfg.Members[0].RestoreAfter = 0 }, "not closed", "nobody gives power back to alpha"},
		{func() {
			p.Fence.Open, p.Proof = true, fencing.Sense
			w.notes = append(w.notes, Note{Node: "bravo", Code: failover.NoteRestoreFailed})
		}, "not closed", "nobody gives power back to alpha"},
		{func() {
			p.Fence.Open, p.Proof = true, fencing.Sense
			w.notes = append(w.notes, Note{Node: "bravo", Code: failover.NoteRestored})
		}, "not closed", ""},

		{func() { g.Phase = pulse.Failed }, "nothing calm", "a start failed of web"},
		{func() { g.Phase, g.Stuck = pulse.Failed, true }, "nothing calm can be said of web", ""},
		{func() { g.Phase = pulse.Blocked }, "nothing calm", ""},
		{func() { g.Phase = pulse.AwaitingApproval }, "nothing calm", ""},
		{func() { g.Phase = pulse.Requesting }, "nothing calm", ""},
		{func() { g.Accused = true }, "trouble", "an owner was not off"},
		{func() { g.Frozen = true }, "trouble", "two owners"},
		{func() { g.Stuck = true }, "trouble", ""},
		{func() { g.Phase, g.Holds = pulse.Ineligible, pulse.HoldsUnknown }, "does not know", ""},
		{func() { g.Found = true }, "does not know", ""},
		{func() { g.Doing = 1 }, "being done to web", ""},
		{func() { p.Claim.Groups[0].Holds = pulse.HoldsNo }, "knows nobody who has web", ""},
		{func() { d.state.Timers[failover.TimerRestore] = 1 }, "about to take back web", ""},
	} {
		c.do()
		ill, waits := w.Ill("bravo"), w.Waits("bravo")
		if !strings.Contains(ill, c.ill) || (c.ill == "") != (ill == "") || !strings.Contains(waits, c.waits) || (c.waits == "") != (waits == "") {
			t.Errorf("ill %q, waits %q; not %q, %q", ill, waits, c.ill, c.waits)
		}
		if rest := w.Unrest(); (rest == "") != (c.waits != "" || c.ill == "") {
			t.Errorf("%q and %q make %q", ill, waits, rest)
		}
		d.state, d.cfg = well, config
	}
}

// TestUnwell: one node has a group, runs it, and says so; and no daemon is no excuse.
func TestUnwell(t *testing.T) {
	for want, do := range map[string]func(*World){
		"web runs on 0 nodes and is active on 1": func(w *World) { w.RunByHand("alpha", 0, false) },
		"web runs on 1 nodes and is active on 0": func(w *World) { w.KillDaemon("alpha") },
		"web runs on 1 nodes and is active on 2": func(w *World) { w.host("bravo").daemon.state.Groups[0].Phase = pulse.Active },
		"web runs on bravo, whose daemon does not call it active": func(w *World) {
			w.RunByHand("alpha", 0, false)
			w.RunByHand("bravo", 0, true)
		},
		"bravo: no daemon runs": func(w *World) { w.KillDaemon("bravo") },
	} {
		w := pair(t, nil)
		do(w)
		if got := w.Unwell(); got != want || w.Unrest() != want {
			t.Errorf("%q and %q, not %q", got, w.Unrest(), want)
		}
	}
}
