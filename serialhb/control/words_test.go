package control

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew; look at the difference before you keep it")

// wellStatus is a pair in good order, as alpha sees it.
func wellStatus() Status {
	return Status{
		Cluster: "plant-7", Node: "alpha", Version: "1.2.3", Taken: noon(0), Armed: true, MaxMoves: 3, MaxFences: 3,
		Session: "1a2b3c4d", Boot: "00112233", UptimeMS: 11_520_000, LatenessMS: 3.14,
		Members: []Member{
			{Name: "alpha", Me: true, Presence: "me", Armed: true, DigestsOK: true, LastLife: -1},
			{Name: "bravo", Presence: "heard", Seen: true, Armed: true, Fence: "idle", CanFence: true, DetectMS: 1500, LastLife: 12, DigestsOK: true,
				Senses: []Sense{{Name: "SENSE_BRAVO", Reading: "on", FailSafe: true}}},
		},
		Links: []Link{
			{Name: "cable", Kind: "serial", Peer: "bravo", Device: "/dev/serialhb0", Up: true, Receives: "ok", Sends: "ok", AgeMS: 12},
			{Name: "lan", Kind: "udp", Peer: "bravo", Device: "192.0.2.1:6940", Up: true, Receives: "ok", Sends: "ok", AgeMS: 34},
		},
		Groups: []Group{{Name: "web", Owner: "alpha", OwnerPhase: "active", Phase: "active", Holds: "yes", Term: 12, Prefer: []string{"alpha", "bravo"}, Failback: "manual", Resources: []string{"web"}}},
		Alarms: []Alarm{},
	}
}

// takeover is the same pair, as bravo sees it in the middle of an incident that it cannot end.
func takeover() Status {
	s := wellStatus()
	s.Node, s.Armed = "bravo", false
	s.Members[0] = Member{Name: "alpha", Presence: "silent", Seen: true, Armed: true, Fence: "failed", CutOpen: true, WhyNot: "the fence of alpha failed; make sure that it is off, then run `serialhb confirm-off alpha`", LastLife: 63_200,
		DigestsOK: true, Senses: []Sense{{Name: "dc", Reading: "on"}, {Name: "feed", Reading: "unknown", Broken: true}}}
	s.Members[1] = Member{Name: "bravo", Me: true, Presence: "me", DigestsOK: true, LastLife: -1}
	s.Links = []Link{
		{Name: "cable", Peer: "alpha", Device: "/dev/serialhb0", Reason: "unplugged", Receives: "down", Sends: "unknown", AgeMS: 63_200},
		{Name: "lan", Peer: "alpha", Up: true, Receives: "never", Sends: "never", AgeMS: -1, Noisy: true, NoisePerS: 51.7, Lost: 0.183},
	}
	s.Groups[0].Owner, s.Groups[0].OwnerPhase, s.Groups[0].Phase, s.Groups[0].Holds = "", "", "blocked", "no"
	s.Groups[0].Why = "the fence of alpha failed; make sure that it is off, then run `serialhb confirm-off alpha`"
	s.Incident = &Incident{ID: 7, Open: true, Asks: true, SinceWall: "2026-11-22 11:58:57", Question: []string{"the links were lost one after the other, which looks like cabling"}}
	s.Alarms = []Alarm{{Code: "welded", Text: "relay RELAY_ALPHA: the sense still reads on: the relay's contact is welded or another supply feeds the target", Since: noon(0)}}
	return s
}

