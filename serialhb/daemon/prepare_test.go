package daemon_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/daemon"
)

// rigAddress is a service that takes down what it is told besides.
type rigAddress struct {
	*rigNode
	probing   context.Context // of the last BeginProbe
	keepFails error
}

func (a *rigAddress) Start(ctx context.Context) error {
	a.note("start")
	return a.rigNode.Start(ctx)
}

func (a *rigAddress) Stop(ctx context.Context) error {
	a.note("stop")
	return a.rigNode.Stop(ctx)
}

func (a *rigAddress) BeginProbe(ctx context.Context) error {
	a.note("ask")
	if err := a.meet(ctx, "ask-around"); err != nil {
		return err
	}
	a.set(func(*rigNode) { a.probing = ctx })
	return nil
}
func (a *rigAddress) Proven()   { a.note("proven"); a.meet(context.Background(), "proven") }
func (a *rigAddress) Announce() { a.note("announce"); a.meet(context.Background(), "announce") }
func (a *rigAddress) Close()    { a.note("close"); a.meet(context.Background(), "close") }
func (a *rigAddress) Keep(ctx context.Context) error {
	a.note("keep")
	if err := a.meet(ctx, "adopt"); err != nil {
		return err
	}
	return a.keepFails
}

func (a *rigAddress) asks() bool {
	a.rig.mu.Lock()
	defer a.rig.mu.Unlock()
	return a.probing != nil && a.probing.Err() == nil
}

// withAddresses gives both nodes such a service.
func (r *rig) withAddresses() (all [2]*rigAddress) {
	for i, n := range r.nodes {
		all[i] = &rigAddress{rigNode: n}
		n.tune = func(o *daemon.Options) { o.Services = []daemon.Services{all[i]} }
	}
	return all
}

func (n *rigNode) forget() { n.set(func(n *rigNode) { n.diary = nil }) }

func TestWhatIsDoneForServicesBesideTheDecision(t *testing.T) {
	inBubble(t, func(r *rig) {
		a := r.withAddresses()
		for _, n := range r.nodes {
			n.holdUp = 500 * time.Millisecond
		}
		r.alphaOwns()
		r.wait(5 * time.Second)
		if got := r.nodes[1].wrote(); len(got) != 0 {
			t.Errorf("the standby did %v", got)
		}
		r.nodes[1].forget()
		r.nodes[0].losePower()
		r.within(5*time.Second, "bravo owns web", r.nodes[1].owns)
		if got, want := r.nodes[1].wrote(), []string{"coil", "ask", "proof", "proven", "start"}; !slices.Equal(got, want) {
			t.Errorf("bravo did %v, want %v", got, want)
		}
		r.wait(time.Second)
		if a[1].asks() {
			t.Error("it goes on asking after the start")
		}
		r.nodes[1].forget()
		r.nodes[1].end()
		<-r.nodes[1].ended
		if got := r.nodes[1].wrote(); !slices.Equal(got, []string{"close"}) {
			t.Errorf("at the end bravo did %v", got)
		}
		r.nodes[1].forget()
		r.start(1)
		r.wait(10 * time.Second)
		if got, want := r.nodes[1].wrote(), []string{"keep"}; !slices.Equal(got, want) {
			t.Errorf("bravo did %v, want %v", got, want)
		}
	})
}

func TestPeerThatIsBackHearsWhereTheServiceIs(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.withAddresses()
		r.alphaOwns()
		r.wait(5 * time.Second)
		for _, n := range r.nodes {
			n.forget()
		}
		for _, m := range r.cables { // alpha alone misses its peer, and gains nothing by cutting it
			m.Cut(1, 0)
		}
		r.wait(10 * time.Second)
		if got := r.nodes[0].wrote(); len(got) != 0 {
			t.Errorf("with the standby silent alpha did %v", got)
		}
		for _, m := range r.cables {
			m.Heal(1, 0)
		}
		r.wait(5 * time.Second)
		if got, want := r.nodes[0].wrote(), []string{"announce"}; !slices.Equal(got, want) {
			t.Errorf("alpha did %v, want %v", got, want)
		}
		if got := r.nodes[1].wrote(); len(got) != 0 {
			t.Errorf("bravo, which has nothing, did %v", got)
		}
	})
}

func TestAskingEndsWithAFailedFence(t *testing.T) {
	inBubble(t, func(r *rig) {
		a := r.withAddresses()
		r.nodes[0].holdUp = 200 * time.Millisecond
		r.alphaOwns()
		r.wait(5 * time.Second)
		r.nodes[0].set(func(n *rigNode) { n.welded = true })
		r.nodes[1].forget()
		r.cutAll()
		r.within(10*time.Second, "bravo asks", a[1].asks)
		r.within(10*time.Second, "it ends", func() bool { return !a[1].asks() })
		r.within(time.Minute, "bravo asks again with the retry", a[1].asks)
		r.wait(time.Minute)
		if got, want := r.nodes[1].wrote(), []string{"coil", "ask", "proof", "coil", "ask", "proof"}; !slices.Equal(got, want) || a[1].asks() {
			t.Errorf("bravo did %v, want %v", got, want)
		}
	})
}

