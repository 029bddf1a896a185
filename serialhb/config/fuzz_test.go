package config

import (
	"bytes"
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/gpio"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// isSentence says whether a text is one line that a person can read.
func isSentence(s string) bool {
	return strings.TrimSpace(s) != "" && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// FuzzParse: nothing makes it panic, every finding is one line with a line of the file and a fix, a file without errors can
// be decided with by each of its nodes, and a comment changes nothing.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/bad/*.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, text := range []string{three, whole(), Example("plant-7"), Example("p", "a", "b", "c", "d"), "", "'' = 0", "' ' = 0", "\"a\\nb\" = 0",
		"[[group.resource]]\nkind = 'exec'\nstart = ['x/\u202ey']\nstatus = [\"a\\u001bb\"]", "\xff", "a.b.c = [[{}]]", "node = 1", "[[node.x]]", "link = [{}]", "[cluster.name]"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, found := Parse(data, "fuzz")
		for _, one := range found {
			if !isSentence(one.Text) || !isSentence(one.Fix) || !isSentence(one.Key) || one.Line < 0 || one.Line > 1+bytes.Count(data, []byte("\n")) || int(one.Severity) >= len(severityNames) {
				t.Fatalf("half a finding: %+v", one)
			}
		}
		if HasErrors(found) {
			if c, refused := file.For("alpha"); c != nil || !HasErrors(refused) {
				t.Fatal("a file with errors is used")
			}
			return
		}
		var core, rest uint64
		for i, name := range file.Nodes {
			c, refused := file.For(name)
			if c == nil || len(refused) > 0 {
				t.Fatal(refused)
			}
			if i > 0 && (core != c.CoreDigest || rest != c.RestDigest) {
				t.Fatal("the nodes of one file have different digests")
			}
			core, rest = c.CoreDigest, c.RestDigest
			sound(t, c)
		}
		more, again := Parse(slices.Concat([]byte("# one\n"), data, []byte("\n# more\n")), "fuzz")
		if HasErrors(again) || len(again) != len(found) {
			t.Fatalf("with comments: %v, without: %v", again, found)
		}
		if c, refused := more.For(file.Nodes[0]); c == nil || c.CoreDigest != core || c.RestDigest != rest {
			t.Fatalf("comments change a digest: %v", refused)
		}
	})
}

// sound is what the rest of the program takes for granted.
func sound(t *testing.T, c *Config) {
	d := &c.Decision
	for name, v := range map[string]time.Duration{
		"detection": d.DetectTime, "fence delay": d.FenceDelay, "move": d.MoveTime, "back-off": d.Backoff, "approval": d.ApprovalTime,
		"doubt": d.DoubtTime, "retry": d.FenceRetryTime, "window": d.Window, "restore": d.RestoreTime, "farewell": d.FarewellTime,
	} {
		if v <= 0 || v > 31*day {
			t.Fatalf("%s time is %v", name, v)
		}
	}
	switch {
	case d.N < 2 || d.N > pulse.MaxMembers || int(d.N) != len(c.Nodes) || d.Me >= d.N || int(d.G) != len(c.Groups) || d.G > pulse.MaxGroups:
		t.Fatalf("%d is one of %d, with %d groups", d.Me, d.N, d.G)
	case d.IntervalMS < 1 || d.IntervalMS > pulse.MaxIntervalMS || d.QuietMS < 1 || d.QuietMS > pulse.MaxQuietMS:
		t.Fatalf("interval %d ms, quiet %d ms", d.IntervalMS, d.QuietMS)
	case d.DetectTime < 2*time.Duration(d.IntervalMS)*time.Millisecond || c.Timing.StartWindow < d.DetectTime || c.Timing.Late >= d.DetectTime:
		t.Fatalf("%+v", c.Timing)
	case d.MaxMoves == 0 || d.MaxFences == 0:
		t.Fatalf("%d moves, %d fences", d.MaxMoves, d.MaxFences)
	case len(c.KeyFiles) < 1 || len(c.KeyFiles) > 3 || len(c.Socket()) > maxSocketPath:
		t.Fatalf("keys %v, socket %s", c.KeyFiles, c.Socket())
	}
	heard := map[uint8]bool{}
	for _, l := range c.Links {
		if l.Index < 0 || l.Index >= pulse.MaxLinks || len(l.Peers) == 0 || l.Kind == Serial && (l.Device == "" || l.SideBytesPerSecond < sideMin) || l.Kind == UDP && l.Listen == "" {
			t.Fatalf("link %+v", l)
		}
		if l.Kind == Serial && float64(pulse.LineBytes(int(d.G)))*1000/float64(d.IntervalMS)+float64(l.SideBytesPerSecond) > float64(l.Baud)/10*0.4 {
			t.Fatalf("link %s is too full", l.Name)
		}
		for p := range l.Peers {
			heard[p] = true
		}
	}
	for p := range d.N {
		if p == d.Me {
			continue
		}
		senses := 0
		for _, s := range d.Members[p].Senses {
			if s.Present {
				senses++
			}
		}
		for _, level := range c.Levels(int(p)) {
			for _, f := range level {
				if f.Sense >= failover.MaxSenses || f.Sense >= 0 && d.Members[p].Senses[f.Sense] != (failover.SenseConfig{Present: true, FailSafe: f.Relay.FailSafe}) {
					t.Fatalf("device %+v", f)
				}
				if f.Sense >= 0 {
					senses--
				}
				if f.Wiring.Coil == (gpio.Line{}) || f.Plan.Verify <= 0 || f.Relay.Cut != fencing.Energise && f.Relay.Cut != fencing.Release {
					t.Fatalf("device %+v", f)
				}
			}
		}
		if !heard[p] || !d.Members[p].Fenceable || len(c.Levels(int(p))) == 0 || senses != 0 {
			t.Fatalf("member %d: heard %v, %+v", p, heard[p], d.Members[p])
		}
	}
	for g, group := range c.Groups {
		if len(group.Prefer) == 0 || len(group.Resources) == 0 || d.Groups[g].Rank[group.Prefer[0]] != 0 {
			t.Fatalf("group %+v", group)
		}
		for _, r := range group.Resources {
			for _, argv := range [][]string{r.Start, r.Stop, r.Status} {
				if len(argv) == 0 || argv[0] == "" || argv[0][0] != '/' {
					t.Fatalf("resource %+v", r)
				}
			}
		}
	}
}

