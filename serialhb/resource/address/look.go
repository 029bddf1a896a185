package address

import (
	"context"
	"fmt"
	"net/netip"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// standing is what the kernel says of the address and its interface.
type standing struct {
	link    link
	here    bool       // the address is on the interface
	answers netip.Addr // where an answer that only we should hear may go; invalid: nowhere
}

func (s standing) reachable() bool { return s.here && s.link.trouble == "" }

func (a *Address) standing() (standing, error) {
	changing.RLock()
	defer changing.RUnlock()
	l, err := findLink(a.cfg.Interface)
	if err != nil {
		return standing{}, err
	}
	all, err := addresses(a.ip)
	if err != nil {
		return standing{}, err
	}
	s := standing{link: l}
	if a.ip.Is4() {
		s.answers = a.ip // not used in an ARP probe
	}
	for _, p := range all {
		if p.addr.LinkIndex != l.index {
			continue
		}
		s.here = s.here || p.ip() == a.ip
		if a.ip.Is6() && p.ip() != a.ip && p.ip().IsLinkLocalUnicast() && p.addr.Flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED) == 0 {
			s.answers = p.ip()
		}
	}
	return s, nil
}

// news is what there is to tell when the standing changed, and whether the network may have forgotten the address.
func news(ip netip.Addr, old, now standing) (told []Event, anew bool) {
	tell := func(kind Kind, format string, args ...any) {
		told = append(told, Event{kind, fmt.Sprintf(format, args...)})
	}
	switch {
	case old.link.trouble == "" && now.link.trouble != "":
		tell(LinkLost, "nobody can reach %s: %s", ip, now.link.trouble)
	case old.link.trouble != "" && now.link.trouble == "":
		tell(LinkBack, "%s is in order again", now.link.name)
	}
	switch {
	case old.here && !now.here:
		tell(Removed, "%s is not on %s any more, though it was not stopped: find out who took it off, and put it back with `ip address add`; or, while every other node is heard, run `serialhb restart` here, which starts its group anew", ip, now.link.name)
	case !old.here && now.here:
		tell(Returned, "%s is on %s again", ip, now.link.name)
	}
	moved := old.link.index != now.link.index || old.link.mac != now.link.mac
	return told, now.reachable() && (moved || !old.reachable())
}

// look asks the kernel how things stand, opens what is not open, and tells what changed. It says whether the network
// may have forgotten the address.
func (k *keeper) look(ctx context.Context) (anew bool) {
	limited, cancel := k.a.limit(ctx)
	defer cancel()
	now, err := k.survey(limited)
	if ctx.Err() != nil {
		return false // it is to end
	}
	if err != nil {
		k.mend.Reset(mendEvery)
		if !k.deaf {
			k.deaf = true
			k.tell(Deafened, "what befalls %s on %s is not noticed: %v: it is tried again", k.a.ip, k.a.cfg.Interface, err)
		}
		return false
	}
	missed := k.deaf
	if missed {
		k.deaf = false
		k.tell(Hearing, "what befalls %s on %s is noticed again", k.a.ip, k.a.cfg.Interface)
	}
	told, anew := news(k.a.ip, k.seen, now)
	k.seen = now
	for _, e := range told {
		k.a.cfg.Tell(e)
	}
	return anew || missed && now.reachable()
}

// survey asks how things stand, and opens what is not open or belongs to an interface that was replaced.
func (k *keeper) survey(ctx context.Context) (standing, error) {
	if k.events == nil {
		e, err := ask(ctx, k.a, k.a.openEvents)
		if err != nil {
			return standing{}, err
		}
		k.events = e
	}
	now, err := ask(ctx, k.a, k.a.standing)
	if err != nil || now.link.trouble != "" {
		return now, err
	}
	if k.wire != nil {
		if k.wire.link.index == now.link.index && k.wire.link.mac == now.link.mac {
			return now, nil
		}
		_ = k.wire.Close()
		k.wire = nil
	}
	w, err := ask(ctx, k.a, func() (*wire, error) { return openWire(now.link, k.a.ip, k.claim) })
	if err != nil {
		return now, err
	}
	k.wire = w
	return now, nil
}

func (k *keeper) claim(by MAC) {
	select {
	case k.claims <- by:
	default:
	}
}

// events says that the interface or the address may have changed.
type events struct {
	name  string
	index int // as it was at the beginning: it may be renamed
	ip    netip.Addr
	out   chan struct{} // closed once nothing more can be heard
	quit  chan struct{}
	once  sync.Once
}

// openEvents listens to the kernel's own news.
func (a *Address) openEvents() (*events, error) {
	l, err := findLink(a.cfg.Interface)
	if err != nil {
		return nil, err
	}
	e := &events{name: a.cfg.Interface, index: l.index, ip: a.ip, out: make(chan struct{}, 1), quit: make(chan struct{})}
	links, addrs := make(chan netlink.LinkUpdate), make(chan netlink.AddrUpdate)
	if err := netlink.LinkSubscribe(links, e.quit); err != nil {
		return nil, fmt.Errorf("listen to changes of interfaces: %w", err)
	}
	if err := netlink.AddrSubscribe(addrs, e.quit); err != nil {
		close(e.quit)
		for range links {
		}
		return nil, fmt.Errorf("listen to changes of addresses: %w", err)
	}
	go e.run(links, addrs)
	return e, nil
}

func (e *events) run(links <-chan netlink.LinkUpdate, addrs <-chan netlink.AddrUpdate) {
	defer close(e.out)
	for open := true; open; {
		concerns := false
		select {
		case u, ok := <-links:
			open, concerns = ok, ok && (u.Attrs().Name == e.name || u.Attrs().Index == e.index)
		case u, ok := <-addrs:
			changed, _ := netip.AddrFromSlice(u.LinkAddress.IP)
			open, concerns = ok, ok && changed.Unmap() == e.ip
		}
		if concerns {
			signal(e.out)
		}
	}
	// One of the two failed, mostly since more happened than its buffer holds; the other is of no use alone.
	e.end()
	for range links {
	}
	for range addrs {
	}
}

func (e *events) end() { e.once.Do(func() { close(e.quit) }) }

// changes is nil if nothing is listened to.
func (e *events) changes() <-chan struct{} {
	if e == nil {
		return nil
	}
	return e.out
}

// Close ends the listening and waits for its goroutines.
func (e *events) Close() error {
	e.end()
	for range e.out {
	}
	return nil
}
