package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	classCS6      = 48 << 2 // network control, as the traffic class byte carries it
	priorityLevel = 6       // the highest that needs no privilege
)

// bind opens the socket.
func (l *UDP) bind(ctx context.Context) (*net.UDPConn, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { favour(int(fd), l.listen.Addr().Is4()) })
	}}
	conn, err := lc.ListenPacket(ctx, "udp", l.listen.String())
	if err == nil {
		return conn.(*net.UDPConn), nil
	}
	fix := "correct the address in the configuration"
	switch {
	case errors.Is(err, unix.EADDRNOTAVAIL):
		fix = "this host does not have that address yet; bring its interface up, or correct the address in the configuration"
	case errors.Is(err, unix.EADDRINUSE):
		fix = "another program uses that port; stop it, or give this link another port"
	}
	return nil, fmt.Errorf("link: listen on %s: %w; %s", l.listen, err, fix)
}

// favour asks the network to prefer our datagrams. A network that does not is only slower, so failures do not matter.
// The priority comes second: the traffic class sets one too.
func favour(fd int, is4 bool) {
	if is4 {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TOS, classCS6)
	} else {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, classCS6)
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PRIORITY, priorityLevel)
}
