package journal

import (
	"bytes"
	"hash/crc32"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// header is the format once more, in other words than the code's.
var header = regexp.MustCompile(`^serialhb facts 1 ([A-Za-z0-9_-]{1,64}) crc32c=([0-9a-f]{8})( len=([0-9]+) boot=([A-Za-z0-9_-]{1,64})\n)`)

func FuzzLoad(f *testing.F) {
	good := encode("ownership", bootA, []byte(`{"holds":"yes","term":2}`))
	for _, seed := range [][]byte{
		nil, good, good[:40], good[:len(good)-1], append(bytes.Clone(good), '\n'), bytes.Replace(good, []byte("yes"), []byte("no!"), 1),
		encode("ownership", bootB, []byte(`{}`)), encode("modes", bootA, []byte(`null`)), encode("ownership", noBoot, []byte(`{`)),
		[]byte("serialhb facts 2 x\n"), []byte("serialhb facts"), make([]byte, 64), []byte("[cluster]\n"),
	} {
		f.Add(seed)
	}
	dir := f.TempDir()
	v := volatileIn(f, dir, bootA)
	f.Fuzz(func(t *testing.T, data []byte) {
		writeFile(t, filepath.Join(dir, "ownership.facts"), data)
		got := fact{"untouched", 7}
		r, err := v.Load("ownership", &got)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Trusted() {
			if got != (fact{"untouched", 7}) || r.KeptAs == "" || r.String() == "" {
				t.Fatalf("%+v, %+v", got, r)
			}
			return
		}
		m := header.FindSubmatch(data)
		if m == nil {
			t.Fatalf("trusted without a header: %q", data)
		}
		body := data[len(m[0]):]
		sum := crc32.Checksum(bytes.Join([][]byte{[]byte("serialhb facts 1 "), m[1], m[3], body}, nil), crc32.MakeTable(crc32.Castagnoli))
		crc, _ := strconv.ParseUint(string(m[2]), 16, 32)
		if uint64(sum) != crc || string(m[4]) != strconv.Itoa(len(body)) || string(m[1]) != "ownership" || string(m[5]) != bootA {
			t.Fatalf("trusted: %q", data)
		}
	})
}

func FuzzReadLog(f *testing.F) {
	line := appendLine(nil, Record{Seq: 1, Boot: bootA, Kind: "fence", Data: []byte(`{"to":"bravo"}`)})
	f.Add([]byte(nil))
	f.Add(line)
	f.Add(line[:len(line)-1])
	f.Add(append(bytes.Clone(line[20:]), line...))
	f.Add(bytes.Replace(line, []byte("bravo"), []byte("alpha"), 1))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		writeFile(t, segmentPath(dir, 1), data)
		whole := map[uint64]bool{}
		for line := range bytes.SplitSeq(data, []byte("\n")) {
			m := logLine.FindSubmatch(line)
			if m == nil {
				continue
			}
			seq, _ := strconv.ParseUint(string(m[2]), 10, 64)
			crc, _ := strconv.ParseUint(string(m[3]), 16, 32)
			whole[seq] = whole[seq] || uint64(crc32.Checksum(m[1], crc32.MakeTable(crc32.Castagnoli))) == crc
		}
		next := uint64(0)
		for r, err := range ReadLog(dir, dir+"/none", 0) {
			if err != nil {
				continue
			}
			if !whole[r.Seq] || r.Seq < next {
				t.Fatalf("%+v out of %q", r, data)
			}
			next = r.Seq + 1
		}
	})
}

var logLine = regexp.MustCompile(`(?s)^(\{"seq":([0-9]+),.*),"crc":"([0-9a-f]{8})"\}$`)
