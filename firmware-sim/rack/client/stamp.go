package client

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
	"golang.org/x/sys/unix"
)

// stampArrivals makes the kernel say when a datagram arrived: when the machine is busy this process reads it later, and
// an answer from before a takeover would seem to come after it.
func stampArrivals(conn *net.UDPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return fmt.Errorf("client: use socket: %w", err)
	}
	var setErr error
	if err := raw.Control(func(fd uintptr) {
		setErr = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	}); err != nil || setErr != nil {
		return fmt.Errorf("client: ask for time stamps: %w", errors.Join(err, setErr))
	}
	return nil
}

// stampOf is the time on the wall clock, since 1970, at which a datagram arrived.
func stampOf(oob []byte) (time.Duration, error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return 0, fmt.Errorf("client: read time stamp: %w", err)
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= 16 {
			return time.Duration(binary.NativeEndian.Uint64(m.Data))*time.Second + time.Duration(binary.NativeEndian.Uint64(m.Data[8:])), nil
		}
	}
	return 0, errors.New("client: a datagram came without a time stamp")
}

// step is by how much the wall clock may run away from the monotonic one between two datagrams without having been set.
const step = 10 * time.Millisecond

// timeline turns stamps of the wall clock, in the order of arrival, into CLOCK_MONOTONIC. The clock may be set meanwhile.
type timeline struct {
	known bool
	ahead time.Duration // wall clock before monotonic clock, at the last datagram
	since time.Duration // monotonic: when it was seen that the clock had been set
}

// place gives the monotonic time of a stamp, with both clocks read after it was taken. It is false for a stamp of which
// nobody can tell whether it is from before a step of the clock or after it: the next answer is 2 ms away.
func (l *timeline) place(stamp, wall, now time.Duration) (time.Duration, bool) {
	ahead := wall - now
	if l.known && (ahead-l.ahead).Abs() > step {
		l.since = now
	}
	l.known, l.ahead = true, ahead
	at := stamp - ahead
	return at, at >= l.since && at <= now
}

// clocks reads both. Whoever is interrupted between them would see a step that was none.
func clocks() (wall, now time.Duration) {
	for range 5 {
		now, wall = mono.Now(), time.Duration(time.Now().UnixNano())
		if mono.Now()-now < 100*time.Microsecond {
			break
		}
	}
	return wall, now
}
