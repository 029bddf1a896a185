// Package address is the resource kind address: one IP address that moves with its group.
//
// It puts the address on an interface, tells the network where it is, goes on telling while it is there, and hears when
// somebody else claims it. Before it takes an address it asks whether anybody still answers for it; the asking can
// begin while the former owner is being cut off. Layer 2; Linux only. README.md in this folder says why each thing is
// done as it is.
package address

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/serialhb/serialhb/serialhb/resource"
	"golang.org/x/sys/unix"
)

// Address is a resource. Start, Stop and Probe run one at a time; one that has to wait gives up when its context ends.
type Address struct {
	cfg   Config
	ip    netip.Addr
	busy  chan struct{} // holds a token while Start, Stop or Close runs
	door  chan struct{} // the same while the kernel is asked
	enter func(func())  // calls in the network namespace that is ours

	mu     sync.Mutex
	keeper *keeper         // nil: not kept
	begun  *DuplicateProbe // nil: none

	closing sync.WaitGroup // probes that are being closed
}

var _ resource.Resource = (*Address)(nil)

// New checks the values of cfg. It does not look at the host: see [Address.Check].
func New(cfg Config) (*Address, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("address: configure %q: %w", cfg.Name, err)
	}
	if cfg.Tell == nil {
		cfg.Tell = func(Event) {}
	}
	if cfg.Rightful == nil {
		cfg.Rightful = func() bool { return true }
	}
	return &Address{
		cfg: cfg, ip: cfg.Address.Addr(), busy: make(chan struct{}, 1), door: make(chan struct{}, 1),
		enter: func(f func()) { f() },
	}, nil
}

// Name implements [resource.Resource].
func (a *Address) Name() string { return a.cfg.Name }

// Check looks at what can be known before a start. It changes nothing and sends nothing.
func (a *Address) Check(ctx context.Context) error {
	ctx, cancel := a.limit(ctx)
	defer cancel()
	_, err := ask(ctx, a, a.usableLink)
	if err == nil {
		_, err = a.where(ctx)
	}
	if err != nil {
		return fmt.Errorf("address: check %s: %w", a.ip, err)
	}
	return nil
}

// Start puts the address on its interface and announces it, and goes on announcing and listening in the background
// until Stop or Close. If no duplicate probe was begun, it makes one; if one was, Start counts as its proof. An address
// that is there already is not asked for but adopted and announced. A duplicate is a [*HeldError], and then nothing
// was put anywhere.
func (a *Address) Start(ctx context.Context) error {
	ctx, cancel := a.limit(ctx)
	defer cancel()
	return a.alone(ctx, "start", func() error {
		here, err := a.where(ctx)
		if err != nil {
			return err
		}
		l, err := ask(ctx, a, a.usableLink)
		if err != nil {
			return err
		}
		if !here {
			if err := a.awaitFree(ctx); err != nil {
				return err
			}
		}
		a.dismissProbe()
		k, err := a.openKeeper(ctx)
		if err != nil {
			return err
		}
		if !here {
			if _, err := ask(ctx, a, func() (struct{}, error) { return struct{}{}, put(l, a.cfg.Address) }); err != nil {
				k.close()
				return err
			}
		}
		k.announce(ctx)
		a.run(k)
		if here, err = a.where(ctx); err == nil && !here {
			err = fmt.Errorf("it went from %s again: find out who takes it off", l.name)
		}
		return err
	})
}

// Keep goes on announcing and listening for an address that is here already, as after a restart of the daemon, and
// puts it nowhere. It returns an error if it is not here.
func (a *Address) Keep(ctx context.Context) error {
	ctx, cancel := a.limit(ctx)
	defer cancel()
	return a.alone(ctx, "keep", func() error {
		here, err := a.where(ctx)
		if err == nil && !here {
			err = fmt.Errorf("it is not on %s: start it", a.cfg.Interface)
		}
		if err != nil {
			return err
		}
		k, err := a.openKeeper(ctx)
		if err != nil {
			return err
		}
		k.announce(ctx)
		a.run(k)
		return nil
	})
}

// Stop ends the announcing, takes the address off every interface of this host, and looks whether it is gone. Other
// addresses that the kernel drops with it are put back.
func (a *Address) Stop(ctx context.Context) error {
	ctx, cancel := a.limit(ctx)
	defer cancel()
	return a.alone(ctx, "stop", func() error {
		a.endAll()
		t, err := ask(ctx, a, func() (taking, error) { return take(a.ip) })
		for _, name := range t.from {
			if name != a.cfg.Interface {
				a.cfg.Tell(Event{Cleaned, fmt.Sprintf("%s was on %s too, where nobody put it for this resource, and was taken off", a.ip, name)})
			}
		}
		if len(t.mended) > 0 {
			a.cfg.Tell(Event{Mended, fmt.Sprintf("the kernel dropped %s with %s, and they were put back: set net.ipv4.conf.all.promote_secondaries to 1", strings.Join(t.mended, ", "), a.ip)})
		}
		if err == nil && len(t.left) > 0 {
			err = fmt.Errorf("it is still on %s: find out who puts it there", strings.Join(t.left, " and "))
		}
		return err
	})
}

