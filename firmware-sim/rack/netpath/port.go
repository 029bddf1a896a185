package netpath

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
)

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// The kernel hands out ports from 32768 on to whoever asks for any; below that only those who ask for it get one.
const (
	firstPort = 20000
	lastPort  = 31999
	tries     = 200
)

// FreePort finds a UDP port of 127.0.0.1 that nobody has bound. It is not held: the caller's process binds it.
func FreePort() (uint16, error) {
	var last error
	for range tries {
		port := uint16(firstPort + rand.IntN(lastPort-firstPort+1))
		conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, port)))
		if err == nil {
			if err := conn.Close(); err != nil {
				return 0, fmt.Errorf("netpath: give port %d back: %w", port, err)
			}
			return port, nil
		}
		last = err
	}
	return 0, errors.Join(fmt.Errorf("netpath: no free port after %d tries", tries), last)
}
