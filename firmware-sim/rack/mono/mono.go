// Package mono is the one clock of the rack: CLOCK_MONOTONIC as the kernel counts it.
//
// Go's own monotonic time cannot be compared between processes. The board, the rack and the probe stamp their events
// with this one, so that their times can be set against each other. It does not run while the machine is suspended.
package mono

import (
	"time"

	"golang.org/x/sys/unix"
)

// Now is the time since a fixed but unknown moment, the same for every process of this boot. Safe for concurrent use.
func Now() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("mono: read clock: " + err.Error())
	}
	return time.Duration(ts.Nano())
}
