package daemon

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

const (
	// healthSoon is when the devices are looked at first, for an agent proves nothing before it has reported on once; and
	// after each act, for what was found before it is past.
	healthSoon = time.Second
	// healthAgain is when they are looked at again after something was wrong, if it is not their turn before.
	healthAgain = 30 * time.Second
	// healthLimit bounds one look where nobody says what it may take.
	healthLimit = 30 * time.Second
	// healthGrace is how long after that the look itself may take to say who did not answer.
	healthGrace = time.Second
	// wrongOutlet is how many looks in a row have to find the power off while the peer is heard: the first may have met it
	// just as it went.
	wrongOutlet = 2
)

// healthCheck is what the worker of a peer's power knows of its devices. A turn sets heard and reads last; the rest is
// the worker's own.
type healthCheck struct {
	busy  atomic.Bool // a look is under way, or one that was broken off has not come back
	heard atomic.Bool // the peer is
	last  atomic.Pointer[verdict]
	offs  map[string]int // by device: looks in a row that found the power off while the peer was heard
}

// verdict is what a look came to, in words.
type verdict struct {
	ill     string // what is wrong; empty is good order
	wrong   string // devices that look at another outlet; empty is none
	devices []soundness
	doubt   bool // another look is to come soon

	lied string // senses that were caught lying and are needed; of health
	able bool   // on some level all devices are in good order; of health
}

// soundness is what a look found out about one device.
type soundness struct {
	level int
	fit   bool
	needs bool // the sense
	sense uint8
}

func (w *powerWorker) nextLook() time.Duration {
	if v := w.check.last.Load(); v == nil || v.doubt {
		return min(healthAgain, w.d.o.HealthEvery)
	}
	return w.d.o.HealthEvery
}

// look checks the devices. A job that comes ends that and is returned: no fence waits for a check.
func (w *powerWorker) look(ctx context.Context) (came job, yes bool) {
	if !w.check.busy.CompareAndSwap(false, true) {
		return job{}, false
	}
	looking, end := context.WithTimeout(ctx, w.lookTime())
	defer end()
	before := w.check.heard.Load()
	found := make(chan []Health, 1)
	w.d.workers.Go(func() {
		defer w.check.busy.Store(false)
		found <- w.power.Health(looking)
	})
	mute := time.NewTimer(w.lookTime() + healthGrace)
	defer mute.Stop()
	select {
	case all := <-found:
		if ctx.Err() == nil {
			w.judge(all, before && w.check.heard.Load())
		}
	case j := <-w.jobs:
		return j, true
	case <-mute.C:
		w.check.last.Store(&verdict{ill: "a device does not answer", doubt: true, devices: []soundness{{}}})
	case <-ctx.Done():
	}
	return job{}, false
}

func (w *powerWorker) lookTime() time.Duration {
	if t := w.d.o.LookTime; int(w.peer) < len(t) && t[w.peer] > 0 {
		return t[w.peer]
	}
	return healthLimit
}

// judge comes to a verdict. heard is that the peer was, when the look began and when it ended.
func (w *powerWorker) judge(all []Health, heard bool) {
	offs := map[string]int{}
	var ill, wrong []string
	v := &verdict{}
	for _, h := range all {
		fit := len(h.Ill) == 0
		for _, err := range h.Ill {
			ill = append(ill, err.Error())
		}
		if h.Off && heard {
			v.doubt = true
			if offs[h.Device] = w.check.offs[h.Device] + 1; offs[h.Device] >= wrongOutlet {
				wrong, fit = append(wrong, h.Device), false
			}
		}
		v.devices = append(v.devices, soundness{h.Level, fit, h.NeedsSense, h.Sense})
	}
	v.ill, v.wrong = strings.Join(ill, "; "), strings.Join(wrong, ", ")
	v.doubt = v.doubt || v.ill != ""
	w.check.offs = offs
	w.check.last.Store(v)
}

// health is what the last look at the devices for a peer came to. Those of a member that is away for repair may be away
// with it.
func (d *Daemon) health(p uint8) verdict {
	if w := d.powers[p]; w != nil && !d.state.Away(&d.o.Decision, p) {
		if v := w.check.last.Load(); v != nil {
			now := *v
			d.weigh(p, &now)
			return now
		}
	}
	return verdict{able: true}
}

// weigh says whether what the last look found is enough now. A sense is judged whenever its peer is heard, not by looks.
// It is done for each pulse.
func (d *Daemon) weigh(p uint8, v *verdict) {
	bad := uint64(0) // levels of which a device is not fit, bits
	for _, dev := range v.devices {
		lied := dev.needs && int(dev.sense) < failover.MaxSenses && d.state.Peers[p].Senses[dev.sense].Broken
		if lied {
			v.lied = strings.TrimPrefix(v.lied+", "+d.senseName(p, dev.sense), ", ")
		}
		if lied || !dev.fit {
			bad |= 1 << dev.level
		}
	}
	for _, dev := range v.devices {
		v.able = v.able || bad&(1<<dev.level) == 0
	}
}

func (d *Daemon) healthAlarms(p uint8, say func(on bool, code, text string)) {
	peer, name := &d.state.Peers[p], d.member(p)
	if w := d.powers[p]; w != nil {
		w.check.heard.Store(peer.Presence == failover.Present)
	}
	v := d.health(p)
	say(v.ill != "", "device-ill", "what cuts "+name+" is not in good order, mend it: "+v.ill)
	say(v.wrong != "", "wrong-outlet", v.wrong+" says that "+name+" is off, and "+name+" is heard: it looks at another outlet or board; correct its options")
	say(peer.Claim.Flags.Has(pulse.CannotFence) && peer.Presence == failover.Present, "peer-cannot-fence", name+" could not cut a silent node off if it had to; `serialhb status` there says why")
}

// cannotFence is why the devices could not prove a peer off, or "".
func (d *Daemon) cannotFence(p uint8) string {
	v := d.health(p)
	if v.able {
		return ""
	}
	var why []string
	for _, part := range []struct{ what, says string }{
		{v.ill, v.ill}, {v.wrong, v.wrong + " looks at another outlet or board"},
		{v.lied, "sense " + v.lied + " was caught lying and proves nothing until `serialhb clear`"},
	} {
		if part.what != "" {
			why = append(why, part.says)
		}
	}
	return strings.Join(why, "; ")
}

// Scores of health in a pulse; 255 is best.
const (
	illScore    = 170 // something is wrong, and every peer could still be cut
	unableScore = 85
)

// fitness tells the peers how the devices here are. It decides nothing.
func (d *Daemon) fitness(claim *pulse.Pulse) {
	for p := range d.o.Decision.N {
		if p == d.o.Decision.Me || d.powers[p] == nil {
			continue
		}
		switch v := d.health(p); {
		case !v.able:
			claim.Health = min(claim.Health, unableScore)
			claim.Flags |= pulse.CannotFence
		case v.ill != "" || v.wrong != "" || v.lied != "":
			claim.Health = min(claim.Health, illScore)
		}
	}
}
