package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The memory that holds what the run directory did not take.
const (
	maxWaiting      = 1024      // records
	maxWaitingBytes = 256 << 10 // bytes
)

// scanWait is how long the start of a log waits for the state directory to say where the numbers go on.
const scanWait = 2 * time.Second

// LogConfig says where a log lives.
type LogConfig struct {
	RunDir   string // written at once
	StateDir string // written behind, and read first
	BootID   string
}

// Log is the record of what happened and why. Appending costs microseconds and waits for no disk, unless the run directory
// hangs: records go to the run directory, and a carrier copies them to the state directory behind it. All methods may be
// used from any goroutine; one process writes (see [Lock]), any may read (see [ReadLog]).
type Log struct {
	cfg   LogConfig
	files files

	mu      gate // held while the run directory is written to
	run     appender
	next    uint64 // sequence number of the next record
	base    uint64 // of the first record of this Log
	waiting []pending
	bytes   int
	closed  bool

	carrier *carrier
}

// pending is a line that is in memory only.
type pending struct {
	seq  uint64
	line []byte
}

// OpenLog opens or begins a log. A state directory that does not work is no error here, since the evidence must be
// written all the same: [Log.Stats] tells. It returns within a few seconds even if that directory does not answer.
func OpenLog(cfg LogConfig) (*Log, error) { return openLog(cfg, realFiles{}) }

func openLog(cfg LogConfig, fs files) (*Log, error) {
	if !isWord(cfg.BootID) {
		return nil, fmt.Errorf("journal: open log: %q is no boot id", cfg.BootID)
	}
	if err := makeDir(cfg.RunDir); err != nil {
		return nil, err
	}
	last, err := lastSeq(fs, cfg.RunDir)
	if err != nil {
		return nil, fmt.Errorf("journal: open log: %w", explain(err, cfg.RunDir))
	}
	l := &Log{cfg: cfg, files: fs, mu: make(gate, 1), run: appender{files: fs, dir: cfg.RunDir, keep: keepInRun}}
	scanned := make(chan uint64, 1)
	l.carrier = newCarrier(l)
	go l.carrier.loop(scanned)
	if last == 0 {
		// The first start of this boot: only the state directory knows the numbers that were used. Without its answer
		// the clock gives a number that is higher than any count, so that the order stays right.
		last = uint64(time.Now().UnixMicro())
		late := time.NewTimer(scanWait)
		defer late.Stop()
		select {
		case seq, ok := <-scanned:
			if ok {
				last = seq
			}
		case <-late.C:
		}
	}
	l.mu.Lock()
	// The carrier may have raised the numbers in the meantime.
	l.next = max(l.next, last+1)
	l.base = l.next
	l.mu.Unlock()
	close(l.carrier.begin)
	return l, nil
}

// Append adds a record of that kind (letters, digits, - and _) with v, which must encode to JSON, as its data, and
// returns its sequence number. If the run directory does not take it, the error says so and the record waits in memory
// for the next Append or carry; a number of 0 means that it was not accepted at all.
func (l *Log) Append(kind string, v any) (uint64, error) {
	if !isWord(kind) {
		return 0, fmt.Errorf("journal: append record: %q is no name for a kind", kind)
	}
	data, err := json.Marshal(v)
	if err != nil {
		return 0, fmt.Errorf("journal: append %s: %w", kind, err)
	}
	if len(data) > maxRecord-maxHeader {
		return 0, fmt.Errorf("journal: append %s: %d bytes are more than a record may have", kind, len(data))
	}
	line := make([]byte, 0, len(data)+maxHeader)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, fmt.Errorf("journal: append %s: the log is closed", kind)
	}
	seq := l.next
	l.next++
	line = appendLine(line, Record{Seq: seq, Boot: l.cfg.BootID, MonoNS: sinceBoot(), Wall: time.Now(), Kind: kind, Data: data})
	err = l.retry()
	if err == nil {
		err = l.write(pending{seq, line})
	}
	if err != nil {
		l.keep(pending{seq, line})
		err = fmt.Errorf("journal: append %s: it waits in memory: %w", kind, explain(err, l.cfg.RunDir))
	}
	l.carrier.wake()
	return seq, err
}

// sinceBoot is the boot-time clock in nanoseconds.
func sinceBoot() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) // fails for unknown clocks only
	return ts.Nano()
}

