package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/config"
)

// lookUpTime bounds the look for the address behind a name.
const lookUpTime = 2 * time.Second

func lookUp(ctx context.Context, name string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, lookUpTime)
	defer cancel()
	return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
}

// checkPath warns of a board that is reached over what leads to the peers too: when that fails, the pulses stop and the
// board cannot be asked, at the same moment. What stands in the file as an address of a node is the file's own to warn of.
func (m machine) checkPath(ctx context.Context, c *config.Config, f *config.Fence) []config.Finding {
	target := c.Nodes[f.Target].Name
	for _, option := range fencing.AddressOptions {
		value := f.Agent.Params[option]
		if value == "" {
			continue
		}
		for _, at := range m.addresses(ctx, value) {
			text, fix := m.path(c, f, at)
			if text == "" {
				continue
			}
			return []config.Finding{f.Finding(config.Warning, "options."+option, fmt.Sprintf("the board that cuts %s, at %s, %s", target, at, text), fix)}
		}
	}
	return nil
}

func (m machine) addresses(ctx context.Context, value string) []netip.Addr {
	if at, err := netip.ParseAddr(value); err == nil {
		return []netip.Addr{at.Unmap()}
	}
	if at, err := netip.ParseAddrPort(value); err == nil {
		return []netip.Addr{at.Addr().Unmap()}
	}
	found, err := m.lookUp(ctx, value)
	if err != nil {
		return nil // the agent itself will say so when it is asked
	}
	for i := range found {
		found[i] = found[i].Unmap()
	}
	return found
}

// path says what is wrong with the way to a board, and what to do about it; nothing is good.
func (m machine) path(c *config.Config, f *config.Fence, at netip.Addr) (text, fix string) {
	const (
		name  = "name the address of the management board, or of the power switch"
		apart = "connect it by another interface, or add a level that needs none"
	)
	to, err := m.wayTo(at)
	if err != nil {
		return "cannot be reached from here: " + err.Error(), "correct the address, or the routes of this machine"
	}
	literal := false // it stands in the file, which was looked at
	for _, option := range fencing.AddressOptions {
		stands, err := netip.ParseAddr(f.Agent.Params[option])
		literal = literal || err == nil && stands.Unmap() == at
	}
	for _, l := range c.Links {
		if l.Kind != config.UDP {
			continue
		}
		if own, err := netip.ParseAddrPort(l.Listen); err == nil && own.Addr().Unmap() == at && literal {
			return "", ""
		}
		for peer, end := range l.Peers {
			end, err := netip.ParseAddrPort(end)
			if err != nil {
				continue
			}
			host, who := end.Addr().Unmap(), c.Nodes[peer].Name
			over, err := m.wayTo(host)
			switch {
			case host == at && !literal:
				return fmt.Sprintf("is %s itself by link %s", who, l.Name), name
			case host == at:
				return "", ""
			case to.Via == host:
				return fmt.Sprintf("is reached through %s, the peer itself by link %s", who, l.Name), "connect it so that no node is on the way to it"
			case err == nil && !to.Here && to.Interface == over.Interface && int(peer) == int(f.Target):
				return fmt.Sprintf("is reached over %s, as %s is by link %s, so one fault there takes the heartbeat and the means to cut", to.Interface, who, l.Name), apart
			}
		}
	}
	if to.Here {
		return "is this machine itself", name
	}
	return "", ""
}
