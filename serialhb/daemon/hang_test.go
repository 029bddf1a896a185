package daemon_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/daemon"
)

// A record that takes nothing stops no deed (P24): one that does not even say so is waited for once, and for a bounded while.

// tells says whether what people are shown has a line.
func (n *rigNode) tells(kind, code, text string) bool {
	return slices.ContainsFunc(n.d.Events(0), func(r daemon.Record) bool {
		return r.Kind == kind && r.Code == code && strings.Contains(r.Text, text)
	})
}

// writes gives what the record took of the lines with these codes, in its order.
func (n *rigNode) writes(codes ...string) (got []string) {
	n.rig.mu.Lock()
	defer n.rig.mu.Unlock()
	for _, r := range n.record {
		if slices.Contains(codes, r.Code) {
			got = append(got, r.Code)
		}
	}
	return got
}

// numbered fails if a line is shown twice or out of order.
func (n *rigNode) numbered() {
	n.rig.t.Helper()
	last, seen := uint64(0), map[string]int{}
	for _, r := range n.d.Events(0) {
		if r.Seq <= last {
			n.rig.t.Errorf("line %d after line %d: %s", r.Seq, last, r.Text)
		}
		last = r.Seq
		if r.Kind == "action" {
			if key := r.Text + time.Duration(r.MonoNS).String(); seen[key] > 0 {
				n.rig.t.Errorf("shown twice: %s", r.Text)
			} else {
				seen[key]++
			}
		}
	}
}

func TestARecordThatHangsStopsNoTakeover(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		bravo := r.nodes[1]
		goOn := bravo.hangs("reason")
		hangs := true
		defer func() {
			if hangs {
				goOn()
			}
		}()
		began := r.clock()
		r.nodes[0].losePower()
		r.within(5*time.Second, "bravo owns web", bravo.owns)
		// The coil waits for the record, and the start after it does not wait again.
		if took := r.clock() - began; took < 1500*time.Millisecond+daemon.RecordWait || took > 1700*time.Millisecond+daemon.RecordWait*3/2 {
			t.Errorf("takeover took %v with a detection time of 1.5 s and %v for the record", took, daemon.RecordWait)
		}
		r.within(time.Second, "the alarm tells it", func() bool { return bravo.alarm("record-failed", "does not answer") })
		for _, code := range []string{"cut", "start"} {
			if !bravo.tells("action", code, "") {
				t.Errorf("why does not show the reason of %q while the record hangs", code)
			}
		}
		if !bravo.tells("note", "record-hangs", "before") || !bravo.tells("alarm", "record-failed", "does not answer") {
			t.Error("nobody is told that the reasons are not on record")
		}
		r.wait(10 * time.Second)
		goOn()
		hangs = false
		r.within(5*time.Second, "the alarm is over", func() bool { return !bravo.alarm("record-failed", "") })
		if got, want := bravo.writes("cut", "start", "record-hangs", "record-answers"), []string{"cut", "record-hangs", "start", "record-answers"}; !slices.Equal(got, want) {
			t.Errorf("the record has %v, want %v", got, want)
		}
		if !bravo.tells("note", "record-answers", "before their reason was on record: 2") {
			t.Error("it is not told how many deeds were done before their reasons were on record")
		}
		bravo.numbered()
	})
}

func TestARecordThatHangsStopsNoPlannedMove(t *testing.T) {
	for _, c := range []struct {
		name string
		node int
		deed string
	}{{"stop", 0, "stop"}, {"start", 1, "start"}} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				r.alphaOwns()
				r.wait(5 * time.Second)
				defer r.nodes[c.node].hangs("record")()
				if res := r.nodes[1].ask(control.Request{Command: "switchover", Node: "bravo"}); !res.OK {
					t.Fatal(res.Text)
				}
				r.within(3*time.Second, "bravo owns web", r.nodes[1].owns)
				if !r.nodes[c.node].tells("action", c.deed, "") {
					t.Error("why does not show the reason")
				}
				r.wait(time.Second)
				if !r.nodes[c.node].alarm("record-failed", "does not answer") {
					t.Error("no alarm")
				}
				if r.nodes[1].relay.cuts != 0 {
					t.Error("alpha was cut for its record")
				}
			})
		})
	}
}

// Nobody acts, and the record hangs: that is told before an action needs it, and the first action does not wait.
func TestARecordThatHangsIsToldBeforeItIsNeeded(t *testing.T) {
	for _, call := range []string{"record", "behind"} {
		t.Run(call, func(t *testing.T) {
			inBubble(t, func(r *rig) {
				r.alphaOwns()
				r.wait(5 * time.Second)
				bravo := r.nodes[1]
				goOn := bravo.hangs(call)
				defer goOn()
				bravo.ask(control.Request{Command: "failback"})
				r.within(10*time.Second, "the alarm tells it", func() bool { return bravo.alarm("record-failed", "does not answer") })
				began := r.clock()
				r.nodes[0].losePower()
				r.within(5*time.Second, "bravo owns web", bravo.owns)
				if took := r.clock() - began; took > 1700*time.Millisecond {
					t.Errorf("takeover took %v: what was known to hang was waited for", took)
				}
			})
		})
	}
}

// A record that takes its time gets every line, in order and once, and is waited for once.
func TestASlowRecordGetsEveryLineInOrder(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(5 * time.Second)
		bravo := r.nodes[1]
		bravo.set(func(n *rigNode) { n.faults["record"] = fault{takes: 3 * time.Second} })
		began := r.clock()
		r.nodes[0].losePower()
		r.within(5*time.Second, "bravo owns web", bravo.owns)
		if took := r.clock() - began; took > 1700*time.Millisecond+daemon.RecordWait*3/2 {
			t.Errorf("takeover took %v", took)
		}
		r.wait(5 * time.Minute)
		bravo.set(func(n *rigNode) { delete(n.faults, "record") })
		r.wait(10 * time.Second)
		bravo.numbered()
		var shown, written []string
		for _, e := range bravo.d.Events(0) {
			shown = append(shown, e.Code)
		}
		bravo.set(func(n *rigNode) {
			for _, e := range n.record {
				written = append(written, e.Code)
			}
		})
		if !slices.Equal(shown, written) {
			t.Errorf("shown %v\nwritten %v", shown, written)
		}
	})
}
