package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// header is the format once more, in other words than the code's.
var header = regexp.MustCompile(`^serialhb facts 1 ([A-Za-z0-9_-]{1,64}) crc32c=([0-9a-f]{8})( len=([0-9]+) boot=([A-Za-z0-9_-]{1,64})\n)`)

// FuzzLoad: a fact is trusted only if it is byte for byte one of ours, of this kind and of this boot; then it is saved again
// as what it said. Since nobody guesses a checksum, the same bytes are tried as the content of a fact that has a right
// one, too.
func FuzzLoad(f *testing.F) {
	good := encode("ownership", bootA, []byte(`{"holds":"yes","term":2}`))
	for _, seed := range [][]byte{
		nil, good, good[:40], good[:len(good)-1], append(bytes.Clone(good), '\n'), bytes.Replace(good, []byte("yes"), []byte("no!"), 1),
		encode("ownership", bootB, []byte(`{}`)), encode("modes", bootA, []byte(`null`)), encode("ownership", noBoot, []byte(`{`)),
		[]byte("serialhb facts 2 x\n"), []byte("serialhb facts"), make([]byte, 64), []byte("[cluster]\n"),
		[]byte(`{"holds":"no"}`), []byte(`{"holds":"no"}{}`), []byte(`{"holds":"no","owner":1}`), []byte(`{"term":-1}`),
	} {
		f.Add(seed)
	}
	dir := f.TempDir()
	v := volatileIn(f, dir, bootA)
	load := func(t *testing.T, data []byte) (fact, Report) {
		writeFile(t, filepath.Join(dir, "ownership.facts"), data)
		got := fact{"untouched", 7}
		r, err := v.Load("ownership", &got)
		if err != nil {
			t.Fatal(err)
		}
		return got, r
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, data := range [][]byte{data, encode("ownership", bootA, data)} {
			got, r := load(t, data)
			if !r.Trusted() {
				if got != (fact{"untouched", 7}) || r.KeptAs == "" || r.String() == "" {
					t.Fatalf("%+v, %+v", got, r)
				}
				continue
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
			var words map[string]any
			if err := json.Unmarshal(body, &words); err != nil {
				t.Fatalf("trusted: %q", data)
			}
			for word := range words {
				if !strings.EqualFold(word, "holds") && !strings.EqualFold(word, "term") {
					t.Fatalf("trusted, and nobody knows %q: %q", word, data)
				}
			}
			if err := v.Save("ownership", got); err != nil {
				t.Fatal(err)
			}
			if again, r := load(t, []byte(readFile(t, filepath.Join(dir, "ownership.facts")))); !r.Trusted() || again != got {
				t.Fatalf("%q says %+v, which is saved as %+v (%v)", data, got, again, r)
			}
		}
	})
}

// FuzzReadLog: every whole record is told, in order and once, and every other byte of the file is named as damage. Since
// nobody guesses a checksum, each line is tried with a right one, too.
func FuzzReadLog(f *testing.F) {
	line := appendLine(nil, Record{Seq: 1, Boot: bootA, Kind: "fence", Data: []byte(`{"to":"bravo"}`)})
	f.Add([]byte(nil))
	f.Add(line)
	f.Add(line[:len(line)-1])
	f.Add(append(bytes.Clone(line[20:]), line...))
	f.Add(bytes.Replace(line, []byte("bravo"), []byte("alpha"), 1))
	f.Add([]byte(`{"seq":7,"boot":"b","data":{}` + "\n" + `{"seq":5,"boot":"b","data":{}` + "\n" + `{"seq":7,"boot":"c","data":{}` + "\n" + `{"seq":8,"seq":9,"data":0`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, data := range [][]byte{data, checked(data)} {
			path := segmentPath(dir, 1)
			writeFile(t, path, data)
			var want, got []string
			next, offset := uint64(0), 0
			for line := range bytes.Lines(data) {
				text, ended := bytes.CutSuffix(line, []byte("\n"))
				switch r, whole := record(text); {
				case !whole:
					want = append(want, (&Damage{Path: path, Offset: int64(offset), Bytes: len(line), Torn: !ended}).Error())
				case r.Seq >= next:
					want = append(want, fmt.Sprintf("%+v", r))
					next = r.Seq + 1
				}
				offset += len(line)
			}
			for r, err := range ReadLog(dir, dir+"/none", 0) {
				if err != nil {
					got = append(got, err.Error())
				} else {
					got = append(got, fmt.Sprintf("%+v", r))
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%q\nsays %q\nwant %q", data, got, want)
			}
		}
	})
}

// logLine is the format of a record once more, in other words than the code's.
var logLine = regexp.MustCompile(`(?s)^(\{"seq":([0-9]+),.*),"crc":"([0-9a-f]{8})"\}$`)

func record(line []byte) (r Record, whole bool) {
	m := logLine.FindSubmatch(line)
	if m == nil {
		return r, false
	}
	crc, _ := strconv.ParseUint(string(m[3]), 16, 32)
	ok := json.Unmarshal(line, &r) == nil && uint64(crc32.Checksum(m[1], crc32.MakeTable(crc32.Castagnoli))) == crc
	return r, ok && string(m[2]) == strconv.FormatUint(r.Seq, 10)
}

// checked gives each line the checksum that it needs.
func checked(data []byte) (out []byte) {
	for line := range bytes.Lines(data) {
		text, ended := bytes.CutSuffix(line, []byte("\n"))
		out = fmt.Appendf(append(out, text...), `,"crc":"%08x"}`, crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)))
		if ended {
			out = append(out, '\n')
		}
	}
	return out
}
