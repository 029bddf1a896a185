// Package cable is an RS-232 null-modem cable: two ptys joined by wires that carry bytes at the baud rate.
//
// Each end is a path that a daemon opens as its serial port. A byte takes ten bit times and is delivered at the end of
// the last one; bytes travel in portions of about one millisecond, as a UART's receive FIFO would hand them over. There
// is no flow control: what the writer sends leaves at line speed whatever the reader does, and what the reader's side
// cannot take, or nobody has opened, is lost and counted.
//
// Left out: modem lines (a pty has none), break, framing and parity errors, differing baud rates at the two ends, UART
// receive time-outs, USB adapters' latency, and every electrical property.
package cable

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"time"
)

// Config says what to build. Ends are the names of the two ends; Path(end) is the file Dir/end. Baud is in bits per
// second, at least 300. The same Seed gives the same sequence of damage and noise.
type Config struct {
	Ends [2]string
	Dir  string
	Baud int
	Seed uint64
}

// Cable is a cable with a port at each end. All methods are safe for concurrent use.
type Cable struct {
	ends  [2]string
	ports [2]*port
	wires [2]*Wire // wires[i] carries from end i to the other

	done chan struct{}
	once sync.Once
	wg   sync.WaitGroup

	mu  sync.Mutex
	err error // what a background goroutine could not do; Close reports it
}

// New builds a cable with both ends plugged in. Dir must exist.
func New(cfg Config) (*Cable, error) {
	if cfg.Baud < 300 {
		return nil, fmt.Errorf("cable: baud rate %d is below 300", cfg.Baud)
	}
	if cfg.Ends[0] == cfg.Ends[1] {
		return nil, fmt.Errorf("cable: both ends are called %q", cfg.Ends[0])
	}
	c := &Cable{ends: cfg.Ends, done: make(chan struct{})}
	for i, name := range cfg.Ends {
		c.ports[i] = &port{path: filepath.Join(cfg.Dir, name)}
	}
	for i := range c.wires {
		c.wires[i] = &Wire{
			baud:  cfg.Baud,
			from:  c.ports[i],
			to:    c.ports[1-i],
			queue: make(chan chunk, queueChunks),
			rate:  make(chan float64),
			done:  c.done,
			rng:   rand.New(rand.NewPCG(cfg.Seed, uint64(i))),
		}
	}
	for i := range c.ports {
		if err := c.plug(i); err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	for _, w := range c.wires {
		c.wg.Go(w.pace)
		c.wg.Go(w.babble)
	}
	return c, nil
}

// Path is the device path of an end. It is a symbolic link, so that it stays the same over Unplug and Replug.
func (c *Cable) Path(end string) string { return c.ports[c.index(end)].path }

// From is the wire that carries what the given end sends.
func (c *Cable) From(end string) *Wire { return c.wires[c.index(end)] }

// Unplug takes the port of an end away, as a pulled USB adapter does: its path vanishes, reads and writes of whoever
// had it open fail. Unplugging an unplugged port changes nothing.
func (c *Cable) Unplug(end string) error { return c.ports[c.index(end)].unplug() }

// Replug puts the port of an end back: a new pty behind the same path. Replugging a plugged port changes nothing.
func (c *Cable) Replug(end string) error { return c.plug(c.index(end)) }

// Close takes both ports away and ends all goroutines. It returns what went wrong in the background since New.
func (c *Cable) Close() error {
	c.once.Do(func() { close(c.done) })
	for _, p := range c.ports {
		c.fail(p.unplug())
	}
	c.wg.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// index panics on an unknown end: names come from the program, and a fault injected nowhere would pass every test.
func (c *Cable) index(end string) int {
	for i, name := range c.ends {
		if name == end {
			return i
		}
	}
	panic(fmt.Sprintf("cable: no end is called %q", end))
}

func (c *Cable) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = errors.Join(c.err, err)
}

func (c *Cable) plug(i int) error {
	t, err := c.ports[i].plug()
	if err != nil || t == nil {
		return err
	}
	c.wg.Go(func() { c.listen(c.ports[i], c.wires[i], t) })
	return nil
}

// vacantPoll is how often a port that nobody has open is looked at. The kernel does not tell when a slave is opened.
const vacantPoll = 5 * time.Millisecond

// listen moves what the owner of a port writes onto its wire, until the port is unplugged.
func (c *Cable) listen(p *port, w *Wire, t *pty) {
	for {
		buf := make([]byte, chunkSize)
		n, err := t.read(buf)
		switch {
		case err == nil:
			select {
			case w.queue <- chunk{at: time.Now(), of: t, data: buf[:n]}:
			case <-c.done:
				return
			}
		case errors.Is(err, errVacant):
			if t, err = p.vacate(t); err != nil {
				c.fail(err)
				return
			}
			select {
			case <-time.After(vacantPoll):
			case <-c.done:
				return
			}
		default:
			return
		}
	}
}
