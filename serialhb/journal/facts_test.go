package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

type fact struct {
	Holds string `json:"holds"`
	Term  int    `json:"term"`
}

var old, young = fact{"no", 1}, fact{"yes", 2}

// keeper is what both kinds of facts do.
type keeper interface {
	Save(kind string, v any) error
	Load(kind string, v any) (Report, error)
}

func volatileIn(t testing.TB, dir, boot string) *Volatile {
	t.Helper()
	f, err := NewVolatile(dir, boot)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func durableIn(t testing.TB, dir, boot string) *Durable {
	t.Helper()
	f, err := NewDurable(dir, boot)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// mustLoad loads a fact that has to be trusted.
func mustLoad(t *testing.T, k keeper, kind string) fact {
	t.Helper()
	var got fact
	if r, err := k.Load(kind, &got); err != nil || !r.Trusted() {
		t.Fatalf("%v, %v", r, err)
	}
	return got
}

// The format is a promise to the release before and the one after.
func TestFormat(t *testing.T) {
	dir := t.TempDir()
	if err := volatileIn(t, dir, bootA).Save("ownership", young); err != nil {
		t.Fatal(err)
	}
	want := "serialhb facts 1 ownership crc32c=51087cf1 len=24 boot=" + bootA + "\n" + `{"holds":"yes","term":2}`
	if got := readFile(t, filepath.Join(dir, "ownership.facts")); got != want {
		t.Errorf("%q", got)
	}
	if err := durableIn(t, dir, "").Save("modes", nil); err != nil {
		t.Fatal(err)
	}
	if got := readFile(t, filepath.Join(dir, "modes.facts")); !strings.HasSuffix(got, " len=4 boot=-\nnull") {
		t.Errorf("%q", got)
	}
}

func TestSaveAndLoad(t *testing.T) {
	for name, k := range map[string]keeper{
		"volatile": volatileIn(t, filepath.Join(t.TempDir(), "plant-7", "alpha"), bootA),
		"durable":  durableIn(t, filepath.Join(t.TempDir(), "plant-7", "alpha"), bootA),
	} {
		var got fact
		if r, err := k.Load("ownership", &got); err != nil || r.Finding != Missing || r.Trusted() {
			t.Errorf("%s: before: %v, %v", name, r, err)
		}
		for _, want := range []fact{old, young} {
			if err := k.Save("ownership", want); err != nil {
				t.Fatal(err)
			}
			r, err := k.Load("ownership", &got)
			if err != nil || !r.Trusted() || got != want || r.Boot != bootA || r.Version != 1 {
				t.Errorf("%s: %+v, %+v, %v", name, got, r, err)
			}
			info, err := os.Stat(r.Path)
			if err != nil || info.Mode() != 0o600 {
				t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
			}
			if left := names(t, filepath.Dir(r.Path)); !slices.Equal(left, []string{"ownership.facts"}) {
				t.Errorf("%s: left %q", name, left)
			}
		}
	}
}

func TestNoFactIsTrustedUnlessIntact(t *testing.T) {
	good := string(encode("ownership", bootA, []byte(`{"holds":"yes","term":2}`)))
	for name, c := range map[string]struct {
		content string
		want    Finding
	}{
		"empty":         {"", Empty},
		"zeros":         {strings.Repeat("\x00", 100), Foreign},
		"foreign":       {"[cluster]\nname = \"plant-7\"\n", Foreign},
		"foreign json":  {`{"holds":"yes","term":2}`, Foreign},
		"endless line":  {magic + "1 " + strings.Repeat("x", maxHeader), Corrupt},
		"older":         {strings.Replace(good, "facts 1 ", "facts 0 ", 1), Older},
		"newer":         {strings.Replace(good, "facts 1 ", "facts 2 ", 1), Newer},
		"newer, other":  {"serialhb facts 17 something else\nbinary", Newer},
		"no version":    {strings.Replace(good, "facts 1 ", "facts one ", 1), Corrupt},
		"wrong crc":     {strings.Replace(good, "crc32c=", "crc32c=0", 1), Corrupt},
		"wrong length":  {strings.Replace(good, "len=24", "len=23", 1), Corrupt},
		"odd length":    {strings.Replace(good, "len=24", "len=024", 1), Corrupt},
		"negative":      {strings.Replace(good, "len=24", "len=-1", 1), Corrupt},
		"body":          {strings.Replace(good, "yes", "no!", 1), Corrupt},
		"boot changed":  {strings.Replace(good, bootA, bootB, 1), Corrupt},
		"kind changed":  {strings.Replace(good, "ownership", "ownershiq", 1), Corrupt},
		"more":          {good + "\n", Corrupt},
		"other kind":    {string(encode("modes", bootA, []byte(`{"holds":"yes","term":2}`))), Misplaced},
		"other boot":    {string(encode("ownership", bootB, []byte(`{"holds":"yes","term":2}`))), OtherBoot},
		"no boot":       {string(encode("ownership", noBoot, []byte(`{"holds":"yes","term":2}`))), OtherBoot},
		"unknown field": {string(encode("ownership", bootA, []byte(`{"holds":"yes","term":2,"withdrawn":true}`))), Undecodable},
		"wrong type":    {string(encode("ownership", bootA, []byte(`{"holds":"yes","term":"2"}`))), Undecodable},
		"two values":    {string(encode("ownership", bootA, []byte(`{"holds":"yes","term":2} {}`))), Undecodable},
		"no json":       {string(encode("ownership", bootA, []byte(`{"holds":"yes"`))), Undecodable},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "ownership.facts")
			writeFile(t, path+".bad", []byte("an earlier one"))
			writeFile(t, path, []byte(c.content))
			v := volatileIn(t, dir, bootA)
			got := fact{"untouched", 7}
			r, err := v.Load("ownership", &got)
			if err != nil || r.Finding != c.want || r.Trusted() {
				t.Fatalf("%v, %v: want %v", r.Finding, err, c.want)
			}
			if got != (fact{"untouched", 7}) {
				t.Errorf("it was loaded: %+v", got)
			}
			if r.KeptAs != path+".bad" || readFile(t, r.KeptAs) != c.content {
				t.Errorf("it was not kept: %+v", r)
			}
			if s := r.String(); strings.Contains(s, "\n") || !strings.Contains(s, "kept as") {
				t.Errorf("%q", s)
			}
			if r, err := v.Load("ownership", &got); err != nil || r.Finding != Missing {
				t.Errorf("the second time: %v, %v", r, err)
			}
		})
	}
}

