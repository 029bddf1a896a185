package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strconv"
	"time"
)

// Record is one line of a log.
type Record struct {
	Seq    uint64          `json:"seq"`     // rises by 1; a gap is a loss, or a state directory that could not be read at the start
	Boot   string          `json:"boot"`    // id of the boot in which it was written
	MonoNS int64           `json:"mono_ns"` // time since that boot began, suspend included, in nanoseconds
	Wall   time.Time       `json:"wall"`    // for people; nothing is ordered by it
	Kind   string          `json:"kind"`
	Data   json.RawMessage `json:"data"`
}

// maxRecord bounds one line, in bytes.
const maxRecord = 64 << 10

const (
	seqStart = `{"seq":`
	crcStart = `,"crc":"`
	crcEnd   = `"}`
	crcSize  = len(crcStart) + 8 + len(crcEnd)
)

// appendLine adds a record as a line. Its last member is the CRC-32C of all that stands before it.
func appendLine(dst []byte, r Record) []byte {
	start := len(dst)
	dst = append(dst, seqStart...)
	dst = strconv.AppendUint(dst, r.Seq, 10)
	dst = append(dst, `,"boot":"`...)
	dst = append(dst, r.Boot...)
	dst = append(dst, `","mono_ns":`...)
	dst = strconv.AppendInt(dst, r.MonoNS, 10)
	dst = append(dst, `,"wall":"`...)
	dst = r.Wall.UTC().AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, `","kind":"`...)
	dst = append(dst, r.Kind...)
	dst = append(dst, `","data":`...)
	dst = append(dst, r.Data...)
	crc := crc32.Checksum(dst[start:], castagnoli)
	dst = append(dst, crcStart...)
	dst = fmt.Appendf(dst, "%08x", crc)
	return append(dst, crcEnd+"\n"...)
}

// lineSeq is the sequence number of a line (without its end), if the line is whole.
func lineSeq(line []byte) (uint64, bool) {
	at := len(line) - crcSize
	if at < 0 || !bytes.HasPrefix(line, []byte(seqStart)) {
		return 0, false
	}
	if want := fmt.Appendf(nil, "%s%08x%s", crcStart, crc32.Checksum(line[:at], castagnoli), crcEnd); !bytes.Equal(line[at:], want) {
		return 0, false
	}
	digits, _, ok := bytes.Cut(line[len(seqStart):at], []byte(","))
	seq, err := strconv.ParseUint(string(digits), 10, 64)
	return seq, ok && err == nil
}

// parseLine reads a line (without its end), if it is whole.
func parseLine(line []byte) (Record, bool) {
	var r Record
	seq, ok := lineSeq(line)
	if !ok || json.Unmarshal(line, &r) != nil || r.Seq != seq {
		return Record{}, false
	}
	return r, true
}