func TestPlannedMoveAsksNobodyBeforehand(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.withAddresses()
		r.alphaOwns()
		r.wait(5 * time.Second)
		r.nodes[1].forget()
		r.nodes[0].ask(control.Request{Command: "switchover", Node: "bravo"})
		r.within(5*time.Second, "bravo owns web", r.nodes[1].owns)
		if got, want := r.nodes[1].wrote(), []string{"proven", "start"}; !slices.Equal(got, want) {
			t.Errorf("bravo did %v, want %v", got, want)
		}
	})
}

func TestServiceThatIsNotKeptIsTold(t *testing.T) {
	inBubble(t, func(r *rig) {
		a := r.withAddresses()
		r.alphaOwns()
		r.wait(5 * time.Second)
		a[0].keepFails = errors.Join(errors.New("one is not on eth0"), errors.New("nor is the other"))
		for _, n := range r.nodes {
			n.end()
			<-n.ended
		}
		r.startBoth()
		r.within(10*time.Second, "an alarm", func() bool { return r.nodes[0].alarmed("one is not on eth0; nor is the other") })
	})
}

func (n *rigNode) alarmed(text string) bool {
	return slices.ContainsFunc(n.d.Status().Alarms, func(a control.Alarm) bool { return strings.Contains(a.Code+" "+a.Text, text) })
}

func TestNewsOfServices(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		r.wait(time.Second)
		d := r.nodes[0].d
		told := func(text string) func() bool { return func() bool { return r.nodes[0].alarmed(text) } }
		over := func(text string) func() bool { return func() bool { return !r.nodes[0].alarmed(text) } }
		d.Tell(0, daemon.News{Service: "ip", Code: "link-lost", Text: "eth0 has no carrier", Alarm: true})
		d.Tell(0, daemon.News{Service: "other", Code: "link-lost", Text: "eth1 has no carrier", Alarm: true})
		d.Tell(0, daemon.News{Service: "ip", Code: "second-owner", Text: "somebody claims it", Alarm: true, Lasts: 10 * time.Second})
		d.Tell(0, daemon.News{Service: "ip", Code: "mended", Text: "put back"})
		d.Tell(9, daemon.News{Code: "nobody", Text: "no such group", Alarm: true})
		for _, text := range []string{"link-lost web ip eth0 has no carrier", "eth1 has no carrier", "somebody claims it"} {
			r.within(time.Second, text, told(text))
		}
		if r.nodes[0].alarmed("put back") || r.nodes[0].alarmed("no such group") {
			t.Error("news that are no alarm raise one")
		}
		d.Tell(0, daemon.News{Service: "ip", Code: "link-back", Text: "eth0 is back", Ends: "link-lost"})
		r.within(time.Second, "the end of the alarm", over("eth0 has no carrier"))
		if !r.nodes[0].alarmed("eth1 has no carrier") {
			t.Error("the news of one service ended the alarm of another")
		}
		r.within(11*time.Second, "the end of the claim", over("somebody claims it"))
		r.nodes[0].ask(control.Request{Command: "switchover", Node: "bravo"})
		r.within(5*time.Second, "bravo owns web", r.nodes[1].owns)
		r.within(5*time.Second, "the end of what concerns another node", over("eth1 has no carrier"))
	})
}

func TestRightful(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.startBoth()
		if d := r.nodes[0].d; d.Rightful(0) {
			t.Error("by right before it has begun")
		}
		r.within(10*time.Second, "alpha owns web", r.nodes[0].owns)
		a, b := r.nodes[0].d, r.nodes[1].d
		r.wait(2 * time.Second)
		if !a.Rightful(0) || b.Rightful(0) || a.Rightful(-1) || a.Rightful(99) {
			t.Error("the owner alone has it by right")
		}
		// A daemon that hangs has nothing by right, and not at once when it goes on.
		r.nodes[0].set(func(n *rigNode) { n.welded = true }) // or bravo would end it
		goOn := a.Hang()
		r.wait(2 * time.Second)
		if a.Rightful(0) {
			t.Error("by right while the daemon hangs")
		}
		goOn()
		r.wait(100 * time.Millisecond)
		if a.Rightful(0) {
			t.Error("by right before it could hear of a successor")
		}
		r.within(5*time.Second, "by right again", func() bool { return a.Rightful(0) })
	})
}
