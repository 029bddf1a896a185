package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// watchAddress calls back when this network namespace gets an IPv4 address and when it loses it, as the kernel tells it.
// The call comes from a goroutine that lives as long as the process; if it can watch no longer, the process ends,
// because a holder that nobody sees would be a false result.
func watchAddress(address netip.Addr, changed func(has bool) error) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("peers: watch addresses: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_IPV4_IFADDR}); err != nil {
		return errors.Join(fmt.Errorf("peers: watch addresses: %w", err), unix.Close(fd))
	}
	go func() {
		promote()
		buf := make([]byte, 1<<16)
		for {
			n, _, err := unix.Recvfrom(fd, buf, 0)
			if errors.Is(err, unix.EINTR) {
				continue
			}
			var changes []bool
			if err == nil {
				changes, err = addressChanges(buf[:n], address)
			}
			for _, has := range changes {
				err = errors.Join(err, changed(has))
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, "peers: watch addresses:", err)
				os.Exit(1)
			}
		}
	}()
	return nil
}

// promote lets this goroutine run before all others, so that a busy machine does not make a holder look slow. Where that
// is not allowed it may, which is against the measured program and not for it.
func promote() {
	runtime.LockOSThread()
	_ = unix.SchedSetAttr(0, &unix.SchedAttr{
		Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Flags: unix.SCHED_FLAG_RESET_ON_FORK, Priority: 60,
	}, 0)
}

// addressChanges reads what the kernel told: for each message about the address, whether it is there now.
func addressChanges(b []byte, address netip.Addr) (changes []bool, err error) {
	messages, err := syscall.ParseNetlinkMessage(b)
	if err != nil {
		return nil, err
	}
	for _, m := range messages {
		if m.Header.Type != unix.RTM_NEWADDR && m.Header.Type != unix.RTM_DELADDR {
			continue
		}
		attributes, err := syscall.ParseNetlinkRouteAttr(&m)
		if err != nil {
			return changes, err
		}
		for _, a := range attributes {
			if got, ok := netip.AddrFromSlice(a.Value); ok && a.Attr.Type == unix.IFA_LOCAL && got == address {
				changes = append(changes, m.Header.Type == unix.RTM_NEWADDR)
			}
		}
	}
	return changes, nil
}
