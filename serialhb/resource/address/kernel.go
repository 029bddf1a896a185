package address

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ask asks the kernel and waits for the answer no longer than ctx. Whatever configures a network holds one lock of the
// kernel's, and a driver that resets its device may hold it for long; nobody can be called back from there. The next
// question waits for its turn until an abandoned one is through. What an abandoned one opened is closed.
func ask[T any](ctx context.Context, a *Address, f func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	var none T
	select {
	case a.door <- struct{}{}:
	case <-ctx.Done():
		return none, fmt.Errorf("wait for the kernel: %w", context.Cause(ctx))
	}
	answers := make(chan answer)
	go a.enter(func() {
		v, err := f()
		<-a.door
		select {
		case answers <- answer{v, err}:
		case <-ctx.Done():
			if c, ok := any(v).(io.Closer); ok && err == nil {
				_ = c.Close()
			}
		}
	})
	select {
	case got := <-answers:
		return got.value, got.err
	case <-ctx.Done():
		return none, fmt.Errorf("wait for the kernel: %w", context.Cause(ctx))
	}
}

// link is what has to be known of an interface.
type link struct {
	index int
	name  string
	mac   MAC
	// trouble is empty, or says in one sentence why nobody can be reached over it.
	trouble string
	router  bool // it forwards IPv6
}

// findLink looks for an interface. One that is not there is no error but has trouble and no index.
func findLink(name string) (link, error) {
	l, err := netlink.LinkByName(name)
	var missing netlink.LinkNotFoundError
	switch {
	case errors.As(err, &missing):
		return link{name: name, trouble: fmt.Sprintf("there is no interface %s here: correct the name or set it up", name)}, nil
	case err != nil:
		return link{}, fmt.Errorf("look for interface %s: %w", name, err)
	}
	at := l.Attrs()
	found := link{index: at.Index, name: at.Name, router: forwards(at.Name)}
	ethernet := copy(found.mac[:], at.HardwareAddr) == len(found.mac) && len(at.HardwareAddr) == len(found.mac)
	master := masterOf(at)
	switch {
	case !ethernet || at.RawFlags&(unix.IFF_LOOPBACK|unix.IFF_NOARP|unix.IFF_POINTOPOINT) != 0:
		found.trouble = fmt.Sprintf("%s is no Ethernet, so nobody could be told where the address is: configure another interface", at.Name)
	case master != "":
		found.trouble = fmt.Sprintf("%s is a part of %s and hears nothing for itself: configure %s", at.Name, master, master)
	case at.RawFlags&unix.IFF_UP == 0:
		found.trouble = fmt.Sprintf("%s is switched off: switch it on (ip link set %s up) or configure another", at.Name, at.Name)
	case at.RawFlags&unix.IFF_LOWER_UP == 0:
		found.trouble = fmt.Sprintf("%s has no carrier: check its cable and the switch", at.Name)
	case at.RawFlags&unix.IFF_RUNNING == 0:
		found.trouble = fmt.Sprintf("%s has a carrier but may not send yet (%s): check what it waits for", at.Name, at.OperState)
	}
	return found, nil
}

// masterOf is the bridge, bond or team that takes the frames of an interface for itself; "" is none. Asked there nobody
// answers, and that silence would pass for a free address. A VRF leaves them to the interface.
func masterOf(at *netlink.LinkAttrs) string {
	if at.MasterIndex == 0 {
		return ""
	}
	m, err := netlink.LinkByIndex(at.MasterIndex)
	switch {
	case err != nil:
		return fmt.Sprintf("interface %d", at.MasterIndex)
	case m.Type() == "vrf":
		return ""
	}
	return m.Attrs().Name
}

// forwards says whether the interface routes IPv6. If nobody can tell, it does not.
func forwards(name string) bool {
	text, err := os.ReadFile("/proc/sys/net/ipv6/conf/" + name + "/forwarding")
	return err == nil && strings.TrimSpace(string(text)) == "1"
}