// write puts a line into the run directory. A file that was removed under us would take it gladly, and nobody would
// ever read it.
func (l *Log) write(p pending) error {
	if l.run.out != nil {
		info, err := l.run.out.Stat()
		if err != nil {
			return err
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Nlink == 0 {
			l.run.close()
		}
	}
	return l.run.write(p.line, p.seq)
}

func (l *Log) keep(p pending) {
	l.waiting = append(l.waiting, p)
	l.bytes += len(p.line)
	for len(l.waiting) > maxWaiting || l.bytes > maxWaitingBytes {
		l.bytes -= len(l.waiting[0].line)
		l.waiting = l.waiting[1:]
	}
}

// retry writes what waits in memory, oldest first.
func (l *Log) retry() error {
	for len(l.waiting) > 0 {
		if err := l.write(l.waiting[0]); err != nil {
			return err
		}
		l.bytes -= len(l.waiting[0].line)
		l.waiting = l.waiting[1:]
	}
	l.waiting = nil
	return nil
}

// settle writes what waits in memory, if it can be written, and says which numbers are in use.
func (l *Log) settle() (last, base uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next - 1, l.base, l.retry()
}

// raise makes the next number higher than one that is in use already. That one is only found late if the state
// directory did not answer at the start and the clock was set back since: the records between are then out of order
// in the run directory and not carried.
func (l *Log) raise(used uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next <= used {
		l.next = used + 1
	}
}

// LogStats is how a log does.
type LogStats struct {
	Last    uint64        // sequence number of the last record, 0 is none
	Carried uint64        // of the last one that is on disk in the state directory
	Waiting int           // records that are in memory only
	Lost    uint64        // records of this Log that never reached the state directory
	Bytes   uint64        // written to the state directory by this Log
	Syncs   uint64        // fsyncs done there, those of the directory too
	Stalled time.Duration // how long the carry in progress takes already, 0 if there is none
	Err     error         // why the last carry failed, nil if it did not
}

// Stats waits for the run directory at most, as Append does, and never for the state directory.
func (l *Log) Stats() LogStats {
	s := l.carrier.stats()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next > 0 {
		s.Last = l.next - 1
	}
	s.Waiting = len(l.waiting)
	return s
}

// Flush returns nil once every record appended before is on disk in the state directory. It gives up with ctx; the
// carrying goes on.
func (l *Log) Flush(ctx context.Context) error {
	reply := make(chan error, 1)
	select {
	case l.carrier.flush <- reply:
	case <-l.carrier.done:
		return errors.New("journal: flush log: it is closed")
	case <-ctx.Done():
		return l.stuck("flush", ctx)
	}
	select {
	case err := <-reply:
		return err
	case <-ctx.Done():
		return l.stuck("flush", ctx)
	}
}

// Close carries what is left and ends the log. If ctx ends first, what is not carried stays in the run directory, from
// where the next Log of this boot carries it.
func (l *Log) Close(ctx context.Context) error {
	if !l.mu.lockBefore(ctx) {
		return l.stuck("close", ctx)
	}
	first := !l.closed
	l.closed = true
	l.mu.Unlock()
	if first {
		close(l.carrier.quit)
	}
	select {
	case <-l.carrier.done:
	case <-ctx.Done():
		return l.stuck("close", ctx)
	}
	if !l.mu.lockBefore(ctx) {
		return l.stuck("close", ctx)
	}
	l.run.close()
	l.mu.Unlock()
	return l.carrier.stats().Err
}

func (l *Log) stuck(what string, ctx context.Context) error {
	dir := l.cfg.RunDir
	if l.mu.tryLock() {
		l.mu.Unlock()
		dir = l.cfg.StateDir
	}
	return fmt.Errorf("journal: %s log: %s does not answer: look at its disk: %w", what, dir, context.Cause(ctx))
}

// gate is a lock for which one need not wait for ever: who holds it may hang in a directory that does not answer.
type gate chan struct{}

func (g gate) Lock()   { g <- struct{}{} }
func (g gate) Unlock() { <-g }

func (g gate) tryLock() bool {
	select {
	case g <- struct{}{}:
		return true
	default:
		return false
	}
}

// lockBefore locks before ctx ends, or not at all.
func (g gate) lockBefore(ctx context.Context) bool {
	if g.tryLock() {
		return true
	}
	select {
	case g <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}
