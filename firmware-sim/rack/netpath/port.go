package netpath

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
)

// loopback is an address of this process alone, as far as chance goes: ports wait unbound for a node that is off, and
// another lab on this machine would take them. The whole of 127.0.0.0/8 is this machine.
var loopback = netip.AddrFrom4([4]byte{127, 1 + byte(rand.IntN(254)), byte(rand.IntN(256)), 1 + byte(rand.IntN(254))})

// given are the ports that this process has asked for; none is given twice.
var given struct {
	sync.Mutex
	ports map[uint16]bool
}

// The kernel hands out ports from 32768 on to whoever asks for any; below that only those who ask for it get one.
const (
	firstPort = 20000
	lastPort  = 31999
	tries     = 200
)

// FreePort finds a UDP port of the loopback network that nobody has bound and that was not given before. It is not held:
// the caller's process binds it. Safe for concurrent use.
func FreePort() (netip.AddrPort, error) {
	given.Lock()
	defer given.Unlock()
	if given.ports == nil {
		given.ports = map[uint16]bool{}
	}
	var last error
	for range tries {
		port := uint16(firstPort + rand.IntN(lastPort-firstPort+1))
		if given.ports[port] {
			last = fmt.Errorf("port %d was given before", port)
			continue
		}
		at := netip.AddrPortFrom(loopback, port)
		conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
		if err == nil {
			if err := conn.Close(); err != nil {
				return at, fmt.Errorf("netpath: give port %d back: %w", port, err)
			}
			given.ports[port] = true
			return at, nil
		}
		last = err
	}
	return netip.AddrPort{}, errors.Join(fmt.Errorf("netpath: no free port after %d tries", tries), last)
}