// ownMACs are all Ethernet addresses of this host, those too that a bond hides.
func ownMACs() (map[MAC]bool, error) {
	links, err := dump(netlink.LinkList)
	if err != nil {
		return nil, fmt.Errorf("list the interfaces: %w", err)
	}
	own := map[MAC]bool{}
	for _, l := range links {
		for _, hw := range []net.HardwareAddr{l.Attrs().HardwareAddr, l.Attrs().PermHWAddr} {
			var m MAC
			if len(hw) == len(m) && copy(m[:], hw) == len(m) {
				own[m] = true
			}
		}
	}
	return own, nil
}

// place is an address on an interface.
type place struct{ addr netlink.Addr }

func (p place) ip() netip.Addr {
	ip, _ := netip.AddrFromSlice(p.addr.IP)
	return ip.Unmap()
}

func (p place) prefix() netip.Prefix {
	bits, _ := p.addr.Mask.Size()
	return netip.PrefixFrom(p.ip(), bits)
}

// link is the name of the interface.
func (p place) link() string {
	l, err := netlink.LinkByIndex(p.addr.LinkIndex)
	if err != nil {
		return fmt.Sprintf("interface %d", p.addr.LinkIndex) // it went meanwhile
	}
	return l.Attrs().Name
}

// addresses are all of one family on this host.
func addresses(like netip.Addr) ([]place, error) {
	list, err := dump(func() ([]netlink.Addr, error) { return netlink.AddrList(nil, family(like)) })
	if err != nil {
		return nil, fmt.Errorf("list the addresses: %w", err)
	}
	all := make([]place, 0, len(list))
	for _, found := range list {
		all = append(all, place{found})
	}
	return all, nil
}

// placesOf are those where ip is.
func placesOf(ip netip.Addr, all []place) []place {
	return slices.DeleteFunc(slices.Clone(all), func(p place) bool { return p.ip() != ip })
}

func family(ip netip.Addr) int {
	if ip.Is4() {
		return netlink.FAMILY_V4
	}
	return netlink.FAMILY_V6
}

// dumpTries is how often a list is asked for that changes while it is read.
const dumpTries = 10

func dump[T any](list func() ([]T, error)) (all []T, err error) {
	for range dumpTries {
		if all, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return all, err
}

// forever is a lifetime without end; where an int has 32 bits it ends after 68 years.
const forever = math.MaxUint32 & math.MaxInt

// changing is held by whoever changes the addresses of this host, and for reading by whoever has to know of one. Between
// dropping the neighbours of an address and putting them back another group would find one of them gone, give it to the
// peer, and get it back.
var changing sync.RWMutex

// put puts the address on the interface; it may be there already.
func put(l link, address netip.Prefix) error {
	changing.Lock()
	defer changing.Unlock()
	ip := address.Addr()
	all, err := addresses(ip)
	if err != nil {
		return err
	}
	addr := &netlink.Addr{IPNet: ipNet(address)}
	if ip.Is4() {
		if label := l.name + labelEnd; len(label) <= maxName {
			addr.Label = label
		}
	} else {
		// Nobody is asked again by the kernel, for seconds, while the service waits: that is what the probe was for. And
		// it is never the source of what this host sends by itself: such connections would break at every move.
		addr.Flags = unix.IFA_F_NODAD
		addr.ValidLft = forever
	}
	if slices.ContainsFunc(all, func(p place) bool { return p.addr.LinkIndex == l.index && p.leads(address) }) {
		addr.Flags |= unix.IFA_F_NOPREFIXROUTE
	}
	if ip.IsLinkLocalUnicast() {
		addr.Scope = unix.RT_SCOPE_LINK
	}
	err = netlink.AddrAdd(&netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Index: l.index}}, addr)
	switch {
	case err == nil, errors.Is(err, unix.EEXIST):
		return nil
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("put it on %s: %w: give the daemon the capability CAP_NET_ADMIN", l.name, err)
	case errors.Is(err, unix.EACCES) && ip.Is6():
		return fmt.Errorf("put it on %s: %w: IPv6 is switched off there, set net.ipv6.conf.%s.disable_ipv6 to 0", l.name, err, l.name)
	}
	return fmt.Errorf("put it on %s: %w", l.name, err)
}

