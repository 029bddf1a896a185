package address

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// What a [Config] that leaves them 0 gets.
const (
	DefaultProbeWait     = 200 * time.Millisecond
	DefaultAnnouncements = 5
	DefaultSpacing       = time.Second
	DefaultRefresh       = time.Minute
	DefaultTimeout       = 10 * time.Second
)

// Never switches off what a [Config] would otherwise do after a time.
const Never time.Duration = -1

// The limits of a [Config].
const (
	MinProbeWait     = 20 * time.Millisecond
	MaxProbeWait     = 10 * time.Second
	MaxAnnouncements = 100
	MinSpacing       = 100 * time.Millisecond
	MinRefresh       = time.Second
)

// maxName is the longest name of an interface, and of a label.
const maxName = 15

// Config describes a resource of kind address.
type Config struct {
	Name      string       // unique within the group; "" is the address
	Address   netip.Prefix // IPv4 or IPv6, with the prefix length that it gets on the interface
	Interface string       // an Ethernet-like one: eth0, bond0, br0, eth0.7

	// ProbeWait is for how long nobody may answer for the address before it is taken: 0 is [DefaultProbeWait],
	// [Never] takes it without asking.
	ProbeWait time.Duration

	Announcements int           // after the first one, which comes at once; 0 is [DefaultAnnouncements]
	Spacing       time.Duration // between these; 0 is [DefaultSpacing]
	Refresh       time.Duration // between the later ones; 0 is [DefaultRefresh], [Never] ends with the last of these

	Timeout time.Duration // of a whole start or stop; 0 is [DefaultTimeout]

	// Tell hears what happens to the address beside the calls; nil is nobody. It is called from goroutines of this
	// package, must not block, and must not call the Address.
	Tell func(Event)

	// Rightful is asked before every announcement that nobody called for: the repeated ones and the answer to another
	// claimant. Whoever was frozen may own nothing any more when it goes on, and must not take the address back from
	// its successor before it has found out. nil is always. It is called like Tell.
	Rightful func() bool
}

// broadcast is everybody's on any network.
var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// check fills in what is left 0 and refuses what cannot work.
func (c *Config) check() error {
	ip := c.Address.Addr()
	switch {
	case !c.Address.IsValid():
		return errors.New(`give it an address with its prefix length, such as "192.0.2.10/24"`)
	case ip.Is4In6():
		return fmt.Errorf("write the IPv4 address as such: %s", netip.PrefixFrom(ip.Unmap(), max(0, c.Address.Bits()-96)))
	case ip.IsUnspecified(), ip.IsMulticast(), ip.IsLoopback(), ip == broadcast, ip.Is4() && ip.As4()[0] == 0:
		return fmt.Errorf("%s belongs to no single host: give it one that does", ip)
	case ip.Is4() && c.Address.Bits() < 31 && (ip == c.Address.Masked().Addr() || ip == lastOf(c.Address)):
		return fmt.Errorf("%s is the network or the broadcast address of %s: give it another or correct the prefix length", ip, c.Address.Masked())
	case c.Address.Bits() == 0:
		return fmt.Errorf("%s would take in every address there is: correct the prefix length", c.Address)
	case c.Interface == "":
		return errors.New("give it an interface")
	case len(c.Interface) > maxName || strings.ContainsAny(c.Interface, "/: \t\n\x00") || c.Interface == "." || c.Interface == "..":
		return fmt.Errorf("%q is no name of an interface: give it the interface itself, without a label", c.Interface)
	}
	if c.Name == "" {
		c.Name = ip.String()
	}
	if c.Announcements == 0 {
		c.Announcements = DefaultAnnouncements
	}
	if c.Announcements < 0 || c.Announcements > MaxAnnouncements {
		return fmt.Errorf("%d announcements: 1 to %d are possible", c.Announcements, MaxAnnouncements)
	}
	for _, d := range []struct {
		what       string
		value      *time.Duration
		usual, min time.Duration
		max        time.Duration // 0: none
		never      bool
	}{
		{"the wait of the duplicate probe", &c.ProbeWait, DefaultProbeWait, MinProbeWait, MaxProbeWait, true},
		{"the spacing of announcements", &c.Spacing, DefaultSpacing, MinSpacing, 0, false},
		{"the refresh of announcements", &c.Refresh, DefaultRefresh, MinRefresh, 0, true},
		{"the time-out", &c.Timeout, DefaultTimeout, 1, 0, false},
	} {
		switch {
		case *d.value == 0:
			*d.value = d.usual
		case *d.value == Never && d.never:
		case *d.value < d.min:
			return fmt.Errorf("%s is %v: it must be at least %v", d.what, *d.value, d.min)
		case d.max > 0 && *d.value > d.max:
			return fmt.Errorf("%s is %v: it must be at most %v", d.what, *d.value, d.max)
		}
	}
	if c.ProbeWait != Never && c.Timeout < 2*c.ProbeWait+undecided {
		return fmt.Errorf("the time-out of %v leaves no room for a duplicate probe of %v: give it at least %v", c.Timeout, c.ProbeWait, 2*c.ProbeWait+undecided)
	}
	return nil
}

// lastOf is the last address of an IPv4 prefix.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(b)
}
