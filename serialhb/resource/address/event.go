package address

import (
	"fmt"
	"net/netip"
)

// Kind is what an [Event] is about.
type Kind string

// The kinds. Those marked alarm call for a person.
const (
	SecondOwner Kind = "second-owner"   // alarm: somebody else claims the address too
	LinkLost    Kind = "link-lost"      // alarm: the interface is gone, off or without carrier
	LinkBack    Kind = "link-back"      // it ended
	Removed     Kind = "removed"        // alarm: somebody took the address off the interface
	Returned    Kind = "returned"       // somebody put it back
	Unannounced Kind = "unannounced"    // alarm: an announcement could not be sent; it is tried again
	Announced   Kind = "announced"      // it was sent after all
	Cleaned     Kind = "cleaned"        // the address was taken off an interface where nobody expected it
	Mended      Kind = "mended"         // other addresses that the kernel dropped with ours were put back
	Deafened    Kind = "cannot-watch"   // alarm: changes and claims are not heard of; it is tried again
	Hearing     Kind = "watching-again" // it ended
)

// Event is news of an address. Text is one sentence.
type Event struct {
	Kind Kind
	Text string
}

// MAC is an Ethernet address.
type MAC [6]byte

func (m MAC) String() string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}

// HeldError says who holds an address that was to be taken. Its sentence goes on after the address.
type HeldError struct {
	Address   netip.Addr
	Interface string
	By        MAC
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("it is held by %s on %s: find that machine and take the address from it, or configure another", e.By, e.Interface)
}
