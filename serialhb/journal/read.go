package journal

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"os"
)

// Damage is a stretch of a log file that holds no whole record.
type Damage struct {
	Path   string
	Offset int64 // bytes
	Bytes  int
	Torn   bool // it is the end of the file: the writer died there, or is still at it
}

func (d *Damage) Error() string {
	what := "is damaged"
	if d.Torn {
		what = "ends in the middle of a record"
	}
	return fmt.Sprintf("journal: read log: %s %s at byte %d (%d bytes)", d.Path, what, d.Offset, d.Bytes)
}

// ReadLog gives the records with a number of at least from, in order, each once, from both directories. What cannot be
// read comes in between as an error, a [Damage] where a file is broken, and the reading goes on. It needs no daemon
// and disturbs none. A directory that does not exist has no records.
func ReadLog(runDir, stateDir string, from uint64) iter.Seq2[Record, error] {
	return readLog(realFiles{}, []string{stateDir, runDir}, from, nil)
}

// Read is [ReadLog] for the directories of this log, with the records that are in memory only at its end.
func (l *Log) Read(from uint64) iter.Seq2[Record, error] {
	l.mu.Lock()
	waiting := append([]pending(nil), l.waiting...)
	l.mu.Unlock()
	return readLog(l.files, []string{l.cfg.StateDir, l.cfg.RunDir}, from, waiting)
}

func readLog(fs files, dirs []string, from uint64, waiting []pending) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		next := from
		// give skips what was given before: the run directory repeats the end of the state directory.
		give := func(line []byte) (whole, more bool) {
			r, ok := parseLine(line)
			if !ok {
				return false, true
			}
			if r.Seq < next {
				return true, true
			}
			next = r.Seq + 1
			return true, yield(r, nil)
		}
		for _, dir := range dirs {
			all, err := segments(fs, dir)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				if !yield(Record{}, fmt.Errorf("journal: read log: %w", err)) {
					return
				}
			}
			for i, first := range all {
				if i+1 < len(all) && all[i+1] <= next {
					continue
				}
				path := segmentPath(dir, first)
				data, err := os.ReadFile(path)
				if errors.Is(err, os.ErrNotExist) {
					continue // rotated away while we read
				}
				if err != nil {
					if !yield(Record{}, fmt.Errorf("journal: read log: %w", err)) {
						return
					}
				}
				offset := int64(0)
				for line := range bytes.Lines(data) {
					text, ended := bytes.CutSuffix(line, []byte("\n"))
					whole, more := give(text)
					if !more {
						return
					}
					if !whole && !yield(Record{}, &Damage{Path: path, Offset: offset, Bytes: len(line), Torn: !ended}) {
						return
					}
					offset += int64(len(line))
				}
			}
		}
		for _, p := range waiting {
			if _, more := give(bytes.TrimSuffix(p.line, []byte("\n"))); !more {
				return
			}
		}
	}
}
