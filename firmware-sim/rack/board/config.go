package board

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Usual times of a small power relay (data sheets: at most 10 ms and 5 ms).
const (
	DefaultOperate = 8 * time.Millisecond
	DefaultRelease = 4 * time.Millisecond
)

// Config is a whole installation. As JSON it is the argument of [Main]; durations are in nanoseconds there.
type Config struct {
	Socket string // path of the unix socket
	Relays []Relay
	Senses []Sense
	Hosts  []Host
}

// What drives a relay's contact open, and what an output does when its process goes away.
const (
	Energise = "energise" // normally closed: the energised coil cuts (the default)
	Release  = "release"  // normally open: the coil without current cuts

	Revert = "revert" // back to low (the default)
	Keep   = "keep"   // the level stays
)

// Relay is an output line with a coil and a contact in somebody's feed. The line is active high.
type Relay struct {
	Name      string
	Cut       string        // Energise or Release
	Operate   time.Duration // from current in the coil to the moved contact
	Release   time.Duration // from no current to the moved contact
	AfterExit string        // Revert or Keep
}

// What a sense looks at.
const (
	DC     = "dc"     // the host's own supply voltage, past the hold-up
	Feed   = "feed"   // the feed of one supply, before the hold-up
	Mirror = "mirror" // the contact of one relay (forcibly guided): on is closed
)

// Sense is an input line. It reads Off when what it looks at is off, and the other level when it is on.
type Sense struct {
	Name   string
	Kind   string // DC, Feed or Mirror
	Of     string // a host; with Mirror a relay
	Supply int    // with Feed: which supply of the host, from 0
	Off    int    // the level that says off: 0 (the default) or 1
}

// Host is a server with one or more power supplies. It has DC while the mains are on and the feed of at least one supply
// is closed, and for HoldUp after that.
type Host struct {
	Name     string
	HoldUp   time.Duration
	Supplies [][]string // per supply the relays in series in its feed; none is an uncut feed
}

// Options shape the installation that [Standard] draws. The zero value is one supply, one level, usual relays.
type Options struct {
	Supplies    int           // power supplies per host, 0 is 1
	SecondLevel bool          // a second relay in series upstream of all supplies of a host
	HoldUp      time.Duration // of every host
	Operate     time.Duration // 0 is DefaultOperate
	Release     time.Duration // 0 is DefaultRelease
	AfterExit   string        // of every relay, "" is Revert
	SenseOff    int           // of every dc and feed sense
}

// Standard draws the usual installation: every node can cut every other. For target ALPHA and two nodes the names are
//
//	RELAY_ALPHA    cuts alpha's first supply; RELAY_ALPHA_B, RELAY_ALPHA_C ... its further ones
//	RELAY2_ALPHA   with SecondLevel: in series with all of them
//	SENSE_ALPHA    alpha's DC
//	FEED_ALPHA     the feed of alpha's first supply; FEED_ALPHA_B ...
//	MIRROR_ALPHA   the mirror contact of RELAY_ALPHA; MIRROR_ALPHA_B ... MIRROR2_ALPHA
//
// With three or more nodes every fencing node has lines of its own and the target's name is followed by the fencing
// node's: RELAY_ALPHA_BY_BRAVO.
func Standard(nodes []string, o Options) Config {
	var cfg Config
	supplies := max(1, o.Supplies)
	for _, target := range nodes {
		host := Host{Name: target, HoldUp: o.HoldUp, Supplies: make([][]string, supplies)}
		for _, by := range nodes {
			if by == target {
				continue
			}
			name := strings.ToUpper(target)
			if len(nodes) > 2 {
				name += "_BY_" + strings.ToUpper(by)
			}
			cfg.Senses = append(cfg.Senses, Sense{Name: "SENSE_" + name, Kind: DC, Of: target, Off: o.SenseOff})
			for s := range supplies {
				unit := name
				if s > 0 {
					unit += "_" + string(rune('A'+s))
				}
				cfg.addRelay(o, "RELAY_"+unit, "MIRROR_"+unit)
				cfg.Senses = append(cfg.Senses, Sense{Name: "FEED_" + unit, Kind: Feed, Of: target, Supply: s, Off: o.SenseOff})
				host.Supplies[s] = append(host.Supplies[s], "RELAY_"+unit)
				if o.SecondLevel {
					host.Supplies[s] = append(host.Supplies[s], "RELAY2_"+name)
				}
			}
			if o.SecondLevel {
				cfg.addRelay(o, "RELAY2_"+name, "MIRROR2_"+name)
			}
		}
		cfg.Hosts = append(cfg.Hosts, host)
	}
	return cfg
}

func (c *Config) addRelay(o Options, name, mirror string) {
	r := Relay{Name: name, Cut: Energise, Operate: o.Operate, Release: o.Release, AfterExit: o.AfterExit}
	if r.Operate == 0 {
		r.Operate = DefaultOperate
	}
	if r.Release == 0 {
		r.Release = DefaultRelease
	}
	c.Relays = append(c.Relays, r)
	c.Senses = append(c.Senses, Sense{Name: mirror, Kind: Mirror, Of: name})
}

// validate finds what would otherwise show as a fault that nobody injected.
func (c *Config) validate() error {
	lines := map[string]bool{}
	add := func(name string) error {
		if name == "" || strings.ContainsAny(name, " \t\n") || lines[name] {
			return fmt.Errorf("board: line name %q is empty, has a space in it or is used twice", name)
		}
		lines[name] = true
		return nil
	}
	for i := range c.Relays {
		r := &c.Relays[i]
		if err := add(r.Name); err != nil {
			return err
		}
		if r.Cut == "" {
			r.Cut = Energise
		}
		if r.AfterExit == "" {
			r.AfterExit = Revert
		}
		if r.Cut != Energise && r.Cut != Release || r.AfterExit != Revert && r.AfterExit != Keep {
			return fmt.Errorf("board: relay %s: cut %q or after-exit %q is not known", r.Name, r.Cut, r.AfterExit)
		}
	}
	for _, h := range c.Hosts {
		for _, relays := range h.Supplies {
			for _, name := range relays {
				if !c.hasRelay(name) {
					return fmt.Errorf("board: host %s is fed through relay %s, which does not exist", h.Name, name)
				}
			}
		}
	}
	for _, s := range c.Senses {
		if err := add(s.Name); err != nil {
			return err
		}
		host := slices.IndexFunc(c.Hosts, func(h Host) bool { return h.Name == s.Of })
		ok := s.Kind == DC && host >= 0 ||
			s.Kind == Feed && host >= 0 && s.Supply >= 0 && s.Supply < len(c.Hosts[host].Supplies) ||
			s.Kind == Mirror && c.hasRelay(s.Of)
		if !ok || s.Off != 0 && s.Off != 1 {
			return fmt.Errorf("board: sense %s: kind %q of %q, supply %d, off level %d makes no sense", s.Name, s.Kind, s.Of, s.Supply, s.Off)
		}
	}
	return nil
}

func (c *Config) hasRelay(name string) bool {
	return slices.ContainsFunc(c.Relays, func(r Relay) bool { return r.Name == name })
}
