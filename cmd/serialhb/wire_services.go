package main

import (
	"context"
	"errors"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"github.com/serialhb/serialhb/serialhb/config"
	"github.com/serialhb/serialhb/serialhb/daemon"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/resource"
	"github.com/serialhb/serialhb/serialhb/resource/address"
)

// services are the resources of one group.
type services struct {
	*resource.Group
	names     []string
	addresses []*address.Address

	mu     sync.Mutex
	probes []*address.DuplicateProbe // the newest, beside addresses; nil is none
}

func openServices(c *config.Config, group int, boot string, to *sink) (*services, error) {
	g := c.Groups[group]
	var all []resource.Resource
	s := &services{}
	for _, r := range g.Resources {
		var one resource.Resource
		var err error
		switch r.Kind {
		case "address":
			var a *address.Address
			if a, err = address.New(addressConfig(r, group, to)); err == nil {
				one, s.addresses = a, append(s.addresses, a)
			}
		default:
			one, err = resource.NewExec(resource.ExecConfig{
				Cluster: c.Cluster, Node: c.Node(), Group: g.Name, Name: r.Name,
				Start: r.Start, Stop: r.Stop, Status: r.Status,
				StartTimeout: r.StartTimeout, StopTimeout: r.StopTimeout, StatusTimeout: r.StatusTimeout,
				Unfinished: filepath.Join(c.NodeRunDir(), "unfinished-"+url.PathEscape(g.Name+"."+r.Name)), Boot: boot,
			})
		}
		if err != nil {
			return s, err
		}
		all, s.names = append(all, one), append(s.names, r.Name)
	}
	s.probes = make([]*address.DuplicateProbe, len(s.addresses))
	var err error
	s.Group, err = resource.NewGroup(g.Name, all, nil)
	return s, err
}

func addressConfig(r config.Resource, group int, to *sink) address.Config {
	a := address.Config{
		Name: r.Name, Address: r.Address, Interface: r.Interface, ProbeWait: r.ProbeWait,
		Announcements: r.Announcements, Spacing: r.Spacing, Refresh: r.Refresh, Timeout: r.Timeout,
	}
	for _, d := range []*time.Duration{&a.ProbeWait, &a.Refresh} {
		if *d == 0 {
			*d = address.Never
		}
	}
	if to != nil {
		a.Tell = func(e address.Event) { to.d.Tell(group, addressNews(r.Name, e)) }
		a.Rightful = func() bool { return to.d.Rightful(group) }
	}
	return a
}

// claimLasts is for how long somebody who claims an address is an alarm: an address tells of the same one every minute.
const claimLasts = 2 * time.Minute

// addressNews turns what happens to an address into news, with the alarms that it begins or ends.
func addressNews(name string, e address.Event) daemon.News {
	n := daemon.News{Service: name, Code: string(e.Kind), Text: e.Text}
	switch e.Kind {
	case address.SecondOwner:
		n.Alarm, n.Lasts = true, claimLasts
	case address.LinkLost, address.Removed, address.Unannounced, address.Deafened:
		n.Alarm = true
	case address.LinkBack:
		n.Ends = string(address.LinkLost)
	case address.Returned:
		n.Ends = string(address.Removed)
	case address.Announced:
		n.Ends = string(address.Unannounced)
	case address.Hearing:
		n.Ends = string(address.Deafened)
	case address.Cleaned, address.Mended:
	}
	return n
}

func (s *services) Names() []string { return s.names }

func (s *services) Probe(ctx context.Context) (failover.Found, error) {
	state, err := s.Group.Probe(ctx)
	switch {
	case err != nil:
		return failover.FoundUnknown, err
	case state == resource.Running:
		return failover.FoundRunning, nil
	case state == resource.Stopped:
		return failover.FoundStopped, nil
	}
	return failover.FoundUnknown, nil
}

// Start implements [daemon.Services].
func (s *services) Start(ctx context.Context) error {
	if len(s.addresses) > 1 {
		for _, a := range s.addresses {
			a.Prepare(ctx)
		}
	}
	return s.Group.Start(ctx)
}

// BeginProbe implements [daemon.Prober].
func (s *services) BeginProbe(ctx context.Context) error {
	var failed []error
	for i, a := range s.addresses {
		p, err := a.BeginProbe(ctx)
		failed = append(failed, err)
		s.mu.Lock()
		s.probes[i] = p
		s.mu.Unlock()
	}
	return errors.Join(failed...)
}

// Proven implements [daemon.Prober].
func (s *services) Proven() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, p := range s.probes {
		if p != nil {
			p.Proven()
			s.probes[i] = nil
		}
	}
}

// Announce implements [daemon.Announcer].
func (s *services) Announce() {
	for _, a := range s.addresses {
		a.Announce()
	}
}

// Keep implements [daemon.Keeper].
func (s *services) Keep(ctx context.Context) error {
	var failed []error
	for _, a := range s.addresses {
		failed = append(failed, a.Keep(ctx))
	}
	return errors.Join(failed...)
}

// Close implements [daemon.Closer].
func (s *services) Close() {
	for _, a := range s.addresses {
		a.Close()
	}
}
