package address

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

var (
	// ErrNotAsked is wrapped where the questions of a duplicate probe did not get out, so that silence says nothing.
	ErrNotAsked = errors.New("nobody could be asked whether it is held already")
	// ErrEnded is wrapped where a verdict is asked of a duplicate probe that was closed or whose context ended.
	ErrEnded = errors.New("the duplicate probe was ended")
)

// DuplicateProbe asks, over and over, who has an address. It may begin while its owner is being cut off. Its methods
// may be called from any goroutine.
type DuplicateProbe struct {
	a    *Address
	wire *wire // nil: configured never to ask

	mu      sync.Mutex
	window  window
	sendErr error

	news  chan struct{} // somebody answered
	again chan struct{} // ask now
	stop  context.CancelFunc
	done  chan struct{}
}

// BeginProbe begins to ask who has the address, and ends a probe that was begun before. It goes on until ctx ends, or
// until Close, [Address.Start], [Address.Stop] or [Address.Close]. The next Start takes it over and waits for its
// verdict. The error is the trouble with the interface.
func (a *Address) BeginProbe(ctx context.Context) (*DuplicateProbe, error) {
	p, err := a.beginProbe(ctx)
	if err != nil {
		return nil, fmt.Errorf("address: probe for %s: %w", a.ip, err)
	}
	a.mu.Lock()
	old := a.begun
	a.begun = p
	a.mu.Unlock()
	old.Close()
	return p, nil
}

// Prepare begins to ask who has the address, unless that is asked already, for a Start that comes soon by whoever has the
// right to it: so a group asks for all its addresses at one time. What goes wrong, that Start tells.
func (a *Address) Prepare(ctx context.Context) {
	a.mu.Lock()
	p := a.begun
	a.mu.Unlock()
	if p != nil && !p.ended() {
		return
	}
	if p, err := a.BeginProbe(ctx); err == nil {
		p.Proven()
	}
}

// ended: old silence says nothing of now.
func (p *DuplicateProbe) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (a *Address) beginProbe(ctx context.Context) (*DuplicateProbe, error) {
	p := &DuplicateProbe{
		a: a, window: window{wait: a.cfg.ProbeWait},
		news: make(chan struct{}, 1), again: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if a.cfg.ProbeWait == Never {
		p.stop = func() {}
		close(p.done)
		return p, nil
	}
	opening, cancel := a.limit(ctx)
	defer cancel()
	w, err := ask(opening, a, func() (*wire, error) {
		l, err := a.usableLink()
		if err != nil {
			return nil, err
		}
		return openWire(l, a.ip, p.heard)
	})
	if err != nil {
		return nil, err
	}
	q, err := question(a.ip, w.link.mac)
	if err != nil {
		_ = w.Close()
		return nil, err
	}
	p.wire = w
	ctx, p.stop = context.WithCancel(ctx)
	go p.run(ctx, q)
	return p, nil
}

func (p *DuplicateProbe) run(ctx context.Context, q frame) {
	defer close(p.done)
	defer func() { _ = p.wire.Close() }()
	for n := 0; ; n++ {
		// Noted before it is sent, so that its answer cannot come first.
		p.mu.Lock()
		p.window.asks(time.Now())
		gap := p.window.gap(n)
		p.mu.Unlock()
		if err := p.wire.send(q); err != nil {
			p.mu.Lock()
			p.window.failed()
			p.sendErr = err
			p.mu.Unlock()
		}
		timer := time.NewTimer(gap)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-p.again:
			timer.Stop()
		case <-timer.C:
		}
	}
}

func (p *DuplicateProbe) heard(by MAC) {
	p.mu.Lock()
	p.window.answered(by)
	p.mu.Unlock()
	signal(p.news)
}

// Proven tells that nobody has the address by right: its owner is proven off, or gave it up. Only the first call
// counts. What came in before it is the dying owner's, even if it was not read yet.
func (p *DuplicateProbe) Proven() {
	if p.wire == nil {
		return
	}
	p.wire.drain()
	p.mu.Lock()
	p.window.proves(time.Now())
	p.mu.Unlock()
	signal(p.again)
}

// Verdict waits until it is certain whether somebody holds the address: at most twice the configured wait and a second
// after Proven, without Proven until ctx ends. It returns nil if nobody does, and a [*HeldError] if somebody does. If
// nobody answered over the whole wait before Proven, it returns at once.
func (p *DuplicateProbe) Verdict(ctx context.Context) error {
	if err := p.verdict(ctx); err != nil {
		return fmt.Errorf("address: probe for %s: %w", p.a.ip, err)
	}
	return nil
}

func (p *DuplicateProbe) verdict(ctx context.Context) error {
	if p.wire == nil {
		return nil
	}
	for {
		if p.ended() {
			return ErrEnded
		}
		now := time.Now()
		p.wire.drain()
		p.mu.Lock()
		found, by, sendErr, look := p.window.finding(now), p.window.by, p.sendErr, p.window.look(now)
		p.mu.Unlock()
		switch found {
		case free:
			return p.reachable(ctx)
		case taken:
			return &HeldError{Address: p.a.ip, Interface: p.wire.link.name, By: by}
		case unasked:
			if sendErr == nil {
				return ErrNotAsked
			}
			return fmt.Errorf("%w: %w", ErrNotAsked, sendErr)
		}
		timer := time.NewTimer(look)
		select {
		case <-p.news:
		case <-timer.C:
		case <-p.done:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("wait for the duplicate probe: %w", context.Cause(ctx))
		}
		timer.Stop()
	}
}

// reachable says whether the questions could be heard: silence on a loose cable proves nothing.
func (p *DuplicateProbe) reachable(ctx context.Context) error {
	l, err := ask(ctx, p.a, p.a.usableLink)
	if err != nil {
		return err
	}
	if l.index != p.wire.link.index || l.mac != p.wire.link.mac {
		return fmt.Errorf("%w: %s changed while it was asked", ErrNotAsked, l.name)
	}
	return nil
}

// Close ends the asking and waits for its goroutines. It may be called on nil and more than once.
func (p *DuplicateProbe) Close() {
	if p == nil {
		return
	}
	p.stop()
	<-p.done
}

// signal wakes whoever waits, now or next.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
