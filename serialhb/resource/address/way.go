package address

import (
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Way is how this host would send to an address.
type Way struct {
	Interface string
	Via       netip.Addr // the next router; none is a neighbour
	Here      bool       // it is an address of this host
}

// kernelTime bounds the wait for the kernel.
const kernelTime = 2 * time.Second

// WayTo asks the kernel, and sends nothing. It waits for the kernel, for 2 s at most.
func WayTo(at netip.Addr) (Way, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return Way{}, fmt.Errorf("ask the kernel for the route to %s: %w", at, err)
	}
	defer h.Close()
	if err := h.SetSocketTimeout(kernelTime); err != nil {
		return Way{}, fmt.Errorf("ask the kernel for the route to %s: %w", at, err)
	}
	routes, err := h.RouteGet(at.AsSlice())
	if err != nil {
		return Way{}, fmt.Errorf("find the route to %s: %w", at, err)
	}
	if len(routes) == 0 {
		return Way{}, fmt.Errorf("find the route to %s: the kernel gave no answer", at)
	}
	r := &routes[0]
	w := Way{Here: r.Type == unix.RTN_LOCAL}
	router := r.Gw
	if via, ok := r.Via.(*netlink.Via); ok {
		router = via.Addr
	}
	if next, ok := netip.AddrFromSlice(router); ok {
		w.Via = next.Unmap()
	}
	card, err := net.InterfaceByIndex(r.LinkIndex)
	if err != nil {
		return Way{}, fmt.Errorf("find the interface to %s: %w", at, err)
	}
	w.Interface = card.Name
	return w, nil
}
