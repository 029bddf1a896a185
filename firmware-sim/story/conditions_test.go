package story

import (
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
)

// truths put the fake into a state in which a condition is true or not.
var truths = []struct {
	condition string
	when      func(*fake) // after the mark
	want      bool
}{
	{"owner alpha", nil, true},
	{"owner bravo", nil, false},
	{"owner alpha", func(f *fake) { f.board("run", Service, "begin bravo") }, false},
	{"owner alpha", func(f *fake) { f.answer("bravo") }, false},
	{"owned", nil, true},
	{"owned", func(f *fake) {
		f.board("run", Service, "end alpha")
		f.board("run", Service, "begin bravo")
		f.answer("bravo")
	}, true},
	{"owned", func(f *fake) { f.board("run", Service, "end alpha") }, false},
	{"owned", func(f *fake) { f.board("run", Service, "begin bravo") }, false},
	{"owned", func(f *fake) { f.answer("bravo") }, false},
	{"no-owner", nil, false},
	{"no-owner", func(f *fake) { f.board("run", Service, "end alpha") }, true},
	{"unanswered", nil, false},
	{"unanswered", func(f *fake) { f.answers = nil }, true},
	{"address alpha", nil, false},
	{"address alpha", func(f *fake) { f.net("", "alpha", "alpha") }, true},
	{"address alpha", func(f *fake) { f.net("", "bravo", "bravo") }, false},
	{"address alpha", func(f *fake) { f.net("", "alpha") }, false},
	{"address alpha", func(f *fake) { f.net("", "alpha", "alpha", "bravo") }, false},
	{"no-address", nil, false},
	{"no-address", func(f *fake) { f.net("") }, true},
	{"no-address", func(f *fake) { f.net("", "bravo") }, false},
	{"believed alpha", nil, false},
	{"believed alpha", func(f *fake) { f.net("alpha") }, true},
	{"believed alpha", func(f *fake) { f.net("bravo", "alpha") }, false},
	{"believed stranger", func(f *fake) { f.net("stranger") }, true},
	{"announced alpha", nil, false},
	{"announced alpha", func(f *fake) { f.net("alpha", "alpha") }, false},
	{"announced alpha", func(f *fake) { f.net(""); f.announced("alpha", f.now) }, true},
	{"announced alpha", func(f *fake) { f.net(""); f.announced("alpha", f.now-time.Hour) }, false},
	{"announced alpha", func(f *fake) { f.net(""); f.announced("bravo", f.now) }, false},
	{"fenced alpha", nil, false},
	{"fenced alpha", func(f *fake) { f.board("contact", "RELAY_ALPHA", "open") }, false},
	{"fenced alpha", func(f *fake) { f.board("contact", "RELAY_ALPHA", "open"); f.board("power", "alpha", "off") }, true},
	{"fenced alpha", func(f *fake) { f.board("power", "alpha", "off"); f.board("contact", "RELAY2_ALPHA", "open") }, true},
	{"fenced alpha", func(f *fake) { f.board("power", "alpha", "off"); f.board("contact", "RELAY_BRAVO", "open") }, false},
	{"fenced bravo", func(f *fake) { f.board("power", "alpha", "off"); f.board("contact", "RELAY_ALPHA", "open") }, false},
	{"fences 1", func(f *fake) { f.board("contact", "RELAY_ALPHA", "open"); f.board("power", "alpha", "off") }, true},
	{"fences 0", func(f *fake) { f.board("contact", "RELAY_ALPHA", "open"); f.board("power", "alpha", "off") }, false},
	{"fences 1", func(f *fake) {
		for range 2 {
			f.board("contact", "RELAY_ALPHA", "open")
			f.board("power", "alpha", "off")
			f.board("contact", "RELAY_ALPHA", "closed")
			f.board("power", "alpha", "on")
		}
	}, false},
	{"not-fenced alpha", nil, true},
	{"not-fenced alpha", func(f *fake) { f.board("coil", "RELAY_ALPHA", "on") }, false},
	{"not-fenced alpha", func(f *fake) { f.board("coil", "RELAY_BRAVO", "on") }, true},
	{"powered alpha", nil, true},
	{"powered alpha", func(f *fake) { f.board("power", "alpha", "holdup") }, false},
	{"dark alpha", nil, false},
	{"dark alpha", func(f *fake) { f.board("power", "alpha", "dying") }, false},
	{"dark alpha", func(f *fake) { f.board("power", "alpha", "off") }, true},
	{"reachable bravo", nil, true},
	{"reachable bravo", func(f *fake) { f.nodes["bravo"] = NodeView{Err: control.ErrTimeout} }, false},
	{"unreachable bravo", nil, false},
	{"unreachable bravo", func(f *fake) { f.nodes["bravo"] = NodeView{Status: control.Status{Node: "bravo"}} }, true},
	{"standby bravo", nil, true},
	{"standby alpha", nil, false},
	{"standby bravo", func(f *fake) { f.status("bravo", "ineligible", "no") }, false},
	{"standby bravo", func(f *fake) { f.status("bravo", "idle", "unknown") }, false},
	{"silent alpha", nil, false},
	{"silent alpha", func(f *fake) { f.status("bravo", "idle", "no", presence("alpha", "silent")) }, true},
	{"silent alpha", func(f *fake) { f.status("alpha", "idle", "no", presence("bravo", "silent")) }, false},
	{"heard alpha", func(f *fake) { f.status("bravo", "idle", "no", presence("alpha", "heard")) }, true},
	{"heard alpha", nil, false},
	{"link-down bravo cable", func(f *fake) { f.status("bravo", "idle", "no", link("cable", false, "ok", "ok")) }, true},
	{"link-down bravo cable", func(f *fake) { f.status("bravo", "idle", "no", link("cable", true, "down", "ok")) }, true},
	{"link-down bravo cable", func(f *fake) { f.status("bravo", "idle", "no", link("lan", true, "down", "ok")) }, false},
	{"link-down bravo cable", nil, false},
	{"link-ok bravo cable", func(f *fake) { f.status("bravo", "idle", "no", link("cable", true, "ok", "ok")) }, true},
	{"link-ok bravo cable", func(f *fake) { f.status("bravo", "idle", "no", link("cable", true, "ok", "unknown")) }, false},
	{"noisy bravo cable", func(f *fake) {
		f.status("bravo", "idle", "no", func(s *control.Status) { s.Links = []control.Link{{Name: "cable", Noisy: true, NoisePerS: 50}} })
	}, true},
	{"noisy bravo cable", func(f *fake) { f.status("bravo", "idle", "no", link("cable", true, "ok", "ok")) }, false},
	{"alarms bravo 1", func(f *fake) { f.alarms("bravo", "cable is down", "over: cable is down"); f.alarms("alpha", "a", "b") }, true},
	{"alarms bravo 1", func(f *fake) { f.alarms("bravo", "cable is down", "over: cable is down", "cable is down") }, false},
	{"linked", nil, false},
	{"linked", func(f *fake) {
		f.status("alpha", "active", "yes", peerOK())
		f.status("bravo", "idle", "no", peerOK())
	}, true},
	{"linked", func(f *fake) {
		f.status("alpha", "active", "yes", peerOK())
		f.status("bravo", "idle", "no", link("cable", true, "ok", "ok"))
	}, false},
	{"blocked bravo", nil, false},
	{"blocked bravo", func(f *fake) { f.status("bravo", "blocked", "no") }, true},
	{"asks bravo", nil, false},
	{"asks bravo", func(f *fake) { f.status("bravo", "awaiting-approval", "no") }, true},
	{"asks bravo", func(f *fake) {
		f.status("bravo", "idle", "no", func(s *control.Status) { s.Incident = &control.Incident{ID: 3, Asks: true} })
	}, true},
	{"locked-out bravo", nil, false},
	{"locked-out bravo", func(f *fake) { f.status("bravo", "idle", "no", func(s *control.Status) { s.LockedOut = true }) }, true},
	{"armed bravo", nil, true},
	{"armed bravo", func(f *fake) { f.status("bravo", "idle", "no", func(s *control.Status) { s.Armed = false }) }, false},
	{"can-fence bravo", nil, false},
	{"can-fence bravo", func(f *fake) { f.status("bravo", "idle", "no", fences("alpha", true, "")) }, true},
	{"can-fence bravo", func(f *fake) { f.status("alpha", "idle", "no", fences("bravo", true, "")) }, false},
	{"cannot-fence bravo", func(f *fake) { f.status("bravo", "idle", "no", fences("alpha", true, "")) }, false},
	{"cannot-fence bravo", func(f *fake) { f.status("bravo", "idle", "no", fences("alpha", false, "")) }, true},
	{"cannot-fence bravo welded", func(f *fake) { f.status("bravo", "idle", "no", fences("alpha", false, "it is welded")) }, true},
	{"cannot-fence bravo welded", func(f *fake) { f.status("bravo", "idle", "no", fences("alpha", false, "no answer")) }, false},
	{"cannot-fence bravo", func(f *fake) { f.nodes["bravo"] = NodeView{Err: control.ErrTimeout} }, false},
	{"alarm bravo", nil, false},
	{"alarm bravo", func(f *fake) { f.status("bravo", "idle", "no", alarm("link-down", "the Cable is down")) }, true},
	{"alarm bravo cable is", func(f *fake) { f.status("bravo", "idle", "no", alarm("link-down", "the Cable is down")) }, true},
	{"alarm bravo link-down", func(f *fake) { f.status("bravo", "idle", "no", alarm("link-down", "the Cable is down")) }, true},
	{"alarm bravo question", func(f *fake) { f.status("bravo", "idle", "no", alarm("question web", "a person must decide")) }, true},
	{"alarm bravo network", func(f *fake) { f.status("bravo", "idle", "no", alarm("link-down", "the Cable is down")) }, false},
	{"no-alarm bravo network", func(f *fake) { f.status("bravo", "idle", "no", alarm("link-down", "the Cable is down")) }, true},
	{"no-alarm bravo", func(f *fake) { f.status("bravo", "idle", "no", alarm("link-down", "the Cable is down")) }, false},
	{"no-alarm bravo", func(f *fake) { f.nodes["bravo"] = NodeView{Err: control.ErrTimeout} }, false},
	{"why bravo never-seen", func(f *fake) {
		f.status("bravo", "ineligible", "no", func(s *control.Status) { s.Groups[0].Code = "never-seen" })
	}, true},
	{"why bravo never-seen", nil, false},
	{"why bravo held by 02:00", func(f *fake) {
		f.status("bravo", "failed", "no", func(s *control.Status) { s.Groups[0].Cause = "it is held by 02:00:00:00:00:c8" })
	}, true},
	{"proof alpha plain sense", func(f *fake) {
		f.status("bravo", "active", "yes", func(s *control.Status) {
			s.Members = []control.Member{{Name: "alpha", Proof: "plain sense fell after the coil"}}
		})
	}, true},
	{"proof alpha fail-safe", func(f *fake) { f.record("bravo", "proven-off", "alpha", "off", "fail-safe sense reads off") }, true},
	{"proof alpha mirror", func(f *fake) { f.record("bravo", "proven-off", "alpha", "off", "fail-safe sense reads off") }, false},
	{"proof bravo fail-safe", func(f *fake) { f.record("bravo", "proven-off", "alpha", "off", "fail-safe sense reads off") }, false},
	{"told bravo went-silent", func(f *fake) { f.record("bravo", "went-silent", "alpha", "") }, true},
	{"told alpha went-silent", func(f *fake) { f.record("bravo", "went-silent", "alpha", "") }, false},
}

