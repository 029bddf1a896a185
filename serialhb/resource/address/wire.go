package address

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"
)

// sendLimit bounds one send: a device that hangs fills its queue, and the next frame waits.
const sendLimit = 500 * time.Millisecond

// wire is a packet socket on one interface that hears claims to one address. It needs no address of its own, no
// neighbour table and, for IPv6, no link-local address that is still being checked.
type wire struct {
	link link
	ip   netip.Addr
	conn *packet.Conn
	raw  syscall.RawConn
	own  map[MAC]bool // of this host when it was opened: not heard

	mu    sync.Mutex // from taking a frame off the socket until heard returns
	heard func(MAC)
	buf   [frameRoom]byte

	once sync.Once
	done chan struct{} // the reader has ended
}

// openWire opens a wire. heard is told of every claim of another host, from one goroutine at a time; it must not block
// nor call the wire.
func openWire(l link, ip netip.Addr, heard func(MAC)) (*wire, error) {
	own, err := ownMACs()
	if err != nil {
		return nil, err
	}
	program, err := filter(ip)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", l.name, err)
	}
	at := &net.Interface{Index: l.index, Name: l.name, HardwareAddr: l.mac[:]}
	conn, err := packet.Listen(at, packet.Datagram, protocol(ip), &packet.Config{Filter: program})
	if errors.Is(err, unix.EPERM) {
		return nil, fmt.Errorf("listen on %s: %w: give the daemon the capability CAP_NET_RAW", l.name, err)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", l.name, err)
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("listen on %s: %w", l.name, err)
	}
	w := &wire{link: l, ip: ip, conn: conn, raw: raw, own: own, heard: heard, done: make(chan struct{})}
	go w.read()
	return w, nil
}

// read hears until the wire is closed.
func (w *wire) read() {
	defer close(w.done)
	_ = w.raw.Read(func(fd uintptr) bool {
		w.empty(int(fd))
		return false // wait for more; only Close ends it
	})
}

// drain hears all that has come in by now, whatever the reader is doing.
func (w *wire) drain() {
	// An error says that the wire is closed, and then there is nothing to hear.
	_ = w.raw.Control(func(fd uintptr) { w.empty(int(fd)) })
}

func (w *wire) empty(fd int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		n, from, err := unix.Recvfrom(fd, w.buf[:], unix.MSG_DONTWAIT)
		if err == unix.EINTR || err == unix.ENETDOWN {
			continue // the latter is said once when the interface goes down; the socket goes on when it is back
		}
		if err != nil {
			return
		}
		at, ok := from.(*unix.SockaddrLinklayer)
		// Frames of other VLANs on the same cable come as somebody else's.
		if !ok || at.Pkttype == unix.PACKET_OTHERHOST || at.Pkttype == unix.PACKET_OUTGOING {
			continue
		}
		if by, claims := claimant(w.ip, MAC(at.Addr[:6]), w.buf[:n]); claims && !w.own[by] {
			w.heard(by)
		}
	}
}

// send sends the frames in order.
func (w *wire) send(frames ...frame) error {
	if err := w.conn.SetWriteDeadline(time.Now().Add(sendLimit)); err != nil {
		return fmt.Errorf("send on %s: %w", w.link.name, err)
	}
	for _, f := range frames {
		if _, err := w.conn.WriteTo(f.body, &packet.Addr{HardwareAddr: f.to[:]}); err != nil {
			return fmt.Errorf("send on %s: %w", w.link.name, err)
		}
	}
	return nil
}

// Close ends the reader and waits for it.
func (w *wire) Close() error {
	w.once.Do(func() {
		_ = w.conn.Close() // nothing is left to be written
		<-w.done
	})
	return nil
}
