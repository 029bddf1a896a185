package main

import (
	"context"
	"strings"
	"testing"

	"github.com/serialhb/serialhb/serialhb/control"
)

// A switchover is done when the group is active at its target, not when it was agreed to.
func TestSwitchoverWaits(t *testing.T) {
	p := newPair()
	p.note("wish-expired", "an old one, that must not count")
	p.answer = func(control.Request) control.Result {
		p.note("wishes", "bravo is asked to take web")
		return control.Result{OK: true, Text: "web is being moved to bravo", Node: "bravo"}
	}
	p.looked = func(n int) {
		g := &p.status.Groups[0]
		switch n {
		case 3:
			g.Phase = "stopping"
			p.note("releasing", "web is stopped to be released to bravo")
		case 4:
			g.Owner, g.OwnerPhase, g.Phase = "bravo", "starting", "idle"
		case 6:
			g.OwnerPhase = "active"
		}
	}
	socket, _ := p.up(t)
	h := &person{}
	expect(t, h, exitDone, "", "", "switchover", "--socket", socket)
	want := "web is being moved to bravo\nbravo is asked to take web\nweb is stopped to be released to bravo\nweb is active on bravo\n"
	if h.out.String() != want {
		t.Errorf("told\n%s\nwant\n%s", &h.out, want)
	}
	if p.looks() != 6 {
		t.Errorf("it looked %d times, want 6", p.looks())
	}
}

func TestSwitchoverToHere(t *testing.T) {
	p := newPair()
	p.status.Groups[0].Owner, p.status.Groups[0].Phase = "bravo", "idle"
	p.looked = func(n int) {
		g := &p.status.Groups[0]
		switch n {
		case 2:
			g.Owner, g.Phase = "alpha", "starting"
		case 4:
			g.Phase = "active"
		}
	}
	socket, _ := p.up(t)
	expect(t, &person{}, exitDone, "web is active on alpha", "", "switchover", "web", "--to", "alpha", "--socket", socket)
	if p.looks() != 4 {
		t.Errorf("it looked %d times, want 4", p.looks())
	}
}

func TestFailbackWithoutATargetWaitsForAnotherOwner(t *testing.T) {
	p := newPair()
	p.looked = func(n int) {
		if n == 3 {
			p.status.Groups[0].Owner, p.status.Groups[0].OwnerPhase, p.status.Groups[0].Phase = "bravo", "active", "idle"
		}
	}
	socket, _ := p.up(t)
	expect(t, &person{}, exitDone, "web is active on bravo", "", "failback", "--socket", socket)
}

func TestSwitchoverFails(t *testing.T) {
	for name, x := range map[string]struct {
		change func(p *pair)
		code   int
		err    string
	}{
		"not taken up": {func(p *pair) { p.note("wish-expired", "bravo did not take up the switchover of web") }, exitRefused, "bravo did not take up"},
		"failed here":  {func(p *pair) { p.status.Groups[0].Phase, p.status.Groups[0].Why = "failed", "web failed here" }, exitRefused, "web is failed on alpha: web failed here"},
		"failed there": {func(p *pair) { p.status.Groups[0].Peers = map[string]string{"bravo": "failed"} }, exitRefused, "web is failed on bravo; `serialhb why` there says why"},
		"back again":   {func(p *pair) { p.status.Groups[0].Term += 2 }, exitRefused, "web was moved and is on alpha again; `serialhb events` tells why"},
		"no end":       {func(*pair) {}, exitTimedOut, "web is not active on bravo after 500ms"},
		"nobody knows": {func(p *pair) {
			p.status.Taken = p.status.Taken.AddDate(-9999, 0, 0)
			p.status = control.Status{Headline: "the loop hangs"}
		}, exitTimedOut, "nobody can tell how it goes on: the loop hangs"},
	} {
		p := newPair()
		p.looked = func(n int) {
			if n == 3 {
				x.change(p)
			}
		}
		socket, _ := p.up(t)
		timeout := "30s"
		if name == "no end" {
			timeout = "500ms"
		}
		h := &person{}
		if code := h.run("switchover", "--to", "bravo", "--timeout", timeout, "--socket", socket); code != x.code || !strings.Contains(h.err.String(), x.err) {
			t.Errorf("%s: exit %d: %s", name, code, &h.err)
		}
	}
}

func TestDaemonThatEndsDuringASwitchover(t *testing.T) {
	p := newPair()
	socket, down := p.up(t)
	p.looked = func(n int) {
		if n == 3 {
			go down()
		}
	}
	expect(t, &person{}, exitNoDaemon, "", "it was begun, and nobody can tell", "switchover", "--socket", socket)
}

func TestInterruptedWait(t *testing.T) {
	p := newPair()
	socket, _ := p.up(t)
	ctx, interrupt := context.WithCancel(context.Background())
	p.looked = func(n int) {
		if n == 3 {
			interrupt()
		}
	}
	expect(t, &person{ctx: ctx}, exitRefused, "", "what was begun goes on", "switchover", "--socket", socket)
}

