package main

import (
	"errors"
	"os"
	"strings"
	"time"

	"github.com/serialhb/serialhb/gpio"
	"github.com/serialhb/serialhb/gpio/cdev"
	"github.com/serialhb/serialhb/gpio/modem"
	"github.com/serialhb/serialhb/gpio/periph"
	"github.com/serialhb/serialhb/gpio/sim"
	"github.com/serialhb/serialhb/serialhb/config"
	"github.com/serialhb/serialhb/serialhb/daemon"
	"github.com/serialhb/serialhb/serialhb/detect"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/journal"
	"github.com/serialhb/serialhb/serialhb/link"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// This file, wire_power.go and wire_services.go are the only places that know both the daemon and its adapters.

// keyring reads the keys of a configuration.
func keyring(c *config.Config) (*pulse.Keyring, error) {
	var keys [][]byte
	for _, f := range c.KeyFiles {
		k, err := config.ReadKey(f)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return pulse.NewKeyring(c.Cluster, keys...)
}

// lines is the table of gpio backends that a configuration uses. Nothing is opened that is not named in it.
func lines(c *config.Config) (gpio.Table, func(), error) {
	t := gpio.Table{Backends: map[string]gpio.Backend{}, Accept: c.AcceptedLines()}
	board := sim.New(os.Getenv(sim.Env), "serialhb")
	for _, f := range c.Fences {
		for _, l := range []gpio.Line{f.Wiring.Coil, f.Wiring.Sense, f.Wiring.Mirror} {
			if _, known := t.Backends[l.Backend]; known {
				continue
			}
			switch l.Backend {
			case "cdev":
				t.Backends[l.Backend] = cdev.New()
			case "modem":
				t.Backends[l.Backend] = modem.New()
			case "sim":
				t.Backends[l.Backend] = board
			case "periph":
				b, err := periph.New()
				if err != nil {
					return t, nil, err
				}
				t.Backends[l.Backend] = b
			}
		}
	}
	return t, func() { board.Close() }, nil
}

// wire is a link with its counters as the daemon shows them.
type wire struct{ link.Link }

func (w wire) Counters() map[string]uint64 {
	c := w.Link.Counters()
	m := map[string]uint64{
		"sent": c.Out.Sent, "sent_bytes": c.Out.SentBytes, "dropped_stale": c.Out.DroppedStale, "write_stalls": c.Out.WriteStalls, "write_errors": c.Out.WriteErrors, "side_sent": c.Out.SideSent,
		"received": c.In.Frames, "received_bytes": c.In.Bytes, "lost": c.In.Lost, "short": c.In.Short, "jitter_max_us": uint64(c.In.JitterMax / time.Microsecond),
		"jitter_mean_us": uint64(c.In.JitterMean / time.Microsecond), "check_errors": c.In.CheckErrors,
		"key_errors": c.In.KeyErrors, "wrong_cluster": c.In.WrongCluster, "replays": c.In.Replays, "resyncs": c.In.Resyncs,
		"noise_bytes": c.In.NoiseBytes, "late": c.In.Late, "malformed": c.In.Malformed, "newer_version": c.In.NewerVersion,
		"reopens": c.Reopens,
	}
	if c.Line != nil {
		m["framing_errors"], m["overruns"], m["breaks"] = c.Line.Frame, c.Line.Overrun, c.Line.Break
	}
	return m
}

// sink hands what a link or a service brings to the daemon, which is made after them.
type sink struct{ d *daemon.Daemon }

func (s *sink) Frame(l int, at time.Duration, f *pulse.Frame, v pulse.Verdict) {
	s.d.Frame(l, at, f, v)
}
func (s *sink) Noise(l int, at time.Duration, n int) { s.d.Noise(l, at) }
func (s *sink) Change(l int, at time.Duration, st link.Status) {
	s.d.Change(l, st.Up, st.DeviceLost, st.Reason)
}

func openLinks(c *config.Config, keys *pulse.Keyring, to *sink, clock daemon.Clock) ([]daemon.LinkInfo, error) {
	var out []daemon.LinkInfo
	for i, l := range c.Links {
		info := daemon.LinkInfo{Name: l.Name, Kind: string(l.Kind), Serial: l.Kind == config.Serial}
		for p := range l.Peers {
			info.Peers |= 1 << p
		}
		var made link.Link
		var err error
		switch l.Kind {
		case config.Serial:
			info.Device = l.Device
			made, err = link.NewSerial(link.SerialConfig{Index: i, Name: l.Name, Device: l.Device, Baud: l.Baud, Keys: keys.Clone(),
				Sink: to, Clock: link.Clock(clock), SideBytesPerSecond: l.SideBytesPerSecond})
		case config.UDP:
			info.Device = l.Listen
			made, err = link.NewUDP(link.UDPConfig{Index: i, Name: l.Name, Listen: l.Listen, Peers: l.Peers, Keys: keys.Clone(),
				Sink: to, Clock: link.Clock(clock)})
		}
		if err != nil {
			return nil, err
		}
		info.Link = wire{made}
		out = append(out, info)
	}
	return out, nil
}

// preferences gives, by group, the nodes in order of preference and the way back to the first, in words.
func preferences(c *config.Config) (prefer [][]string, failback []string) {
	for _, g := range c.Groups {
		var names []string
		for _, n := range g.Prefer {
			names = append(names, c.Nodes[n].Name)
		}
		prefer = append(prefer, names)
		failback = append(failback, map[failover.Failback]string{failover.FailbackOff: "off", failover.FailbackManual: "manual", failover.FailbackAuto: "auto"}[g.Failback])
	}
	return prefer, failback
}

// build makes the daemon of a configuration. close gives back what it holds; call it after Run.
func build(c *config.Config, o daemon.Options) (d *daemon.Daemon, end func(), err error) {
	end = func() {}
	defer func() {
		if err != nil {
			end()
		}
	}()
	o.Cluster, o.Node = c.Cluster, c.Node()
	o.Decision = c.Decision
	o.Decision.Boot = journal.BootHash(o.BootID)
	o.HealthEvery = c.Timing.HealthEvery
	o.Digests = [2]uint64{c.CoreDigest, c.RestDigest}
	for _, n := range c.Nodes {
		o.Names.Members = append(o.Names.Members, n.Name)
	}
	to := &sink{}
	for i, g := range c.Groups {
		o.Names.Groups = append(o.Names.Groups, g.Name)
		s, err := openServices(c, i, o.BootID, to)
		if err != nil {
			return nil, end, err
		}
		o.Services = append(o.Services, s)
	}
	o.Prefer, o.Failback = preferences(c)
	if o.Keys, err = keyring(c); err != nil {
		return nil, end, err
	}
	table, closeLines, err := lines(c)
	if err != nil {
		return nil, end, err
	}
	end = closeLines
	if err = openPowers(c, table, &o); err != nil {
		return nil, end, err
	}
	if o.Links, err = openLinks(c, o.Keys, to, o.Clock); err != nil {
		return nil, end, err
	}
	o.Detection = detection(c)
	d = daemon.New(o)
	to.d = d
	return d, end, nil
}

// extensionsMost is how often one window may be lengthened before the node calls itself too slow.
const extensionsMost = 10

// detection is when others are late and silent. The daemon adds the links.
func detection(c *config.Config) detect.Config {
	t := &c.Timing
	return detect.Config{Me: uint8(c.Me), N: uint8(len(c.Nodes)), Interval: t.Interval, Multiplier: uint8(t.DetectMultiplier),
		LateMultiplier: uint8(t.LateMultiplier), Stretch: t.NoiseStretch, StartWindow: t.StartWindow, Extensions: extensionsMost}
}

// findings turns the errors of a configuration into one error.
func findings(path string, all []config.Finding) error {
	var lines []string
	for _, f := range all {
		if f.Severity == config.Error {
			lines = append(lines, path+": "+f.String())
		}
	}
	if len(lines) == 0 {
		return nil
	}
	return errors.New(strings.Join(lines, "\n"))
}
