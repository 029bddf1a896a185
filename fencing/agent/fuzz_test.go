package agent

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Whatever an agent writes about itself is either refused with a sentence, or names actions; and whatever it complains of
// fits into one line of ours.
func FuzzMetadata(f *testing.F) {
	f.Add([]byte(ours))
	f.Add([]byte(`<resource-agent name="x"><actions><action name="off"/></actions></resource-agent>`))
	f.Add([]byte(`<resource-agent><parameters><parameter name="plug" required="1"><content type="select"><option value="1"/></content></parameter></parameters><actions><action name="on" automatic="1"/></actions></resource-agent>`))
	f.Add([]byte(`<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`))
	f.Add([]byte("no XML\xff"))
	f.Add([]byte("<a><parameters><parameter name=\"b\" required=\"1\"><shortdesc>two\nlines</shortdesc></parameter></parameters><actions><action name=\"off\"/></actions></a>"))
	f.Fuzz(func(t *testing.T, out []byte) {
		m, err := parseMetadata(text{bytes: out})
		if err != nil {
			if !utf8.ValidString(err.Error()) && utf8.Valid(out) {
				t.Errorf("%q is refused with %q", out, err)
			}
			return
		}
		if len(m.Actions) == 0 {
			t.Fatalf("%q was taken, and names no action", out)
		}
		a := &Agent{c: Config{Name: "fence_any", Params: map[string]string{"plug": "1", "ip": "192.0.2.1"}}}
		for _, problem := range a.CheckParams(m) {
			if strings.TrimSpace(problem) == "" || strings.ContainsFunc(problem, unicode.IsControl) {
				t.Errorf("%q gave %q", out, problem)
			}
		}
	})
}
