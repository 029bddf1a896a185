package pulse

// Consistent overhead byte stuffing: the bytes are cut at their zeros, and each piece stands behind its length, so that
// no zero is left and a zero can delimit. A piece is 254 bytes at most; a full one has no zero behind it.

// fullRun is the code of a full piece.
const fullRun = 255

// lineSize is the length of a frame of n bytes on a line at worst: delimiters, codes and the bytes themselves.
func lineSize(n int) int { return n + stuffing(n) + 2 }

// stuffing is the most that stuffing adds to n bytes.
func stuffing(n int) int { return max(1, (n+fullRun-2)/(fullRun-1)) }

// AppendLine appends a bare frame as it goes on a serial line: stuffed, and with a delimiter on both sides. The one in
// front ends whatever noise came before, so that noise between two frames costs neither. A frame longer than
// [MaxFrame] is thrown away by the receiver's [Decoder].
func AppendLine(dst, frame []byte) []byte {
	dst = append(dst, 0)
	dst = appendStuffed(dst, frame)
	return append(dst, 0)
}

func appendStuffed(dst, src []byte) []byte {
	at, run := len(dst), byte(1)
	dst = append(dst, run)
	for i, c := range src {
		if c != 0 {
			dst = append(dst, c)
			run++
		}
		// A full piece at the very end needs nothing behind it.
		if c == 0 || run == fullRun && i < len(src)-1 {
			dst[at] = run
			at, run = len(dst), 1
			dst = append(dst, run)
		}
	}
	dst[at] = run
	return dst
}

// unstuff undoes the stuffing in place and says how many bytes are left; false if b is not stuffed bytes.
func unstuff(b []byte) (n int, ok bool) {
	for i := 0; i < len(b); {
		end := i + int(b[i])
		if b[i] == 0 || end > len(b) {
			return 0, false
		}
		full := b[i] == fullRun
		n += copy(b[n:], b[i+1:end])
		i = end
		if !full && i < len(b) {
			b[n] = 0
			n++
		}
	}
	return n, true
}