func presence(of, is string) func(*control.Status) {
	return func(s *control.Status) { s.Members = []control.Member{{Name: of, Presence: is}} }
}

func fences(of string, can bool, why string) func(*control.Status) {
	return func(s *control.Status) { s.Members = []control.Member{{Name: of, CanFence: can, WhyNot: why}} }
}

func link(name string, up bool, receives, sends string) func(*control.Status) {
	return func(s *control.Status) {
		s.Links = []control.Link{{Name: name, Up: up, Receives: receives, Sends: sends}}
	}
}

func alarm(code, text string) func(*control.Status) {
	return func(s *control.Status) { s.Alarms = []control.Alarm{{Code: code, Text: text}} }
}

func TestConditions(t *testing.T) {
	tried := map[string]map[bool]bool{}
	for _, c := range truths {
		f := up()
		f.does = func(f *fake, _ Order) (string, error) {
			if c.when != nil {
				c.when(f)
			}
			return "", nil
		}
		all, err := tell(t, f, "start\nthaw alpha\nexpect "+c.condition+" within 10ms\n")
		if (err == nil) != c.want {
			t.Errorf("expect %s: %v, %s", c.condition, err, dump(all))
		}
		name, _, _ := strings.Cut(c.condition, " ")
		if tried[name] == nil {
			tried[name] = map[bool]bool{}
		}
		tried[name][c.want] = true
	}
	for _, c := range conditions {
		if len(tried[c.name]) != 2 {
			t.Errorf("condition %s is not tried both ways", c.name)
		}
	}
}
