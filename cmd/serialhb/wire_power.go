package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/fencing/agent"
	"github.com/serialhb/serialhb/gpio"
	"github.com/serialhb/serialhb/serialhb/config"
	"github.com/serialhb/serialhb/serialhb/daemon"
)

// power is the power of one member as the daemon wants it, over the devices of its fence levels.
type power struct {
	target  *fencing.Target
	devices []fencing.Device
	fences  []config.Fence // beside devices
}

// openPowers opens what cuts each of the other members.
func openPowers(c *config.Config, t gpio.Table, o *daemon.Options) error {
	o.Power, o.FenceTime, o.LookTime = make([]daemon.Power, len(c.Nodes)), make([]time.Duration, len(c.Nodes)), make([]time.Duration, len(c.Nodes))
	boards := &agent.Boards{}
	for m := range c.Nodes {
		if m == c.Me || len(c.Levels(m)) == 0 {
			continue
		}
		p, err := openPower(c, t, boards, m)
		if err != nil {
			return err
		}
		o.Power[m], o.FenceTime[m], o.LookTime[m] = p, c.FenceTime(m), c.LookTime(m)
	}
	return nil
}

func openPower(c *config.Config, t gpio.Table, boards *agent.Boards, member int) (*power, error) {
	p := &power{target: &fencing.Target{Name: c.Nodes[member].Name}}
	for _, level := range c.Levels(member) {
		l := fencing.Level{Timeout: config.LevelTime(level)}
		for _, f := range level {
			d, err := openDevice(t, boards, f)
			if err != nil {
				return nil, err
			}
			p.devices, p.fences = append(p.devices, d), append(p.fences, f)
			l.Devices = append(l.Devices, d)
		}
		p.target.Levels = append(p.target.Levels, l)
	}
	return p, nil
}

func openDevice(t gpio.Table, boards *agent.Boards, f config.Fence) (fencing.Device, error) {
	if f.Agent == nil {
		return fencing.OpenRelay(t, f.Wiring, f.Relay)
	}
	a, err := openAgent(boards, &f)
	if err != nil {
		return unfit{f.Name, err}, nil
	}
	return a, nil
}

func openAgent(boards *agent.Boards, f *config.Fence) (*agent.Agent, error) {
	full, err := f.AgentConfig("/")
	if err != nil {
		return nil, err
	}
	if full.Path, err = agent.Find(f.Agent.Path); err != nil {
		// It may be installed while the daemon runs. Until then each call says that it is not there.
		full.Path = filepath.Join("/usr/sbin", f.Agent.Path)
	}
	return boards.New(full)
}

// unfit is a device of which something on this machine is missing. The daemon starts all the same: one that stays away is
// cut off by its peer, and its services with it. Each call says what is wrong.
type unfit struct {
	name string
	err  error
}

func (u unfit) why() error {
	return fmt.Errorf("%s cannot be used: %w; then run serialhb restart", u.name, u.err)
}

func (u unfit) Name() string               { return u.name }
func (u unfit) Open(context.Context) error { return u.why() }
func (u unfit) On(context.Context) error   { return u.why() }
func (u unfit) Off(context.Context, fencing.Query) fencing.Result {
	return fencing.Result{Err: u.why()}
}
func (u unfit) Secure(context.Context, fencing.Query) fencing.Result {
	return fencing.Result{Err: u.why()}
}
func (u unfit) Status(context.Context) fencing.Status { return fencing.Status{Err: u.why()} }

// queries says which senses may prove. A plain sense that may not is as good as none; a fail-safe one was caught lying.
func (p *power) queries(trusted uint32) map[string]fencing.Query {
	q := map[string]fencing.Query{}
	for _, f := range p.fences {
		if f.Sense >= 0 {
			ok := trusted&(1<<f.Sense) != 0
			q[f.Name] = fencing.Query{Trusted: ok, Broken: f.Relay.FailSafe && !ok}
		}
	}
	return q
}

func outcome(r fencing.Result) (fencing.Proof, error) {
	if r.Err == nil && !r.Proof.IsOff() {
		return fencing.None, errors.New("no proof")
	}
	return r.Proof, r.Err
}

func steps(tell func(string)) func(fencing.Step) {
	return func(s fencing.Step) { tell(fmt.Sprintf("%s (%.1f ms)", s.Text, float64(s.At.Microseconds())/1000)) }
}

func (p *power) Off(ctx context.Context, trusted uint32, tell func(string)) (fencing.Proof, error) {
	return outcome(p.target.Off(ctx, p.queries(trusted), steps(tell)))
}

func (p *power) Secure(ctx context.Context, trusted uint32, tell func(string)) (fencing.Proof, error) {
	return outcome(p.target.Secure(ctx, p.queries(trusted), steps(tell)))
}

func (p *power) Open(ctx context.Context) error    { return p.target.Open(ctx) }
func (p *power) Restore(ctx context.Context) error { return p.target.Restore(ctx) }

// Status asks all devices at once, for an agent may take seconds.
func (p *power) Status(ctx context.Context) []string {
	out := make([]string, len(p.devices))
	var all sync.WaitGroup
	for i, d := range p.devices {
		all.Go(func() {
			out[i] = fmt.Sprintf("level %d, %s: %s", p.fences[i].Level, d.Name(), statusWords(d, d.Status(ctx)))
		})
	}
	all.Wait()
	return out
}

func statusWords(d fencing.Device, s fencing.Status) string {
	words := fmt.Sprintf("%s, power %s", feedWords[s.Feed], s.Power)
	if _, relay := d.(*fencing.Relay); !relay {
		words = "the agent reports " + s.Power.String()
	}
	if s.Err != nil {
		words += ": " + s.Err.Error()
	}
	return words
}

var feedWords = map[fencing.Feed]string{
	fencing.FeedUnknown: "nobody can tell whether it is cut", fencing.FeedOpen: "cut (its contact is open)", fencing.FeedClosed: "not cut (its contact is closed)",
}

// Health looks at all devices at once.
func (p *power) Health(ctx context.Context) []daemon.Health {
	out := make([]daemon.Health, len(p.devices))
	var all sync.WaitGroup
	for i, d := range p.devices {
		all.Go(func() {
			f := &p.fences[i]
			out[i] = daemon.Health{Device: d.Name(), Level: f.Level}
			if f.Sense >= 0 {
				out[i].NeedsSense, out[i].Sense = f.NeedsSense(), uint8(f.Sense)
			}
			for _, err := range fencing.Health(ctx, d) {
				out[i].Ill = append(out[i].Ill, plain{err})
			}
			if a, is := d.(*agent.Agent); is {
				out[i].Off = a.Last() == fencing.Off
			}
		})
	}
	all.Wait()
	return out
}

// plain is an error as a person reads it, without the package that found it.
type plain struct{ error }

func (p plain) Unwrap() error { return p.error }

func (p plain) Error() string {
	said := p.error.Error()
	for _, where := range []string{"agent: check ", "fencing: check "} {
		said = strings.TrimPrefix(said, where)
	}
	return said
}

func (p *power) Senses() []daemon.Sense {
	var out []daemon.Sense
	for i, d := range p.devices {
		if s, ok := fencing.SensorOf(d); ok && p.fences[i].Sense == len(out) {
			out = append(out, sense{s, p.fences[i].Name})
		}
	}
	return out
}

type sense struct {
	fencing.Sensor
	name string
}

func (s sense) Name() string { return s.name }
