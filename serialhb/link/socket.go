package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	classCS6      = 48 << 2 // network control, as the traffic class byte carries it
	priorityLevel = 6       // the highest that needs no privilege
)

// socket is an open UDP socket. One goroutine reads, one at a time sends.
type socket struct {
	*source
	nameOf func(netip.AddrPort) ([]byte, error) // kernelName, which may take long: it asks for the number of a named interface

	mu     sync.Mutex // over fd, against a number that is another file's by now
	closed bool
	names  map[netip.AddrPort][]byte // addresses as the kernel takes them
	asking bool                      // for one of them anew
}

// bind opens a socket at an address.
func bind(listen netip.AddrPort) (*socket, error) {
	s, err := open(listen)
	if err == nil {
		return s, nil
	}
	fix := "correct the address in the configuration"
	switch {
	case errors.Is(err, unix.EADDRNOTAVAIL), errors.Is(err, errNoInterface):
		fix = "this host does not have that address yet; bring its interface up, or correct the address in the configuration"
	case errors.Is(err, unix.EADDRINUSE):
		fix = "another program uses that port; stop it, or give this link another port"
	}
	return nil, fmt.Errorf("link: listen on %s: %w; %s", listen, err, fix)
}

func open(listen netip.AddrPort) (*socket, error) {
	family := unix.AF_INET6
	if listen.Addr().Is4() {
		family = unix.AF_INET
	}
	name, err := kernelName(listen)
	if err != nil {
		return nil, err
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	favour(fd, listen.Addr().Is4())
	if _, _, errno := unix.Syscall(unix.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&name[0])), uintptr(len(name))); errno != 0 {
		return nil, errors.Join(errno, unix.Close(fd))
	}
	in, err := newSource(fd)
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return &socket{source: in, nameOf: kernelName, names: map[netip.AddrPort][]byte{}}, nil
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

// send hands a datagram to the kernel. A full queue is an error: the next pulse is newer than this one.
func (s *socket) send(to netip.AddrPort, b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	name := s.names[to]
	if name == nil {
		s.ask(to)
		return errNoAddress
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&name[0])), uintptr(len(name)))
	if errno != 0 {
		s.ask(to)
		return errno
	}
	return nil
}

// ask has an address learnt again, for its interface may have another number by now. It does not wait: the kernel answers
// under a lock that a driver which resets its device may hold for long, and whoever sends must go on to the other links.
func (s *socket) ask(to netip.AddrPort) {
	if to.Addr().Zone() == "" || s.asking {
		return
	}
	s.asking = true
	go func() {
		s.learn(to)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asking = false
	}()
}

// learn finds out how the kernel takes an address. One that it does not know yet is asked for with every send.
func (s *socket) learn(to netip.AddrPort) {
	name, err := s.nameOf(to)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names[to] = name
}

// pending is the length of the first datagram that waits.
func (s *socket) pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var n int32
	if s.closed {
		return 0
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(s.fd), unix.TIOCINQ, uintptr(unsafe.Pointer(&n))); errno != 0 { // FIONREAD by its other name
		return 0
	}
	return int(n)
}

// close is for after the last read.
func (s *socket) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return errors.Join(s.source.close(), unix.Close(s.fd))
}

var (
	errNoAddress   = errors.New("no address is known of that member, or not yet")
	errNoInterface = errors.New("no interface has that name")
)

// kernelName is an address as the kernel takes it: struct sockaddr_in or sockaddr_in6.
func kernelName(a netip.AddrPort) ([]byte, error) {
	switch {
	case a.Addr().Is4():
		name := make([]byte, unix.SizeofSockaddrInet4)
		binary.NativeEndian.PutUint16(name, unix.AF_INET)
		binary.BigEndian.PutUint16(name[2:], a.Port())
		ip := a.Addr().As4()
		copy(name[4:], ip[:])
		return name, nil
	case a.Addr().Is6():
		scope, err := scopeOf(a.Addr().Zone())
		if err != nil {
			return nil, err
		}
		name := make([]byte, unix.SizeofSockaddrInet6)
		binary.NativeEndian.PutUint16(name, unix.AF_INET6)
		binary.BigEndian.PutUint16(name[2:], a.Port())
		ip := a.Addr().As16()
		copy(name[8:], ip[:])
		binary.NativeEndian.PutUint32(name[24:], scope)
		return name, nil
	}
	return nil, errNoAddress
}

// scopeOf is the number of the interface that a zone names; 0 is no zone.
func scopeOf(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n), nil
	}
	i, err := net.InterfaceByName(zone)
	if err != nil {
		return 0, fmt.Errorf("%w: %q", errNoInterface, zone)
	}
	return uint32(i.Index), nil
}