// labelEnd marks the addresses of this program.
const labelEnd = ":shb"

// leads says whether the address here brings a way into the network of another one that is to come, and stays as long. A
// second way could only change the source of what this host sends. What moves as well, with another group, may go first
// and take the only way with it; of two that are the same the kernel makes one, and keeps it for the last.
func (p place) leads(to netip.Prefix) bool {
	switch {
	case p.ip() == to.Addr() || !p.prefix().Contains(to.Addr()):
		return false
	case to.Addr().Is4():
		return p.prefix().Bits() != to.Bits() && !strings.HasSuffix(p.addr.Label, labelEnd)
	}
	return p.addr.PreferedLft != 0 // ours have none
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// taking is what became of an address that was to go.
type taking struct {
	from   []string // the interfaces that had it
	left   []string // those that still have it
	mended []string // other addresses that went with it and were put back
}

// take takes ip off every interface of this host and looks whether it is gone.
func take(ip netip.Addr) (taking, error) {
	changing.Lock()
	defer changing.Unlock()
	before, err := addresses(ip)
	if err != nil {
		return taking{}, err
	}
	var t taking
	var failed error
	for _, p := range placesOf(ip, before) {
		t.from = append(t.from, p.link())
		err := netlink.AddrDel(nil, &p.addr)
		if errors.Is(err, unix.EPERM) {
			err = fmt.Errorf("%w: give the daemon the capability CAP_NET_ADMIN", err)
		}
		if err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
			failed = errors.Join(failed, fmt.Errorf("take it off %s: %w", p.link(), err))
		}
	}
	after, err := addresses(ip)
	if err != nil {
		return t, err
	}
	for _, p := range placesOf(ip, after) {
		t.left = append(t.left, p.link())
	}
	if len(t.left) == 0 {
		failed = nil // somebody else was faster
	}
	for _, lost := range droppedWith(ip, before, after) {
		if err := putBack(lost); err != nil {
			failed = errors.Join(failed, fmt.Errorf("put back %s on %s, which the kernel dropped with it: %w", lost.prefix(), lost.link(), err))
			continue
		}
		t.mended = append(t.mended, lost.prefix().String())
	}
	return t, failed
}

// droppedWith are the addresses that went with ip: unless promote_secondaries is set, the kernel drops those IPv4
// addresses which came to the same network later than the one that is taken off.
func droppedWith(ip netip.Addr, before, after []place) []place {
	var lost []place
	for _, p := range before {
		if p.ip() == ip || p.addr.Flags&unix.IFA_F_SECONDARY == 0 || !p.ip().Is4() {
			continue
		}
		dependent := slices.ContainsFunc(before, func(ours place) bool {
			return ours.ip() == ip && ours.addr.Flags&unix.IFA_F_SECONDARY == 0 && ours.addr.LinkIndex == p.addr.LinkIndex &&
				ours.prefix().Masked() == p.prefix().Masked()
		})
		stays := slices.ContainsFunc(after, func(q place) bool { return q.addr.LinkIndex == p.addr.LinkIndex && q.prefix() == p.prefix() })
		if dependent && !stays {
			lost = append(lost, p)
		}
	}
	return lost
}

func putBack(p place) error {
	addr := p.addr
	addr.Flags &= unix.IFA_F_NOPREFIXROUTE
	if addr.Broadcast == nil {
		addr.Broadcast = net.IPv4zero // which means none; left out, it would be made up
	}
	err := netlink.AddrAdd(nil, &addr)
	if errors.Is(err, unix.EEXIST) {
		return nil
	}
	return err
}
