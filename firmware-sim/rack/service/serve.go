package service

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
	"golang.org/x/sys/unix"
)

// readyFD is the pipe on which start waits.
const readyFD = 3

// lockTime is how long serve waits for a lock that others look at.
const lockTime = 100 * time.Millisecond

func serve(o options) error {
	ready := os.NewFile(readyFD, "ready")
	conns, c, err := open(o)
	text := "ok"
	if err != nil {
		text = err.Error()
	}
	if ready != nil {
		_, writeErr := ready.WriteString(text)
		err = errors.Join(err, writeErr, ready.Close())
	}
	if err != nil {
		return err
	}
	ended := make(chan error, 1+len(conns))
	go func() {
		_, err := c.Hear() // nothing comes but the end
		ended <- err
	}()
	for _, conn := range conns {
		go func() { ended <- respond(conn, o.service+" "+o.node+" ") }()
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, unix.SIGTERM)
	select {
	case err := <-ended:
		return fmt.Errorf("service: %s ends: %w", o.service, err)
	case <-term:
		return nil
	}
}

// open takes everything that the service needs, in the order that keeps the ledger truthful. What it takes it keeps
// until the process ends.
func open(o options) ([]*net.UDPConn, *board.Client, error) {
	fd, err := unix.Open(o.pidFile(), unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return nil, nil, fmt.Errorf("service: open pid file: %w", err)
	}
	if err := lock(fd); err != nil {
		return nil, nil, fmt.Errorf("service: %s runs already: %w", o.service, err)
	}
	var conns []*net.UDPConn
	for at := range strings.SplitSeq(o.addr, ",") {
		addr, err := net.ResolveUDPAddr("udp", at)
		if err != nil {
			return nil, nil, fmt.Errorf("service: address: %w", err)
		}
		conn, err := net.ListenUDP("udp", addr)
		if err != nil {
			return nil, nil, fmt.Errorf("service: listen: %w", err)
		}
		conns = append(conns, conn)
	}
	c, err := board.Dial(os.Getenv(board.Env))
	if err != nil {
		return nil, nil, err
	}
	if _, err := c.Ask("ledger", "begin", o.service, o.node); err != nil {
		return nil, nil, err
	}
	if err := unix.Ftruncate(fd, 0); err != nil {
		return nil, nil, fmt.Errorf("service: empty pid file: %w", err)
	}
	if _, err := unix.Pwrite(fd, []byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return nil, nil, fmt.Errorf("service: write pid: %w", err)
	}
	return conns, c, nil
}

// lock tries again for a moment: somebody who only looks at the lock holds it too, for microseconds.
func lock(fd int) error {
	for end := time.Now().Add(lockTime); ; time.Sleep(time.Millisecond) {
		err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
		if err != unix.EWOULDBLOCK || time.Now().After(end) {
			return err
		}
	}
}

func respond(conn *net.UDPConn, name string) error {
	b := make([]byte, 512)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return err
		}
		// An answer that cannot be sent is one that did not come: the asker sees the outage.
		_, _ = conn.WriteToUDPAddrPort(append([]byte(name), b[:n]...), from)
	}
}
