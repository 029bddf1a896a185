package guest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type unpacked struct {
	name    string
	mode    uint64
	content string
	device  string
}

// unpack reads the archive by the kernel's description of the form, not by ours.
func unpack(t *testing.T, b []byte) (all []unpacked) {
	t.Helper()
	for at := 0; ; {
		if len(b)-at < 110 || string(b[at:at+6]) != "070701" {
			t.Fatalf("no header at byte %d of %d", at, len(b))
		}
		var field [13]uint64
		for i := range field {
			v, err := strconv.ParseUint(string(b[at+6+8*i:at+14+8*i]), 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			field[i] = v
		}
		size, long := int(field[6]), int(field[11])
		name := string(b[at+110 : at+110+long])
		at += (110 + long + 3) / 4 * 4
		content := string(b[at : at+size])
		at += (size + 3) / 4 * 4
		if !strings.HasSuffix(name, "\x00") {
			t.Fatalf("%q has no end", name)
		}
		name = strings.TrimSuffix(name, "\x00")
		if name == "TRAILER!!!" {
			if at != len(b) {
				t.Errorf("%d bytes after the end", len(b)-at)
			}
			return all
		}
		all = append(all, unpacked{name, field[1], content, fmt.Sprint(field[9], ":", field[10])})
	}
}

func TestArchive(t *testing.T) {
	from := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(from, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := writeArchive(&b, []File{
		{Path: "/init", Mode: 0o755, From: from},
		{Path: "/usr/share/a", Mode: 0o644, Text: []byte("four")},
		{Path: "/usr/share/b", Mode: 0o600, Text: []byte{}},
		{Path: "/usr/lib"},
	}); err != nil {
		t.Fatal(err)
	}
	want := []unpacked{
		{"dev", 0o040755, "", "0:0"}, {"dev/console", 0o020600, "", "5:1"},
		{"init", 0o100755, "12345", "0:0"},
		{"usr", 0o040755, "", "0:0"}, {"usr/share", 0o040755, "", "0:0"}, {"usr/share/a", 0o100644, "four", "0:0"},
		{"usr/share/b", 0o100600, "", "0:0"}, {"usr/lib", 0o040755, "", "0:0"},
	}
	if got := unpack(t, b.Bytes()); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestArchiveRefuses(t *testing.T) {
	for name, f := range map[string]File{
		"no absolute path": {Path: "init", Text: []byte("x")},
		"of a file":        {Path: "/", Text: []byte("x")},
		"no such file":     {Path: "/init", From: filepath.Join(t.TempDir(), "nothing")},
	} {
		if err := writeArchive(&bytes.Buffer{}, []File{f}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