func TestGolden(t *testing.T) {
	events := []Event{
		{Seq: 41, Wall: noon(100), MonoNS: 5_000_000_000, Boot: "b1", Kind: "note", Code: "incident-open", Text: "incident 7 is open", Incident: 7},
		{Seq: 42, Wall: noon(103), MonoNS: 5_003_000_000, Boot: "b1", Kind: "note", Code: "went-silent", Text: "alpha is silent on every link", Incident: 7, Peer: "alpha",
			Evidence: []string{"cable: last life 1503 ms ago, detection time 1500 ms", "lan: last life 1511 ms ago, detection time 1500 ms"}},
		{Seq: 43, Wall: noon(130), MonoNS: 5_030_000_000, Boot: "b1", Kind: "alarm", Code: "blocked", Text: "web stays down: no node could be proven off", Incident: 7, Group: "web"},
		{Seq: 44, Wall: noon(0).Add(time.Hour), MonoNS: 60_000_000, Boot: "b2", Kind: "command", Code: "confirm-off", Text: "user joe (uid 1000): confirm-off alpha", Incident: 7, Who: "user joe (uid 1000)"},
	}
	// The clock is set forward by ten years and a day, back by ten years, and forward by five hours; a host that boots
	// has another clock, and is told of otherwise.
	set := slices.Clone(events)
	set[0].Wall = set[0].Wall.AddDate(-10, 0, 0)
	set[1].Wall = set[1].Wall.AddDate(0, 0, 1)
	set[2].Wall = set[2].Wall.AddDate(-10, 0, 0)
	set = slices.Insert(set, 3, set[2], set[2])
	set[3].Wall = set[3].Wall.Add(5*time.Hour - 20*time.Millisecond)
	set[4].Wall, set[4].MonoNS = set[3].Wall.Add(time.Hour+1400*time.Millisecond), set[3].MonoNS+time.Hour.Nanoseconds() // a busy machine
	left := wellStatus()
	left.Members[1].Presence, left.Members[1].LastLife, left.Members[1].Proof, left.Members[1].CutOpen = "silent", 2*86400_000, "fail-safe sense reads off", true
	left.Links[0].Receives, left.Links[1].Receives, left.Links[0].Sends, left.Links[1].Sends = "down", "down", "unknown", "unknown"
	oneWay := wellStatus()
	oneWay.Links[0].Sends = "down"
	oneWay.Links[1].Receives = "late"
	for name, tell := range map[string]func(*bytes.Buffer) error{
		"status-well":     func(b *bytes.Buffer) error { return WriteStatus(b, wellStatus()) },
		"status-takeover": func(b *bytes.Buffer) error { return WriteStatus(b, takeover()) },
		"status-alone":    func(b *bytes.Buffer) error { return WriteStatus(b, left) },
		"status-one-way":  func(b *bytes.Buffer) error { return WriteStatus(b, oneWay) },
		"events":          func(b *bytes.Buffer) error { return NewTeller(b).Tell(events...) },
		"events-set":      func(b *bytes.Buffer) error { return NewTeller(b).Tell(set...) },
		"why-set":         func(b *bytes.Buffer) error { return WriteWhy(b, Why{Incident: 7, Events: set}) },
		"why-nothing": func(b *bytes.Buffer) error {
			return WriteWhy(b, Why{Since: noon(0), Now: []string{"web is with alpha"}})
		},
		"why": func(b *bytes.Buffer) error {
			return WriteWhy(b, Why{Incident: 7, Open: true, Now: []string{"web is down: the fence of alpha failed; make sure that it is off, then run `serialhb confirm-off alpha`"}, Events: events})
		},
	} {
		var b bytes.Buffer
		if err := tell(&b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		file := filepath.Join("testdata", name+".txt")
		if *update {
			if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if b.String() != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, &b, want)
		}
		for line := range strings.Lines(b.String()) {
			if len(line) > columns+1 {
				t.Errorf("%s: a line has %d columns: %s", name, len(line)-1, line)
			}
			for _, c := range []byte(line) {
				if c != '\n' && (c < ' ' || c > '~') {
					t.Errorf("%s: not plain ASCII: %q", name, line)
				}
			}
		}
	}
}

