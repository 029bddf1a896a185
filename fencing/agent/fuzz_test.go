package agent

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// longest is above what any sentence of ours may have, in bytes, whatever an agent writes.
const longest = 4 * shown

// sentence says whether a text is one line that a person can read to its end.
func sentence(s string) bool {
	return strings.TrimSpace(s) != "" && len(s) < longest && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// FuzzMetadata: whatever an agent writes about itself is either refused with a sentence, or names actions; and whatever is
// complained of then is a sentence too.
func FuzzMetadata(f *testing.F) {
	f.Add([]byte(ours))
	f.Add([]byte(`<resource-agent name="x"><actions></actions></resource-agent>`))
	f.Add([]byte(`<resource-agent name="x"><actions><action name="off"/></actions></resource-agent>`))
	f.Add([]byte(`<resource-agent><parameters><parameter name="plug" required="1"><content type="select"><option value="1"/></content></parameter></parameters><actions><action name="on" automatic="1"/></actions></resource-agent>`))
	f.Add([]byte(`<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`))
	f.Add([]byte("no XML\xff"))
	f.Add([]byte("<" + strings.Repeat("a", 2*longest) + "/>"))
	for _, words := range []string{"two\nlines", "left&#x202e;right", strings.Repeat("long ", longest)} {
		f.Add([]byte(`<resource-agent name="` + words + `"><parameters><parameter name="` + words + `" required="1"><shortdesc>` + words + `</shortdesc></parameter>` +
			`<parameter name="plug"><content type="select">` + strings.Repeat(`<option value="`+words+`"/>`, 9) + `</content></parameter></parameters>` +
			`<actions><action name="on" automatic="1"/></actions></resource-agent>`))
	}
	f.Fuzz(func(t *testing.T, out []byte) {
		m, err := parseMetadata(text{bytes: out})
		if err != nil {
			if !sentence(err.Error()) {
				t.Errorf("%q is refused with %q", out, err)
			}
			return
		}
		if len(m.Actions) == 0 {
			t.Fatalf("%q was taken, and names no action", out)
		}
		a := &Agent{c: Config{Name: "fence_any", Params: map[string]string{"plug": "1", "ip": "192.0.2.1"}}}
		for _, problem := range a.CheckParams(m) {
			if !sentence(problem) {
				t.Errorf("%q gave %q", out, problem)
			}
		}
	})
}

// FuzzWords: whatever an agent writes when it fails becomes the end of one sentence, in which no password stands, and
// where the output was cut off in the middle of a password, not the beginning of one.
func FuzzWords(f *testing.F) {
	// No end of the one is a beginning of the other: whoever writes both into each other is not understood.
	secrets := map[string]string{"password": "hunter two", "snmp_priv_passwd": "swan/7 \u00f6"}
	a := &Agent{c: Config{Name: "board"}, secrets: newRedactor(secrets)}
	f.Add([]byte("login with hunter two failed"), []byte("GET /?p=hunter+two&q=swan%2F7+%C3%B6"), uint8(7))
	f.Add([]byte("hunter\ttwo\r\n\x1b[31mred\x1b[0m\nhunter"), []byte("two\xff\x00"), uint8(9))
	f.Add([]byte(strings.Repeat("on and on ", longest)), []byte{}, uint8(1))
	f.Fuzz(func(t *testing.T, errs, out []byte, n uint8) {
		for _, secret := range a.secrets.secrets {
			begun := secret[:1+int(n)%(len(secret)-1)]
			end := ending{code: exitFailed, err: text{bytes: errs}, out: text{bytes: append(out[:len(out):len(out)], begun...), cut: true}}
			said := a.failed(off, end).Error()
			if !sentence(said) || !strings.HasSuffix(said, hidden) && !strings.HasSuffix(said, "...") {
				t.Errorf("%q and %q gave %q", end.err.bytes, end.out.bytes, said)
			}
			for _, secret := range a.secrets.secrets {
				if strings.Contains(said, secret) {
					t.Errorf("%q and %q gave %q", end.err.bytes, end.out.bytes, said)
				}
			}
			// The beginning of a secret adds no more than the stars in its place.
			if whole, cut := a.secrets.clean(text{bytes: out}), a.secrets.clean(end.out); len(cut) > len(whole)+len(hidden) {
				t.Errorf("%q is cut off in a secret: %q", end.out.bytes, cut)
			}
		}
	})
}

func TestCutOffInTheLongerOfTwoSecrets(t *testing.T) {
	r := newRedactor(map[string]string{"password": "hunter two", "passwd": "wolf number 7"})
	for written, want := range map[string]string{"it is hunter tw": "it is ***", "it is wolf number ": "it is ***", "it is h": "it is ***", "it is": "it is"} {
		if got := r.clean(text{bytes: []byte(written), cut: true}); got != want {
			t.Errorf("%q: %q, want %q", written, got, want)
		}
	}
}

func TestWordsThatBecomeASecretOnOneLine(t *testing.T) {
	a := &Agent{secrets: newRedactor(map[string]string{"password": "hunter two"})}
	if got := a.failed(off, ending{code: exitFailed, err: text{bytes: []byte("no, hunter\ttwo\n")}}); !strings.HasSuffix(got.Error(), "failed with exit code 1: no, ***") {
		t.Error(got)
	}
	if got := a.failed(off, ending{code: exitFailed}); !strings.HasSuffix(got.Error(), "failed with exit code 1") {
		t.Error(got)
	}
}
