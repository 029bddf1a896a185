package story

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
	"github.com/serialhb/serialhb/serialhb/control"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at it after go test -rewrite. Now it is:\n%s", file, got)
	}
}

const told = `config interval 10ms
config multiplier 3
say Both are up
start
run bravo status
say Alpha loses its mains, and bravo takes over
power-off alpha
expect owner bravo within 1s
say And now for something that does not come true
expect no-owner within 50ms
`

func report(t *testing.T, sink Sink) {
	t.Helper()
	f := up()
	f.does = func(f *fake, o Order) (string, error) {
		if o.Verb == "run" {
			return "all well: alpha owns web\nbravo stands by", nil
		}
		return mains(f, o)
	}
	script, err := Parse("test", told)
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), script, f.builder(), f.Now, sink); !errors.Is(err, ErrFailed) {
		t.Fatal(err)
	}
}

func TestReports(t *testing.T) {
	for name, sink := range map[string]func(*bytes.Buffer) Sink{
		"report.txt":   func(b *bytes.Buffer) Sink { return Text(b) },
		"headless.txt": func(b *bytes.Buffer) Sink { return Headless(b) },
		"report.jsonl": func(b *bytes.Buffer) Sink { return JSON(b) },
	} {
		var b bytes.Buffer
		report(t, sink(&b))
		golden(t, name, b.Bytes())
		for line := range strings.Lines(b.String()) {
			if strings.HasSuffix(name, ".txt") && strings.HasSuffix(line, " \n") {
				t.Errorf("%s: blanks at the end of %q", name, line)
			}
		}
	}
}

func TestEveryLineOfJSONStandsAlone(t *testing.T) {
	var b bytes.Buffer
	report(t, JSON(&b))
	lines := bufio.NewScanner(&b)
	var last Entry
	for lines.Scan() {
		last = Entry{}
		if err := json.Unmarshal(lines.Bytes(), &last); err != nil || last.Type == "" {
			t.Errorf("%s: %v", lines.Text(), err)
		}
	}
	if last.Type != "summary" || last.Summary.OK {
		t.Errorf("the last line is %+v", last)
	}
}

func TestEveryBoardEventHasWords(t *testing.T) {
	for _, e := range []board.Event{
		{Kind: "coil", Name: "RELAY_ALPHA", Value: "off"}, {Kind: "contact", Name: "RELAY_ALPHA", Value: "closed"},
		{Kind: "mains", Name: "alpha", Value: "on"}, {Kind: "power", Name: "alpha", Value: "on"}, {Kind: "power", Name: "alpha", Value: "dying"},
		{Kind: "sense", Name: "SENSE_ALPHA", Value: "1"}, {Kind: "host", Name: "alpha", Value: "lost"}, {Kind: "new", Name: "a", Value: "b"},
	} {
		if text := tellBoard(e); text == "" || !strings.Contains(text, e.Name) || e.Kind != "new" && strings.HasPrefix(text, e.Kind+" "+e.Name) {
			t.Errorf("%+v: %q", e, text)
		}
	}
}

// TestTheManualHoldsTheReference: the page and the tables cannot drift apart.
func TestTheManualHoldsTheReference(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	begin, end := strings.Index(text, "```text\n")+len("```text\n"), strings.LastIndex(text, "```")
	if *rewrite {
		text = text[:begin] + Verbs() + text[end:]
		if err := os.WriteFile("README.md", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(text, "```text\n"+Verbs()+"```") {
		t.Error("README.md has another reference than --verbs; go test -rewrite writes it anew")
	}
	for _, v := range verbs {
		if !strings.Contains(Verbs(), "\n  "+strings.TrimSpace(v.name+" "+v.usage)+"\n") {
			t.Errorf("the reference lacks the verb %s", v.name)
		}
	}
	for _, c := range conditions {
		if !strings.Contains(Verbs(), "\n  "+strings.TrimSpace(c.name+" "+c.usage)+"\n") {
			t.Errorf("the reference lacks the condition %s", c.name)
		}
	}
	for _, s := range settings {
		if !strings.Contains(Verbs(), "\n  "+s.key+" "+s.usage+"\n") {
			t.Errorf("the reference lacks the setting %s", s.key)
		}
	}
}

// peerOK makes a node hear the other one on both links.
func peerOK() func(*control.Status) {
	return func(s *control.Status) {
		for _, n := range others(s.Node) {
			s.Members = append(s.Members, control.Member{Name: n, Presence: "heard"})
		}
		for _, l := range []string{linkCable, linkLAN} {
			s.Links = append(s.Links, control.Link{Name: l, Up: true, Receives: "ok", Sends: "ok"})
		}
	}
}

func TestMeasure(t *testing.T) {
	f := newFake()
	owner := "alpha"
	// Each cut takes so much longer than the one before.
	slow := time.Duration(0)
	f.does = func(f *fake, o Order) (string, error) {
		switch o.Verb {
		case "power-off":
			heir, was := others(o.Nodes[0])[0], owner
			f.plan = nil
			f.board("mains", o.Nodes[0], "off")
			f.in(time.Millisecond, func() {
				f.board("run", Service, "end "+was)
				f.board("power", o.Nodes[0], "off")
			})
			f.in(50*time.Millisecond+slow, func() { f.board("coil", "RELAY_"+strings.ToUpper(o.Nodes[0]), "on") })
			f.in(70*time.Millisecond+slow, func() { f.serve(heir, 10*time.Second); f.status(heir, "active", "yes", peerOK()) })
			owner, slow = heir, slow+10*time.Millisecond
		case "power-on":
			f.board("power", o.Nodes[0], "on")
			f.status(o.Nodes[0], "idle", "no", peerOK())
		}
		return "", nil
	}
	f.status("alpha", "active", "yes", peerOK())
	f.status("bravo", "idle", "no", peerOK())
	m := Measurement{Cuts: 4, By: ByMains, Settings: Defaults()}
	var all []Entry
	f.in(time.Millisecond, func() { f.serve("alpha", 10*time.Second) })
	if err := Measure(t.Context(), m, f.builder(), f.Now, func(e Entry) error { all = append(all, e); return nil }); err != nil {
		t.Fatal(err, dump(all))
	}
	if len(all) != 1 {
		t.Fatal(dump(all))
	}
	figures := map[string]Figure{}
	for _, g := range all[0].Medians.Figures {
		figures[g.Part] = g
	}
	if g := figures["coil"]; g != (Figure{"coil", 4, 65, 50, 80}) {
		t.Errorf("coil %+v", g)
	}
	if g := figures["first answer"]; g.N != 4 || g.Median != 87 {
		t.Errorf("first answer %+v", g)
	}
	if _, there := figures["proven"]; there {
		t.Error("a part that nobody saw has a median")
	}
	if text := strings.Join(strings.Fields(all[0].words()), " "); !strings.Contains(text, "coil 65.0 ms 50.0 ms 80.0 ms 4") {
		t.Error(text)
	}
}