// What a fact does not mention is not left over from what the value held before.
func TestLoadReplacesTheWholeValue(t *testing.T) {
	v := volatileIn(t, t.TempDir(), bootA)
	if err := v.Save("ownership", map[string]string{"holds": "no"}); err != nil {
		t.Fatal(err)
	}
	got := fact{"yes", 7}
	if r, err := v.Load("ownership", &got); err != nil || !r.Trusted() || got != (fact{"no", 0}) {
		t.Errorf("%+v, %v, %v", got, r, err)
	}
}

func TestDurableTrustsAnyBoot(t *testing.T) {
	dir := t.TempDir()
	if err := durableIn(t, dir, bootA).Save("modes", young); err != nil {
		t.Fatal(err)
	}
	var got fact
	r, err := durableIn(t, dir, bootB).Load("modes", &got)
	if err != nil || !r.Trusted() || r.Boot != bootA || got != young {
		t.Errorf("%+v, %+v, %v", got, r, err)
	}
}

// A file that ends at any byte, has zeros from any byte on, or has any one bit turned, is never believed.
func TestDamageAtEveryByte(t *testing.T) {
	good := encode("ownership", bootA, []byte(`{"holds":"yes","term":2}`))
	s := store{boot: bootA, thisBootOnly: true}
	judge := func(data []byte) Finding {
		got := fact{"untouched", 7}
		r := Report{Kind: "ownership"}
		s.judge(&r, data, &got)
		if r.Trusted() != (got == young) || !r.Trusted() && got != (fact{"untouched", 7}) {
			t.Fatalf("%v, yet %+v", r.Finding, got)
		}
		return r.Finding
	}
	if judge(good) != Intact {
		t.Fatal("the whole file is not intact")
	}
	for n := range good {
		want := Torn
		if n == 0 {
			want = Empty
		}
		if f := judge(good[:n]); f != want {
			t.Errorf("cut at %d: %v", n, f)
		}
		zeros := slices.Concat(good[:n], make([]byte, len(good)-n))
		if f := judge(zeros); f == Intact {
			t.Errorf("zeros from %d: %v", n, f)
		}
		for bit := range 8 {
			turned := slices.Clone(good)
			turned[n] ^= 1 << bit
			if f := judge(turned); f == Intact {
				t.Errorf("bit %d of byte %d: %v", bit, n, f)
			}
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	for _, boot := range []string{"", "-", "a b", "a\nb", strings.Repeat("a", maxWord+1)} {
		if _, err := NewVolatile(t.TempDir(), boot); err == nil {
			t.Errorf("boot id %q accepted", boot)
		}
	}
	v := volatileIn(t, t.TempDir(), bootA)
	for _, kind := range []string{"", "../key", "a b", "a.b"} {
		if err := v.Save(kind, old); err == nil {
			t.Errorf("kind %q saved", kind)
		}
		if _, err := v.Load(kind, &fact{}); err == nil {
			t.Errorf("kind %q loaded", kind)
		}
	}
	if err := v.Save("ownership", func() {}); err == nil {
		t.Error("saved what is no JSON")
	}
	if err := v.Save("ownership", strings.Repeat("x", maxBody)); err == nil {
		t.Error("saved what is too long")
	}
	if err := v.Save("ownership", old); err != nil {
		t.Fatal(err)
	}
	var got fact
	if r, err := v.Load("ownership", got); err != nil || r.Trusted() {
		t.Errorf("loaded into no pointer: %v, %v", r, err)
	}
}

func TestConcurrentFacts(t *testing.T) {
	v := volatileIn(t, t.TempDir(), bootA)
	var group sync.WaitGroup
	for i := range 8 {
		kind := fmt.Sprintf("fact%d", i%2)
		if err := v.Save(kind, old); err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			for n := range 200 {
				if err := v.Save(kind, fact{"yes", n}); err != nil {
					t.Error(err)
				}
				var got fact
				if r, err := v.Load(kind, &got); err != nil || !r.Trusted() {
					t.Errorf("%v, %v", r, err)
				}
			}
		})
	}
	group.Wait()
}

func BenchmarkVolatileSave(b *testing.B) {
	v := volatileIn(b, memoryDir(b), bootA)
	for b.Loop() {
		if err := v.Save("ownership", young); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDurableSave(b *testing.B) {
	d := durableIn(b, b.TempDir(), bootA)
	for b.Loop() {
		if err := d.Save("ownership", young); err != nil {
			b.Fatal(err)
		}
	}
}
