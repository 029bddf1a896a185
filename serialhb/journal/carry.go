package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// carryEvery is the least time between two carries that nobody asked for: flash wears with each of them.
const carryEvery = 5 * time.Second

// carrier copies a log from the run directory to the state directory. It alone touches the latter, so that a disk that
// does not answer stops it and nothing else.
type carrier struct {
	log   *Log
	begin chan struct{} // closed once the log knows its first number
	kick  chan struct{}
	flush chan chan error
	quit  chan struct{}
	done  chan struct{}

	// Of the goroutine alone.
	out     appender
	known   bool   // carried says what the state directory holds
	carried uint64 // last record that is on disk
	from    uint64 // run file that is being read, and how far it was
	offset  int64

	mu  sync.Mutex
	now LogStats
	at  time.Time // when the carry in progress began
}

func newCarrier(l *Log) *carrier {
	return &carrier{
		log:   l,
		begin: make(chan struct{}),
		kick:  make(chan struct{}, 1),
		flush: make(chan chan error),
		quit:  make(chan struct{}),
		done:  make(chan struct{}),
		out:   appender{files: l.files, dir: l.cfg.StateDir, keep: keepInState},
	}
}

// wake says that there is something to carry.
func (c *carrier) wake() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

func (c *carrier) stats() LogStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.now
	if !c.at.IsZero() {
		s.Stalled = time.Since(c.at)
	}
	return s
}

// loop tells the last number of the state directory, or closes the channel if it cannot, and then carries until the
// log is closed.
func (c *carrier) loop(scanned chan<- uint64) {
	defer close(c.done)
	defer c.out.close()
	if err := c.scan(); err != nil {
		c.note(err)
		close(scanned)
	} else {
		scanned <- c.carried
	}
	<-c.begin
	var due <-chan time.Time
	var last time.Time
	plan := func() {
		if due == nil {
			due = time.After(max(0, time.Until(last.Add(carryEvery))))
		}
	}
	carry := func() error {
		last = time.Now()
		err := c.carry()
		c.note(err)
		if err != nil {
			plan()
		}
		return err
	}
	plan() // a daemon that died may have left records behind
	for {
		select {
		case <-c.kick:
			plan()
		case <-due:
			due = nil
			_ = carry() // noted
		case reply := <-c.flush:
			reply <- carry()
		case <-c.quit:
			_ = carry() // noted, where Close finds it
			return
		}
	}
}

func (c *carrier) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.Err = err
}

// scan finds out what the state directory holds already.
func (c *carrier) scan() error {
	if err := makeDir(c.log.cfg.StateDir); err != nil {
		return err
	}
	last, err := lastSeq(c.log.files, c.log.cfg.StateDir)
	if err != nil {
		return fmt.Errorf("journal: read log: %w", explain(err, c.log.cfg.StateDir))
	}
	c.known, c.carried = true, last
	c.log.raise(last)
	c.mu.Lock()
	c.now.Carried = last
	c.mu.Unlock()
	return nil
}

// carry copies what is new. It returns nil only if nothing is left in memory or in the run directory alone.
func (c *carrier) carry() error {
	c.mu.Lock()
	c.at = time.Now()
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.at = time.Time{}
		c.mu.Unlock()
	}()
	target, base, runErr := c.log.settle()
	if !c.known {
		if err := c.scan(); err != nil {
			return err
		}
	}
	if err := c.copyNew(base); err != nil {
		return err
	}
	if runErr != nil {
		return fmt.Errorf("journal: carry log: records wait in memory: %w", explain(runErr, c.log.cfg.RunDir))
	}
	// What was appended and is in no file any more was lost on the way.
	if expected := max(c.carried+1, base); target >= expected {
		c.mu.Lock()
		c.now.Lost += target + 1 - expected
		c.mu.Unlock()
		c.carried = target
	}
	return nil
}

// batchSize is how much is written and synced at a time, in bytes.
const batchSize = 256 << 10

func (c *carrier) copyNew(base uint64) error {
	all, err := segments(c.log.files, c.log.cfg.RunDir)
	if err != nil {
		return fmt.Errorf("journal: carry log: %w", explain(err, c.log.cfg.RunDir))
	}
	for _, first := range all {
		if first < c.from {
			continue
		}
		if first > c.from {
			c.from, c.offset = first, 0
		}
		data, err := readFrom(segmentPath(c.log.cfg.RunDir, first), c.offset)
		if errors.Is(err, os.ErrNotExist) {
			continue // rotated away while we looked
		}
		if err != nil {
			return fmt.Errorf("journal: carry log: %w", explain(err, c.log.cfg.RunDir))
		}
		data = data[:bytes.LastIndexByte(data, '\n')+1]
		if err := c.copyLines(data, base); err != nil {
			return fmt.Errorf("journal: carry log: %w", explain(err, c.log.cfg.StateDir))
		}
		c.offset += int64(len(data))
	}
	return nil
}

// copyLines carries the lines that are whole and not carried yet. A broken line stays where it is: its number is
// missing, which says as much.
func (c *carrier) copyLines(data []byte, base uint64) error {
	var batch []byte
	var first, last, missing uint64
	for line := range bytes.Lines(data) {
		seq, ok := lineSeq(bytes.TrimSuffix(line, []byte("\n")))
		if !ok || seq <= max(c.carried, last) {
			continue
		}
		if len(batch)+len(line) > batchSize {
			if err := c.put(batch, first, last, missing); err != nil {
				return err
			}
			batch, missing = batch[:0], 0
		}
		if len(batch) == 0 {
			first = seq
		}
		missing += seq - min(seq, max(c.carried+1, last+1, base))
		last = seq
		batch = append(batch, line...)
	}
	if len(batch) == 0 {
		return nil
	}
	return c.put(batch, first, last, missing)
}

// put brings lines to the disk: content first, then the name of a new file. missing is how many numbers are left out
// before and between them.
func (c *carrier) put(lines []byte, first, last, missing uint64) error {
	if err := c.out.write(lines, first); err != nil {
		return err
	}
	syncs := uint64(1)
	err := c.out.out.Sync()
	if err == nil && !c.out.synced {
		syncs++
		err = c.log.files.SyncDir(c.log.cfg.StateDir)
		c.out.synced = err == nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.Syncs += syncs
	if err != nil {
		// After a failed sync nobody knows what the disk has, and a second sync would not tell: write it again.
		c.out.takeBack(c.out.size-int64(len(lines)), true)
		return err
	}
	c.now.Bytes += uint64(len(lines))
	c.now.Lost += missing
	c.now.Carried = last
	c.carried = last
	return nil
}

func readFrom(path string, offset int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return nil, err
	}
	return io.ReadAll(f)
}