// Each row is worse than all below it: together with them it still comes first.
func TestHeadlineOrder(t *testing.T) {
	rows := []struct {
		want string
		make func(*Status)
	}{
		{"A PERSON MUST DECIDE: `serialhb approve 7` or `serialhb deny 7`", func(s *Status) { s.Incident = &Incident{ID: 7, Open: true, Asks: true} }},
		{"TWO OWNERS of web: run `serialhb standby on` on one of them", func(s *Status) { s.Groups[0].Frozen = true }},
		{"FENCE FAILED: see that bravo is off, then `serialhb confirm-off bravo`", func(s *Status) { s.Members[1].Fence = "failed" }},
		{"BLOCKED: web stays down; `serialhb why` says why", func(s *Status) { s.Groups[0].Phase = "blocked" }},
		{"STOP FAILED: this node asks to be cut off; stop it by hand, `serialhb clear`", func(s *Status) { s.FenceMe = true }},
		{"LOCKED OUT after 3 of 3 moves, 2 of 3 fences; look, then `serialhb clear`", func(s *Status) { s.LockedOut, s.Moves, s.Fences = true, 3, 2 }},
		{"DISARMED: this node drives no relay; `serialhb arm` arms it", func(s *Status) { s.Armed = false }},
		{"MAINTENANCE: nothing happens by itself; `serialhb maintenance off` ends it", func(s *Status) { s.Maintenance = true }},
		{"STANDBY MODE: this node takes nothing; `serialhb standby off` ends it", func(s *Status) { s.Standby = true }},
		{"SILENT: bravo is heard on no link; look whether it runs", func(s *Status) { s.Members[1].Presence = "silent" }},
		{"DOWN: no node that is heard has web; `serialhb why` says why", func(s *Status) { s.Groups[0].Owner = "" }},
		{"LINK DOWN: lan: device eth0 is down (gone), does not hear bravo (last 34 ms ago), bravo hears us", func(s *Status) {
			s.Links[1].Up, s.Links[1].Device, s.Links[1].Reason, s.Links[1].Receives = false, "eth0", "gone", "down"
		}},
		{"NOISY: cable loses 14% of pulses; look at its shield, ground and length", func(s *Status) { s.Links[0].Noisy, s.Links[0].Lost = true, 0.143 }},
		{"ALARM: the disk is full", func(s *Status) { s.Alarms = []Alarm{{Text: "the disk is full"}} }},
		{"all well: alpha owns web, bravo stands by", func(*Status) {}},
	}
	worse := wellStatus()
	for i := len(rows) - 1; i >= 0; i-- {
		alone := wellStatus()
		rows[i].make(&alone)
		rows[i].make(&worse)
		for what, s := range map[string]Status{"alone": alone, "with all below": worse} {
			if got := Headline(s); got != rows[i].want {
				t.Errorf("row %d %s: %s\nwant %s", i, what, got, rows[i].want)
			}
			if well := i == len(rows)-1; IsWell(s) != well {
				t.Errorf("row %d %s: well is %t", i, what, !well)
			}
		}
	}
}