// FuzzReadKey: a key is what its digits say, and what is said of any other file shows nothing of it.
func FuzzReadKey(f *testing.F) {
	const digits = "000102030405060708090A0b0c0d0e0f"
	for _, text := range []string{digits + "\n", digits + digits + "\n\n", " " + digits, digits[1:], digits[2:], digits + "zz", digits + "\n" + digits, "", "\x00", "secret\xff"} {
		f.Add([]byte(text))
	}
	path := filepath.Join(f.TempDir(), "key")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		key, err := ReadKey(path)
		if err == nil {
			if len(key) < pulse.MinKey || !strings.EqualFold(hex.EncodeToString(key), string(bytes.TrimSpace(data))) {
				t.Fatalf("%q is the key %x", data, key)
			}
			return
		}
		said := strings.ReplaceAll(err.Error(), path, "")
		for at := range max(0, len(data)-3) {
			if part := string(data[at : at+4]); key != nil || !isSentence(said) || strings.Trim(part, "0123456789abcdefABCDEF") == "" && strings.Contains(said, part) {
				t.Fatalf("%q: %x, %s", data, key, said)
			}
		}
	})
}

// FuzzParseOptions: options that are taken can be written down and read again to the same, and what is said of others is
// one line that shows no value.
func FuzzParseOptions(f *testing.F) {
	for _, text := range []string{
		"# of the board\n\n password=hush hush\r\nusername = admin\n", "password=a=b c\npasswd=\n", "password=hush\npassword=hush\n", "hush\n", "=hush\n", "a b=hush\n",
		"password=\"hush\"\n", "password=hush\x00\n", "password=hush\xff\n", "action=hush\n", "\xff=hush", "p\x1bq=1\np\x1bq=2",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := parseOptions(data)
		if err != nil {
			if !isSentence(err.Error()) {
				t.Fatalf("%q is refused with %q", data, err)
			}
			var marked strings.Builder
			for line := range strings.Lines(string(data)) {
				marked.WriteString(strings.Replace(line, "=", "=a secret of mine", 1))
			}
			if _, err := parseOptions([]byte(marked.String())); err != nil && strings.Contains(err.Error(), "a secret of mine") {
				t.Fatalf("%q is refused with %q", marked.String(), err)
			}
			return
		}
		var again strings.Builder
		for _, name := range slices.Sorted(maps.Keys(all)) {
			again.WriteString(name + "=" + all[name] + "\n")
		}
		if same, err := parseOptions([]byte(again.String())); err != nil || !maps.Equal(same, all) {
			t.Fatalf("%q says %q, and that says %q: %v", data, all, same, err)
		}
	})
}

// A large document of a shape that invites square effort is done with at once.
func TestHugeDocuments(t *testing.T) {
	for name, unit := range map[string]string{
		"dotted": "a.", "arrays": "[", "nodes": "[[node]]\n", "links": "[[link]]\n", "fences": "[[fence]]\n", "groups": "[[group]]\n",
		"resources": "[[group]]\n[[group.resource]]\n", "inline": "{a=", "lines": "\n", "headers": "[a.b.",
	} {
		text := strings.Repeat(unit, maxFile/4/len(unit))
		switch name {
		case "dotted":
			text += "a = 1\n"
		case "arrays":
			text = "a = " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000)
		case "inline":
			text = "a = " + strings.Repeat("{a=", 9000) + "1" + strings.Repeat("}", 9000)
		case "headers":
			text = "[" + strings.Repeat("a.", maxFile/8) + "a]\n"
		}
		began := time.Now()
		_, found := Parse([]byte(text), name)
		if took := time.Since(began); took > 20*time.Second || !HasErrors(found) {
			t.Errorf("%s: %d findings after %v", name, len(found), took)
		} else {
			t.Logf("%s: %d findings after %v", name, len(found), took)
		}
	}
}
