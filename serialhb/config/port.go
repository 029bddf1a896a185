package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// port looks at the device of a serial link.
func (l *live) port(link Link) {
	var st syscall.Stat_t
	if err := syscall.Stat(l.at(link.Device), &st); err != nil {
		// The daemon waits for it: an adapter may be plugged in later.
		l.warn(link.at, "plug it in, or correct the name (ls -l /dev/serial/by-path)", "link %s: %s cannot be found: %v", link.Name, link.Device, err)
		return
	}
	if st.Mode&syscall.S_IFMT != syscall.S_IFCHR || !l.terminal(uint64(st.Rdev)) {
		l.bad(link.at, "name a serial port (ls -l /dev/serial/by-path)", "link %s: %s is no terminal, so nothing can be sent over it", link.Name, link.Device)
		return
	}
	if console := l.console(uint64(st.Rdev)); console != "" {
		l.bad(link.at, fmt.Sprintf("remove console=%s from the kernel command line and mask serial-getty@%s.service, or use another port", console, console),
			"link %s: %s is the kernel's console %s, so pulses could stop a boot and boot messages would reach the peer", link.Name, link.Device, console)
	}
	l.held(link, uint64(st.Rdev))
}

// memoryDevices is the major number of null, zero, random and their like.
const memoryDevices = 1

// terminal says whether a driver of terminals has a character device. Where the kernel does not list them, only what is
// none for certain is none: the daemon looks again when it has opened it.
func (l *live) terminal(device uint64) bool {
	major, minor := uint64(unix.Major(device)), uint64(unix.Minor(device))
	drivers, err := os.ReadFile(l.at("/proc/tty/drivers"))
	if err != nil {
		return major != memoryDevices
	}
	for line := range strings.Lines(string(drivers)) {
		f := strings.Fields(line) // name, path, major, minor or first-last, type
		if len(f) < 4 || f[2] != strconv.FormatUint(major, 10) {
			continue
		}
		first, last, several := strings.Cut(f[3], "-")
		if !several {
			last = first
		}
		from, err1 := strconv.ParseUint(first, 10, 32)
		to, err2 := strconv.ParseUint(last, 10, 32)
		if err1 != nil || err2 != nil || from <= minor && minor <= to {
			return true
		}
	}
	return false
}

// console is the name under which a device is a console of the kernel, or empty.
func (l *live) console(device uint64) string {
	class := l.at("/sys/class/tty")
	active, err := os.ReadFile(filepath.Join(class, "console/active"))
	if err != nil {
		return "" // the daemon looks again and refuses if it cannot tell
	}
	number := fmt.Sprintf("%d:%d", unix.Major(device), unix.Minor(device))
	for _, name := range strings.Fields(string(active)) {
		if dev, err := os.ReadFile(filepath.Join(class, name, "dev")); err == nil && strings.TrimSpace(string(dev)) == number {
			return name
		}
	}
	return ""
}

// held tells of a program that has the port open. Two programs on one line take each other's bytes, and a daemon that
// runs as root is kept out by nothing.
func (l *live) held(link Link, device uint64) {
	pid, name := l.holder(device)
	switch {
	case pid == 0:
	case name == "serialhb":
		l.warn(link.at, "stop it, unless it is the serialhb daemon of this node", "link %s: %s is in use by process %d, which is called %s too", link.Name, link.Device, pid, name)
	default:
		who := fmt.Sprintf("process %d", pid)
		if name != "" {
			who = fmt.Sprintf("%s (process %d)", name, pid)
		}
		l.bad(link.at, "stop it, or use another port", "link %s: %s is in use by %s", link.Name, link.Device, who)
	}
}

// holder finds a process that has a device open, as far as this user may see: not this one, and the daemon of this node
// only if there is no other. 0 is none.
func (l *live) holder(device uint64) (pid int, name string) {
	descriptors, err := filepath.Glob(l.at("/proc/[0-9]*/fd/*"))
	if err != nil {
		return 0, ""
	}
	for _, fd := range descriptors {
		var st syscall.Stat_t
		if syscall.Stat(fd, &st) != nil || st.Mode&syscall.S_IFMT != syscall.S_IFCHR || uint64(st.Rdev) != device {
			continue
		}
		process := filepath.Dir(filepath.Dir(fd))
		found, err := strconv.Atoi(filepath.Base(process))
		if err != nil || found == os.Getpid() || found == l.own {
			continue
		}
		comm, err := os.ReadFile(filepath.Join(process, "comm"))
		if err != nil {
			return found, ""
		}
		return found, strings.TrimSpace(string(comm))
	}
	return 0, ""
}