func TestHeadlines(t *testing.T) {
	for want, make := range map[string]func(*Status){
		"DENIED: incident 7 stays as it is; `serialhb approve 7` changes that":      func(s *Status) { s.Incident = &Incident{ID: 7, Open: true, Asks: true, Denied: true} },
		"INCIDENT 7 is open; `serialhb why` tells it":                               func(s *Status) { s.Incident = &Incident{ID: 7, Open: true} },
		"FENCING: the power of bravo is being cut":                                  func(s *Status) { s.Members[1].Fence = "running" },
		"FAILED: mend web on this node, then `serialhb clear`":                      func(s *Status) { s.Groups[0].Phase = "failed" },
		"FAILED on bravo: mend web there, then `serialhb clear` there":              func(s *Status) { s.Groups[0].Peers = map[string]string{"bravo": "failed"} },
		"BLOCKED on bravo: web stays down there; `serialhb why` there says why":     func(s *Status) { s.Groups[0].Peers = map[string]string{"bravo": "blocked"} },
		"CANNOT TAKE OVER: bravo is not fit for web; `serialhb why` there says why": func(s *Status) { s.Groups[0].Peers = map[string]string{"bravo": "ineligible"} },
		"LEAVING: this node hands over and stops":                                   func(s *Status) { s.Leaving = true },
		"DISARMED: bravo drives no relay; run `serialhb arm` there":                 func(s *Status) { s.Members[1].Armed = false },
		"STANDBY MODE: bravo takes nothing; `serialhb standby off` there ends it":   func(s *Status) { s.Members[1].Mode = "standby" },
		"MAINTENANCE: bravo; `serialhb maintenance off` there ends it":              func(s *Status) { s.Members[1].Mode = "maintenance" },
		"CONFIGURATIONS DIFFER: make those of alpha and bravo agree; reload both":   func(s *Status) { s.Members[1].DigestsOK = false },
		"SILENT: bravo is heard on no link and proven off":                          func(s *Status) { s.Members[1].Presence, s.Members[1].Proof = "silent", "a person" },
		"AWAY: bravo has left in order; start its daemon when it is wanted":         func(s *Status) { s.Members[1].Presence = "left" },
		"AWAY: bravo is withdrawn for repair until it is heard again":               func(s *Status) { s.Members[1].Presence = "withdrawn" },
		"WAITING: bravo is not judged yet; the daemon has just started":             func(s *Status) { s.Members[1].Presence = "not judged yet" },
		"IN MOTION: web is stopping here":                                           func(s *Status) { s.Groups[0].Phase = "stopping" },
		"CANNOT FENCE bravo: no device":                                             func(s *Status) { s.Members[1].CanFence, s.Members[1].WhyNot = false, "no device" },
		"LINK DOWN: cable: hears bravo (12 ms ago), bravo does not hear us":         func(s *Status) { s.Links[0].Sends = "down" },
		"LINK DOWN: cable: has never heard bravo, not known whether bravo hears us": func(s *Status) { s.Links[0].Receives, s.Links[0].Sends = "never", "unknown" },
		"all well: alpha owns web, bravo and charlie stand by":                      func(s *Status) { m := s.Members[1]; m.Name = "charlie"; s.Members = append(s.Members, m) },
		"all well: alpha owns web, bravo stands by": func(s *Status) {
			s.Links[0].Noisy, s.Links[0].Lost = true, 0.02 // no trouble yet
			s.Links[1].Lost = 0.4                          // it was cut for a moment
		},
		"all well: alpha owns web, bravo owns db": func(s *Status) {
			g := s.Groups[0]
			g.Name, g.Owner, g.Phase = "db", "bravo", "idle"
			s.Groups = append(s.Groups, g)
		},
	} {
		s := wellStatus()
		make(&s)
		if got := Headline(s); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if len(want) > columns {
			t.Errorf("%d columns: %s", len(want), want)
		}
	}
}

// A link to a node that is heard on no link says nothing new.
func TestLinksOfASilentNodeAreNotListed(t *testing.T) {
	s := wellStatus()
	s.Members[1].Presence = "silent"
	s.Links[0].Receives, s.Links[1].Receives = "down", "down"
	if all := conditions(s); len(all) != 1 {
		t.Errorf("conditions: %q", all)
	}
}

func TestNothingDrivesTheTerminal(t *testing.T) {
	s := wellStatus()
	s.Alarms = []Alarm{{Text: "hook said \x1b[2J\x07\u009b31m\nall well: fine"}}
	var b bytes.Buffer
	if err := WriteStatus(&b, s); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\x1b\x07\u009b") || strings.Contains(b.String(), "\nall well") {
		t.Errorf("%q", b.String())
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ms", 999 * time.Millisecond: "999 ms", 1500 * time.Millisecond: "1.5 s", 59_999 * time.Millisecond: "59.9 s", 90 * time.Second: "1 min",
		3*time.Hour + 12*time.Minute: "3 h 12 min", 49 * time.Hour: "2 d 1 h",
	} {
		if got := span(d); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
}
