package address

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/resource"
)

func TestConfig(t *testing.T) {
	good := Config{Address: netip.MustParsePrefix("192.0.2.10/24"), Interface: "eth0"}
	with := func(change func(*Config)) Config {
		c := good
		change(&c)
		return c
	}
	to := func(prefix string) Config {
		return with(func(c *Config) { c.Address = netip.MustParsePrefix(prefix) })
	}
	for name, c := range map[string]struct {
		cfg  Config
		says string // "": accepted
	}{
		"usual":             {good, ""},
		"IPv6":              {to("2001:db8::10/64"), ""},
		"a host":            {to("192.0.2.10/32"), ""},
		"two hosts":         {to("192.0.2.10/31"), ""},
		"the end of /30":    {to("192.0.2.11/30"), "broadcast address of 192.0.2.8/30"},
		"network":           {to("192.0.2.0/24"), "network or the broadcast"},
		"broadcast":         {to("192.0.2.255/24"), "network or the broadcast"},
		"all":               {to("192.0.2.10/0"), "prefix length"},
		"none":              {with(func(c *Config) { c.Address = netip.Prefix{} }), "prefix length"},
		"mapped":            {to("::ffff:192.0.2.10/120"), "192.0.2.10/24"},
		"multicast":         {to("ff02::1/64"), "no single host"},
		"loopback":          {to("127.0.0.1/8"), "no single host"},
		"unspecified":       {to("::/64"), "no single host"},
		"everybody":         {to("255.255.255.255/32"), "no single host"},
		"this network":      {to("0.1.2.3/24"), "no single host"},
		"no interface":      {with(func(c *Config) { c.Interface = "" }), "interface"},
		"a label":           {with(func(c *Config) { c.Interface = "eth0:1" }), "without a label"},
		"a path":            {with(func(c *Config) { c.Interface = "../x" }), "no name of an interface"},
		"long interface":    {with(func(c *Config) { c.Interface = "eth0123456789012" }), "no name of an interface"},
		"never asked":       {with(func(c *Config) { c.ProbeWait, c.Timeout = Never, 1 }), ""},
		"asked too shortly": {with(func(c *Config) { c.ProbeWait = time.Millisecond }), "at least 20ms"},
		"asked too long":    {with(func(c *Config) { c.ProbeWait = time.Minute }), "at most 10s"},
		"no time to ask":    {with(func(c *Config) { c.Timeout = time.Second }), "at least 1.4s"},
		"never repeated":    {with(func(c *Config) { c.Refresh = Never }), ""},
		"storm":             {with(func(c *Config) { c.Spacing = time.Millisecond }), "at least 100ms"},
		"never spaced":      {with(func(c *Config) { c.Spacing = Never }), "spacing"},
		"refresh storm":     {with(func(c *Config) { c.Refresh = time.Millisecond }), "at least 1s"},
		"negative time-out": {with(func(c *Config) { c.Timeout = -5 }), "time-out"},
		"many":              {with(func(c *Config) { c.Announcements = 101 }), "1 to 100"},
		"fewer than none":   {with(func(c *Config) { c.Announcements = -1 }), "1 to 100"},
	} {
		a, err := New(c.cfg)
		if c.says == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (a.Name() != c.cfg.Address.Addr().String() || a.cfg.Spacing != DefaultSpacing || a.cfg.Announcements != DefaultAnnouncements) {
			t.Errorf("%s: %+v", name, a.cfg)
		}
	}
}

// A kernel that does not answer holds up no caller, and what it was asked is not asked twice at once.
func TestSilentKernel(t *testing.T) {
	a, err := New(Config{Address: netip.MustParsePrefix("192.0.2.10/24"), Interface: "lo"})
	if err != nil {
		t.Fatal(err)
	}
	answer, inside := make(chan struct{}), make(chan struct{}, 10)
	a.enter = func(f func()) {
		inside <- struct{}{}
		<-answer
		f()
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-inside
		cancel()
	}()
	if state, err := a.Probe(ctx); state != resource.Unknown || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", state, err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := a.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "wait for the kernel") {
		t.Error(err)
	}
	if len(inside) != 0 {
		t.Error("it was asked while it still had a question")
	}
	close(answer)
	if state, err := a.Probe(t.Context()); state != resource.Stopped || err != nil {
		t.Errorf("%v, %v", state, err)
	}
}

// What was opened for somebody who no longer waits is closed.
func TestAbandonedIsClosed(t *testing.T) {
	a, err := New(Config{Address: netip.MustParsePrefix("192.0.2.10/24"), Interface: "lo"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	closed := make(closer)
	_, err = ask(ctx, a, func() (closer, error) {
		cancel()
		<-t.Context().Done() // later than the caller left
		return closed, nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	t.Cleanup(func() { <-closed })
}

type closer chan struct{}

func (c closer) Close() error {
	close(c)
	return nil
}

func TestActionsWaitForTheirTurn(t *testing.T) {
	a, err := New(Config{Address: netip.MustParsePrefix("192.0.2.10/24"), Interface: "lo"})
	if err != nil {
		t.Fatal(err)
	}
	a.busy <- struct{}{}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := a.Start(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "turn") {
		t.Error(err)
	}
	a.release()
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	if err := a.Stop(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
