package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// way is how this machine would send to an address.
type way struct {
	card string     // the interface
	via  netip.Addr // the next router; none is a neighbour
	here bool       // it is an address of this machine
}

// wayTo asks the kernel. It sends nothing.
func wayTo(at netip.Addr) (way, error) {
	answer, err := askRoute(at)
	if err != nil {
		return way{}, fmt.Errorf("find the route to %s: %w", at, err)
	}
	attributes, err := syscall.ParseNetlinkRouteAttr(&answer)
	if err != nil {
		return way{}, fmt.Errorf("read the route to %s: %w", at, err)
	}
	w := way{here: answer.Data[7] == unix.RTN_LOCAL}
	for _, a := range attributes {
		switch a.Attr.Type {
		case unix.RTA_GATEWAY:
			via, _ := netip.AddrFromSlice(a.Value)
			w.via = via.Unmap()
		case unix.RTA_VIA:
			if len(a.Value) > 2 { // the family stands in front
				via, _ := netip.AddrFromSlice(a.Value[2:])
				w.via = via.Unmap()
			}
		case unix.RTA_OIF:
			if len(a.Value) < 4 {
				break
			}
			card, err := net.InterfaceByIndex(int(binary.NativeEndian.Uint32(a.Value)))
			if err != nil {
				return way{}, fmt.Errorf("find the interface to %s: %w", at, err)
			}
			w.card = card.Name
		}
	}
	return w, nil
}

// routeHeader is the length of the kernel's struct rtmsg.
const routeHeader = unix.SizeofRtMsg

// routeTime bounds the wait for the kernel, in seconds.
const routeTime = 2

func askRoute(at netip.Addr) (answer syscall.NetlinkMessage, err error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return answer, err
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: routeTime}); err != nil {
		return answer, err
	}
	if err := unix.Sendto(fd, routeQuestion(at), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return answer, err
	}
	buf := make([]byte, 64<<10)
	n, _, err := unix.Recvfrom(fd, buf, 0)
	if err != nil {
		return answer, err
	}
	all, err := syscall.ParseNetlinkMessage(buf[:n])
	switch {
	case err != nil:
		return answer, err
	case len(all) == 0:
		return answer, errors.New("the kernel gave no answer")
	case all[0].Header.Type == unix.NLMSG_ERROR && len(all[0].Data) >= 4:
		return answer, syscall.Errno(-int32(binary.NativeEndian.Uint32(all[0].Data)))
	case all[0].Header.Type != unix.RTM_NEWROUTE || len(all[0].Data) < routeHeader:
		return answer, errors.New("the kernel gave an answer that is no route")
	}
	return all[0], nil
}

// routeQuestion is a header, a struct rtmsg with the family and the length of the address in bits, and the address.
func routeQuestion(at netip.Addr) []byte {
	family, address := byte(unix.AF_INET6), at.AsSlice()
	if at.Is4() {
		family = unix.AF_INET
	}
	b := make([]byte, 0, 64)
	b = binary.NativeEndian.AppendUint32(b, uint32(unix.SizeofNlMsghdr+routeHeader+unix.SizeofRtAttr+len(address)))
	b = binary.NativeEndian.AppendUint16(b, unix.RTM_GETROUTE)
	b = binary.NativeEndian.AppendUint16(b, unix.NLM_F_REQUEST)
	b = append(b, make([]byte, 8)...) // sequence, port
	b = append(b, family, byte(at.BitLen()))
	b = append(b, make([]byte, routeHeader-2)...)
	b = binary.NativeEndian.AppendUint16(b, uint16(unix.SizeofRtAttr+len(address)))
	b = binary.NativeEndian.AppendUint16(b, unix.RTA_DST)
	return append(b, address...)
}
