package client

import (
	"errors"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
)

const patience = 10 * time.Second

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// node answers as the named node until it is closed.
func node(t *testing.T, name string) (Target, func()) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 100)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			conn.WriteToUDPAddrPort(append([]byte("web "+name+" "), b[:n]...), from)
		}
	}()
	stop := func() {
		conn.Close()
		<-done
	}
	t.Cleanup(stop)
	return Target{name, conn.LocalAddr().String()}, stop
}

func start(t *testing.T, targets ...Target) *Probe {
	t.Helper()
	p, err := Start(2*time.Millisecond, targets...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func TestAnswersCarryTheirNodeAndTime(t *testing.T) {
	before := mono.Now()
	alpha, stop := node(t, "alpha")
	liar, _ := node(t, "alpha") // says alpha where bravo is asked
	p := start(t, alpha, Target{"bravo", liar.Addr})
	until(t, "some answers", func() bool { a, _ := p.Answers(before, mono.Now()); return len(a) > 5 })
	answers, err := p.Answers(before, mono.Now())
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		if a.Node != "alpha" || a.At < before || a.At > mono.Now() {
			t.Errorf("answer %d: %+v", i, a)
		}
	}
	if o := p.Overlaps(); len(o) != 0 {
		t.Errorf("overlaps of one node: %v", o)
	}
	stop()
	stopped := mono.Now()
	time.Sleep(50 * time.Millisecond)
	if late, err := p.Answers(stopped+5*time.Millisecond, mono.Now()); err != nil || len(late) != 0 {
		t.Errorf("answers after the end: %v, %v", late, err)
	}
	outage, err := p.LongestOutage(stopped, mono.Now())
	if err != nil || outage < 40*time.Millisecond {
		t.Errorf("outage %s, %v, want about 50ms", outage, err)
	}
}

func TestTwoWhoAnswerAtOnceOverlap(t *testing.T) {
	alpha, _ := node(t, "alpha")
	bravo, _ := node(t, "bravo")
	p := start(t, alpha, bravo)
	until(t, "an overlap", func() bool { return len(p.Overlaps()) > 0 })
}

func TestBookkeeping(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	p := &Probe{}
	for _, a := range []Answer{{ms(10), "alpha"}, {ms(12), "alpha"}, {ms(52), "bravo"}, {ms(54), "bravo"}, {ms(54) + 900*time.Microsecond, "alpha"}} {
		p.note(a)
	}
	for _, c := range []struct{ begin, end, want int }{
		{10, 55, 40},
		{0, 53, 40},
		{12, 200, 145},
		{60, 75, 15},
		{13, 52, 39},
	} {
		got, err := p.LongestOutage(ms(c.begin), ms(c.end))
		if err != nil || got.Round(time.Millisecond) != ms(c.want) {
			t.Errorf("outage %d to %d: %s, %v, want %d ms", c.begin, c.end, got, err, c.want)
		}
	}
	if o := p.Overlaps(); !slices.Equal(o, []time.Duration{ms(54) + 900*time.Microsecond}) {
		t.Errorf("overlaps %v", o)
	}
	if a, ok := p.Last(); !ok || a.Node != "alpha" || a.At <= ms(54) {
		t.Errorf("last %+v", a)
	}
	p.start = ms(30)
	if got, _ := p.LongestOutage(0, ms(52)); got != ms(22) {
		t.Errorf("outage before the start: %s", got)
	}
}

func TestOldAnswersAreForgottenAndThatIsSaid(t *testing.T) {
	p := &Probe{}
	for i := range memory + 10 {
		p.note(Answer{time.Duration(i), "alpha"})
	}
	if _, err := p.Answers(0, memory); !errors.Is(err, ErrForgotten) {
		t.Errorf("a period that is partly forgotten: %v", err)
	}
	answers, err := p.Answers(memory+5, memory+20)
	if err != nil || len(answers) != 5 || answers[0].At != memory+5 {
		t.Errorf("the last five: %v, %v", answers, err)
	}
	if a, ok := p.Last(); !ok || a.At != memory+9 {
		t.Errorf("last %+v", a)
	}
}

func TestRefusals(t *testing.T) {
	if _, err := Start(0, Target{"alpha", "127.0.0.1:1"}); err == nil {
		t.Error("no interval")
	}
	if _, err := Start(time.Millisecond); err == nil {
		t.Error("no target")
	}
	if _, err := Start(time.Millisecond, Target{"alpha", "here"}); err == nil {
		t.Error("no address")
	}
}