func TestGroupAndNodeNames(t *testing.T) {
	p := newPair()
	socket, _ := p.up(t)
	expect(t, &person{}, exitRefused, "", `there is no group "db"; name one of: web`, "switchover", "db", "--socket", socket)
	expect(t, &person{}, exitRefused, "", `there is no other node "charlie"; name one of: bravo`, "confirm-off", "charlie", "--yes", "--socket", socket)
	expect(t, &person{}, exitRefused, "", `there is no other node "alpha"`, "fence", "off", "alpha", "--yes", "--socket", socket)
	p.mu.Lock()
	p.status.Groups = append(p.status.Groups, control.Group{Name: "db"})
	p.mu.Unlock()
	expect(t, &person{}, exitUsage, "", "there are several groups; name one of: web, db", "switchover", "--socket", socket)
	if p.did() != "" {
		t.Errorf("sent %s", p.did())
	}
}

// Exit 0 of a cut says that the node is proven off, and nothing less.
func TestFenceWaitsForTheProof(t *testing.T) {
	for name, x := range map[string]struct {
		line   string
		change func(m *control.Member, n int)
		code   int
		text   string
	}{
		"off": {"fence off bravo", func(m *control.Member, n int) {
			if n == 5 {
				m.Fence, m.Proof = "proven", "fail-safe sense reads off"
			}
		}, exitDone, "bravo is off: fail-safe sense reads off"},
		"confirmed": {"confirm-off bravo", func(m *control.Member, n int) {
			if n == 5 {
				m.Fence, m.Proof = "proven", "a person confirmed that it is off"
			}
		}, exitDone, "bravo is off: a person"},
		"failed": {"fence off bravo", func(m *control.Member, n int) {
			if n == 5 {
				m.Fence = "failed"
			}
		}, exitRefused, "bravo is not proven off: the fence failed"},
		"called off": {"fence test bravo", func(m *control.Member, n int) {
			if n == 5 {
				m.Fence = "idle"
			}
		}, exitRefused, "bravo is not proven off: the fence was called off"},
		"test": {"fence test bravo", func(m *control.Member, n int) {
			switch n {
			case 3:
				m.Fence, m.Proof, m.CutOpen = "proven", "fail-safe sense reads off", true
			case 5:
				m.Fence, m.CutOpen = "idle", false
			}
		}, exitDone, "bravo is off: fail-safe"},
		"no power back": {"fence test bravo --timeout 3s", func(m *control.Member, n int) {
			if n == 3 {
				m.Fence, m.CutOpen = "proven", true
			}
		}, exitTimedOut, "bravo has not got its power back after 3s"},
		"no proof": {"fence off bravo --timeout 300ms", func(*control.Member, int) {}, exitTimedOut, "bravo is not proven off after 300ms"},
	} {
		p := newPair()
		m := &p.status.Members[1]
		p.answer = func(control.Request) control.Result {
			m.Fence = "running"
			return control.Result{OK: true, Text: "begun"}
		}
		p.looked = func(n int) { x.change(m, n) }
		socket, _ := p.up(t)
		h := &person{}
		if code := h.run(words(x.line, "--yes", "--socket", socket)...); code != x.code || !strings.Contains(h.out.String()+h.err.String(), x.text) {
			t.Errorf("%s: exit %d\nout: %s\nerr: %s", name, code, &h.out, &h.err)
		}
		if wants := map[string]int{"test": 5, "off": 5}[name]; wants > 0 && p.looks() != wants {
			t.Errorf("%s: it looked %d times, want %d", name, p.looks(), wants)
		}
	}
}

func TestLeaveWaitsForTheEnd(t *testing.T) {
	p := newPair()
	socket, down := p.up(t)
	p.looked = func(n int) {
		if n == 3 {
			go down()
		}
	}
	expect(t, &person{}, exitDone, "the daemon has ended", "", "leave", "--wait", "--socket", socket)
	p = newPair()
	socket, _ = p.up(t)
	expect(t, &person{}, exitTimedOut, "", "the daemon has not ended after 300ms", "leave", "--wait", "--timeout", "300ms", "--socket", socket)
}

// Whoever is asked sees the evidence and types the name; anything else does nothing.
func TestQuestions(t *testing.T) {
	for _, line := range []string{"confirm-off bravo --no-wait", "withdraw bravo", "fence off bravo --no-wait", "fence test bravo --no-wait"} {
		p := newPair()
		socket, _ := p.up(t)
		args := words(line, "--socket", socket)
		expect(t, &person{types: "bravo\n"}, exitRefused, "", "add --yes if you are sure", args...)
		for _, typed := range []string{"", "\n", "y\n", "yes\n", "alpha\n", "bravo x\n"} {
			expect(t, &person{answers: true, types: typed}, exitRefused, "", "nothing was done", args...)
		}
		if p.did() != "" {
			t.Fatalf("%s: sent %s", line, p.did())
		}
		h := &person{answers: true, types: "bravo\n"}
		expect(t, h, exitDone, "done", "", args...)
		if p.did() == "" {
			t.Errorf("%s: nothing was sent", line)
		}
		for _, part := range []string{"bravo: heard 12 ms ago", "cable: hears bravo (12 ms ago), bravo hears us", "web: owned by alpha", "Type bravo to go on: "} {
			if !strings.Contains(h.err.String(), part) {
				t.Errorf("%s: no %q in\n%s", line, part, &h.err)
			}
		}
	}
}

func TestBrokenSensesAreNamed(t *testing.T) {
	p := newPair()
	socket, _ := p.up(t)
	expect(t, &person{}, exitDone, "done", "", "withdraw", "bravo", "--yes", "--broken-sense", "dc", "--broken-sense", "a,b", "--socket", socket)
	if got := strings.Join(p.asked[0].Broken, "|"); got != "dc|a,b" {
		t.Errorf("sent %q", got)
	}
}
