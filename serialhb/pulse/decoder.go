package pulse

import "bytes"

// LineCounters count what came over a serial line.
type LineCounters struct {
	Frames     uint64 // runs of bytes that were frames in form; whether they are authentic is the keyring's to say
	Resyncs    uint64 // runs of bytes between two delimiters that were thrown away: too long, or not stuffed
	NoiseBytes uint64 // the bytes of those runs, without delimiters
}

// Decoder finds the frames in the bytes of a serial line, however these are chunked. The zero value is ready, and may
// begin in the middle of a frame. Its memory is fixed. It is not safe for concurrent use.
type Decoder struct {
	Counters LineCounters

	buf      [MaxFrame + (MaxFrame+fullRun-2)/(fullRun-1)]byte // the run since the last delimiter
	n        int
	overlong bool // the run did not fit; the rest of it is noise
}

// Next consumes b until one frame is complete, and returns that frame and the rest of b. Both are nil when b is used up
// without one. A frame is never empty, and is valid until the next call. Runs without a byte in them are skipped.
func (d *Decoder) Next(b []byte) (frame, rest []byte) {
	for len(b) > 0 {
		end := bytes.IndexByte(b, 0)
		if end < 0 {
			d.collect(b)
			break
		}
		d.collect(b[:end])
		b = b[end+1:]
		if frame := d.finish(); frame != nil {
			return frame, b
		}
	}
	return nil, nil
}

// Begun is how many bytes of an unfinished run are held: what a frame in the making has brought so far.
func (d *Decoder) Begun() int { return d.n }

// collect adds bytes to the run.
func (d *Decoder) collect(b []byte) {
	if !d.overlong && len(b) > len(d.buf)-d.n {
		d.discard()
		d.overlong = true
	}
	if d.overlong {
		d.Counters.NoiseBytes += uint64(len(b))
		return
	}
	d.n += copy(d.buf[d.n:], b)
}

// finish ends the run at a delimiter; nil if it was no frame.
func (d *Decoder) finish() []byte {
	if d.overlong || d.n == 0 {
		d.overlong = false
		return nil
	}
	size, ok := unstuff(d.buf[:d.n])
	if !ok || size == 0 {
		d.discard()
		return nil
	}
	d.Counters.Frames++
	d.n = 0
	return d.buf[:size]
}

// discard counts the run and forgets it.
func (d *Decoder) discard() {
	d.Counters.Resyncs++
	d.Counters.NoiseBytes += uint64(d.n)
	d.n = 0
}
