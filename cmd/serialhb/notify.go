package main

import (
	"net"
	"os"
	"time"
)

// supervisor tells systemd how the daemon is (sd_notify). It never makes a turn wait: what cannot be said at once is
// dropped, and a missing WATCHDOG=1 is what the watchdog is for.
type supervisor struct {
	say chan string
}

func newSupervisor() *supervisor {
	socket := os.Getenv("NOTIFY_SOCKET")
	if socket == "" {
		return nil
	}
	s := &supervisor{say: make(chan string, 4)}
	go s.run(socket)
	return s
}

func (s *supervisor) notify(state string) {
	if s == nil {
		return
	}
	select {
	case s.say <- state:
	default:
	}
}

// run lives as long as the process. One WATCHDOG=1 a tenth of a second is plenty, whatever the pulse rate.
func (s *supervisor) run(socket string) {
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return
	}
	var last time.Time
	for state := range s.say {
		if state == "WATCHDOG=1" {
			if time.Since(last) < 100*time.Millisecond {
				continue
			}
			last = time.Now()
		}
		conn.SetWriteDeadline(time.Now().Add(time.Second))
		conn.Write([]byte(state))
	}
}
