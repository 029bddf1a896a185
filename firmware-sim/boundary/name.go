package boundary

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Names of what is not a file.
const (
	cable   = "cable"
	network = "network"
	relays  = "board"
	control = "control"
)

// thread is one thread of the daemon, while it stands still.
type thread struct {
	tid int
	of  *tracer
}

// text reads the memory of the daemon up to a zero byte or so many bytes.
func (t *thread) text(at uint64, most int) []byte {
	b := t.memory(at, most)
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	return b
}

func (t *thread) memory(at uint64, n int) []byte {
	b := make([]byte, n)
	got := 0
	// In small pieces, for the end of what is asked for may lie beyond the end of the memory.
	for got < n {
		piece := min(n-got, 64)
		k, err := unix.PtracePeekData(t.tid, uintptr(at)+uintptr(got), b[got:got+piece])
		got += k
		if err != nil || k < piece {
			break
		}
	}
	return b[:got]
}

// short makes a path the same in every run.
func (t *thread) short(path string) string {
	if rest, inside := strings.CutPrefix(path, t.of.dir+"/"); inside {
		path = rest
	}
	path = place.ReplaceAllString(path, "$1/")
	path = number.ReplaceAllString(path, "-N.jsonl")
	path = own.ReplaceAllString(path, "/proc/self/fd/N")
	if strings.HasPrefix(path, "/dev/pts/") || strings.HasPrefix(path, "cable-") {
		return cable
	}
	return strings.TrimSuffix(path, " (deleted)")
}

var (
	place  = regexp.MustCompile(`^[a-z]+/(run|state)/lab/[a-z]+/`)
	number = regexp.MustCompile(`-[0-9]{20}\.jsonl`)
	own    = regexp.MustCompile(`^/proc/self/fd/[0-9]+$`)
)

// file is what stands behind a descriptor: a path, the name of a line, or "" for what is nobody else's affair.
func (t *thread) file(fd uint64) string {
	link, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", t.of.pid, int32(fd)))
	switch {
	case err != nil:
		return ""
	case strings.HasPrefix(link, "socket:"):
		if name, known := t.of.sockets[link]; known && name != "" {
			return name
		}
		name := t.socketName(int(int32(fd)))
		t.of.sockets[link] = name
		return name
	case !strings.HasPrefix(link, "/"):
		return "" // a pipe, an epoll, a pidfd
	}
	return t.short(link)
}

// socketName asks the socket itself, by a descriptor of our own that is closed before the daemon goes on: a second one would
// keep a connection alive that its death ends.
func (t *thread) socketName(fd int) string {
	pidfd, err := unix.PidfdOpen(t.of.pid, 0)
	if err != nil {
		return "socket"
	}
	defer unix.Close(pidfd)
	mine, err := unix.PidfdGetfd(pidfd, fd, 0)
	if err != nil {
		return "socket"
	}
	defer unix.Close(mine)
	own, _ := unix.Getsockname(mine)
	peer, _ := unix.Getpeername(mine)
	switch own := own.(type) {
	case *unix.SockaddrInet4, *unix.SockaddrInet6:
		return network
	case *unix.SockaddrUnix:
		if own.Name != "" && own.Name != "@" { // unnamed comes as either
			return control
		}
	case *unix.SockaddrNetlink:
		return "netlink"
	}
	if peer, ok := peer.(*unix.SockaddrUnix); ok && filepath.Base(peer.Name) == "board.sock" {
		return relays
	}
	return "" // not connected yet: asked again the next time
}

func onFile(t *thread, a [6]uint64) (string, bool) {
	name := t.file(a[0])
	return name, name != "" && name != control
}

// written adds what a write is about where that is words.
func written(t *thread, a [6]uint64) (string, bool) {
	name, counts := onFile(t, a)
	switch {
	case !counts:
	case name == relays:
		line, _, _ := bytes.Cut(t.memory(a[1], int(min(a[2], 64))), []byte("\n"))
		name += fmt.Sprintf(" %q", line)
		counts = !bytes.HasPrefix(line, []byte("get ")) // it only asks
	case strings.HasSuffix(name, "-N.jsonl"):
		if m := recordKind.FindSubmatch(t.memory(a[1], int(min(a[2], 1024)))); m != nil {
			name += fmt.Sprintf(" %q", m[1])
		}
	}
	return name, counts
}

var recordKind = regexp.MustCompile(`"code":"([a-z-]+)"`)

func opened(t *thread, a [6]uint64) (string, bool) { return t.opening(a[1], a[2]) }

func openedByName(t *thread, a [6]uint64) (string, bool) { return t.opening(a[0], a[1]) }

// opening counts only if it makes, empties or may write a file: to open one for reading changes nothing.
func (t *thread) opening(path, flags uint64) (string, bool) {
	name := t.short(string(t.text(path, unix.PathMax)))
	return name, flags&(unix.O_ACCMODE|unix.O_CREAT|unix.O_TRUNC) != 0 || name == cable
}

// closed counts where the end of a descriptor is seen outside: a file that was written, a line, a socket.
func closed(t *thread, a [6]uint64) (string, bool) {
	name, counts := onFile(t, a)
	if !counts {
		return "", false
	}
	info, err := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", t.of.pid, int32(a[0])))
	if err != nil {
		return name, true
	}
	for line := range strings.Lines(string(info)) {
		if octal, ok := strings.CutPrefix(line, "flags:"); ok {
			flags, err := strconv.ParseUint(strings.TrimSpace(octal), 8, 64)
			return name, err != nil || flags&unix.O_ACCMODE != unix.O_RDONLY
		}
	}
	return name, true
}

// onDevice leaves out what only asks a driver.
func onDevice(t *thread, a [6]uint64) (string, bool) {
	switch a[1] {
	case unix.TIOCINQ, unix.TIOCOUTQ, unix.TIOCMGET, unix.TCGETS, unix.TCGETS2, unix.TIOCGICOUNT, unix.TIOCGSERIAL:
		return "", false
	}
	name, counts := onFile(t, a)
	return fmt.Sprintf("%s %#x", name, a[1]), counts
}

// controlled leaves out what asks, and what concerns descriptors of this process alone.
func controlled(t *thread, a [6]uint64) (string, bool) {
	switch a[1] {
	case unix.F_GETFD, unix.F_SETFD, unix.F_GETFL, unix.F_SETFL, unix.F_DUPFD, unix.F_DUPFD_CLOEXEC:
		return "", false
	}
	name, counts := onFile(t, a)
	return fmt.Sprintf("%s %d", name, a[1]), counts
}

func socket(_ *thread, a [6]uint64) (string, bool) {
	return fmt.Sprintf("family %d type %d", a[0], a[1]&0xf), true
}

func pathsAt(args ...int) func(*thread, [6]uint64) (string, bool) {
	return func(t *thread, a [6]uint64) (string, bool) {
		var names []string
		for _, i := range args {
			names = append(names, t.short(string(t.text(a[i], unix.PathMax))))
		}
		return strings.Join(names, " to "), true
	}
}

// cloned leaves out threads.
func cloned(t *thread, a [6]uint64) (string, bool) {
	flags := a[0]
	if t.nr() == unix.SYS_CLONE3 {
		b := t.memory(a[0], 8)
		if len(b) < 8 {
			return "", false
		}
		flags = binary.NativeEndian.Uint64(b)
	}
	return "a child", flags&unix.CLONE_THREAD == 0
}

// signalled leaves out the question whether somebody is there.
func signalled(_ *thread, a [6]uint64) (string, bool) {
	return fmt.Sprintf("signal %d", a[1]), a[1] != 0
}
