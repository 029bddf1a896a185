package journal

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

const (
	magic   = "serialhb facts "
	version = 1
	// noBoot stands in the header of a fact that was written without a boot id.
	noBoot = "-"
	// maxHeader is longer than any header of ours, in bytes.
	maxHeader = 320
	// maxBody bounds one fact, in bytes.
	maxBody = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encode lays out a fact. The CRC covers everything but itself: kind, length and boot as well as the body.
func encode(kind, boot string, body []byte) []byte {
	tail := fmt.Sprintf(" len=%d boot=%s\n", len(body), boot)
	crc := crc32.Update(0, castagnoli, []byte(magic+strconv.Itoa(version)+" "+kind+tail))
	crc = crc32.Update(crc, castagnoli, body)
	out := make([]byte, 0, maxHeader+len(body))
	out = fmt.Appendf(out, "%s%d %s crc32c=%08x%s", magic, version, kind, crc, tail)
	return append(out, body...)
}

// decoded is what a file says of itself; body is set only if it is intact.
type decoded struct {
	finding Finding
	version int
	kind    string
	boot    string
	body    []byte
}

// decode tells intact from everything else. It gives no body unless the file is, byte for byte, what encode makes of
// that body.
func decode(data []byte) decoded {
	if len(data) == 0 {
		return decoded{finding: Empty}
	}
	if !bytes.HasPrefix(data, []byte(magic)) {
		if strings.HasPrefix(magic, string(data)) {
			return decoded{finding: Torn}
		}
		return decoded{finding: Foreign}
	}
	end := bytes.IndexByte(data[:min(len(data), maxHeader)], '\n')
	if end < 0 {
		if len(data) < maxHeader {
			return decoded{finding: Torn}
		}
		return decoded{finding: Corrupt}
	}
	fields := strings.Split(string(data[len(magic):end]), " ")
	v, err := strconv.Atoi(fields[0])
	d := decoded{version: v}
	switch {
	case err != nil:
		d.finding = Corrupt
		return d
	case v < version:
		d.finding = Older
		return d
	case v > version:
		d.finding = Newer
		return d
	}
	d.finding = Corrupt
	if len(fields) != 5 {
		return d
	}
	lenText, lenOK := strings.CutPrefix(fields[3], "len=")
	boot, bootOK := strings.CutPrefix(fields[4], "boot=")
	size, err := strconv.Atoi(lenText)
	if !lenOK || !bootOK || err != nil || size < 0 || size > maxBody || !isWord(fields[1]) || !isWord(boot) {
		return d
	}
	body := data[end+1:]
	if len(body) < size {
		d.finding = Torn
		return d
	}
	if !bytes.Equal(data, encode(fields[1], boot, body)) {
		return d
	}
	d.finding, d.kind, d.boot, d.body = Intact, fields[1], boot, body
	return d
}