// Probe says whether the address is on its interface. On another one it is neither running nor stopped.
func (a *Address) Probe(ctx context.Context) (resource.State, error) {
	ctx, cancel := a.limit(ctx)
	defer cancel()
	state := resource.Unknown
	err := a.alone(ctx, "probe", func() error {
		here, err := a.where(ctx)
		switch {
		case err != nil:
			return err
		case here:
			state = resource.Running
		default:
			state = resource.Stopped
		}
		return nil
	})
	return state, err
}

// Announce announces the address now and again as after a start. It is for the moment when a peer is back. It does
// nothing if the address is not kept.
func (a *Address) Announce() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.keeper != nil {
		signal(a.keeper.again)
	}
}

// Close ends all that runs in the background, waits for it, and leaves the address where it is. A kernel that does not
// answer is waited for no longer than the configured time-out.
func (a *Address) Close() {
	a.busy <- struct{}{}
	defer a.release()
	a.endAll()
	a.closing.Wait()
	patience := time.NewTimer(a.cfg.Timeout)
	defer patience.Stop()
	select {
	case a.door <- struct{}{}:
		<-a.door
	case <-patience.C:
	}
}

// alone runs f while no other action does.
func (a *Address) alone(ctx context.Context, action string, f func() error) error {
	err := ctx.Err()
	if err == nil {
		select {
		case a.busy <- struct{}{}:
			defer a.release()
			err = f()
		case <-ctx.Done():
			err = fmt.Errorf("wait for its turn: %w", context.Cause(ctx))
		}
	}
	if err != nil {
		return fmt.Errorf("address: %s %s: %w", action, a.ip, err)
	}
	return nil
}

func (a *Address) release() { <-a.busy }

func (a *Address) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, a.cfg.Timeout, fmt.Errorf("%w after %v", resource.ErrTimeout, a.cfg.Timeout))
}

// usableLink is the interface, or its trouble as an error.
func (a *Address) usableLink() (link, error) {
	l, err := findLink(a.cfg.Interface)
	if err == nil && l.trouble != "" {
		err = errors.New(l.trouble)
	}
	return l, err
}

// where says whether the address is on its interface. That it is on another one is an error.
func (a *Address) where(ctx context.Context) (here bool, err error) {
	return ask(ctx, a, func() (bool, error) {
		changing.RLock()
		defer changing.RUnlock()
		l, err := findLink(a.cfg.Interface)
		if err != nil {
			return false, err
		}
		all, err := addresses(a.ip)
		if err != nil {
			return false, err
		}
		places := placesOf(a.ip, all)
		for _, p := range places {
			if p.addr.LinkIndex != l.index {
				return false, fmt.Errorf("it is on %s instead of %s: take it off there, or correct the interface", p.link(), a.cfg.Interface)
			}
			switch {
			case p.addr.Flags&unix.IFA_F_DADFAILED != 0:
				return false, fmt.Errorf("it is on %s, but the kernel found a duplicate and does not use it: take it off there and find the other machine", a.cfg.Interface)
			case p.addr.Flags&unix.IFA_F_TENTATIVE != 0:
				return false, fmt.Errorf("it is on %s, but whoever put it there made the kernel look for duplicates first: wait for that, or take it off there", a.cfg.Interface)
			}
		}
		return len(places) > 0, nil
	})
}

// awaitFree waits for the verdict of the probe that was begun, or of a new one.
func (a *Address) awaitFree(ctx context.Context) error {
	a.mu.Lock()
	p := a.begun
	a.mu.Unlock()
	for {
		if p == nil {
			var err error
			if p, err = a.beginProbe(ctx); err != nil {
				return err
			}
			defer a.closing.Go(p.Close)
		}
		p.Proven()
		err := p.verdict(ctx)
		if !errors.Is(err, ErrEnded) || ctx.Err() != nil {
			return err
		}
		p = nil // its context ended before its time
	}
}

// endAll ends what runs in the background. The kernel takes some 10 ms to close a packet socket, which no takeover and no
// planned move waits for.
func (a *Address) endAll() {
	a.dismissProbe()
	a.endKeeper()
}

// dismissProbe ends a probe that was begun.
func (a *Address) dismissProbe() {
	a.mu.Lock()
	p := a.begun
	a.begun = nil
	a.mu.Unlock()
	if p != nil {
		a.closing.Go(p.Close)
	}
}

// run lets a keeper go on in the background, in the place of one that did.
func (a *Address) run(k *keeper) {
	a.endKeeper()
	a.mu.Lock()
	a.keeper = k
	a.mu.Unlock()
	k.start()
}

func (a *Address) endKeeper() {
	a.mu.Lock()
	k := a.keeper
	a.keeper = nil
	a.mu.Unlock()
	if k != nil {
		k.end()
		a.closing.Go(k.close)
	}
}
