package story

import (
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
)

// good has every verb at least once, and what it is read as.
var good = []struct {
	line string
	want Order
}{
	{"say Alpha  falls, # not this", Order{Verb: "say", Words: []string{"Alpha", "falls,"}}},
	{"stop bravo", Order{Verb: "stop", Nodes: []string{"bravo"}}},
	{"stop alpha bravo", Order{Verb: "stop", Nodes: []string{"alpha", "bravo"}}},
	{"start bravo", Order{Verb: "start", Nodes: []string{"bravo"}}},
	{"power-off alpha bravo", Order{Verb: "power-off", Nodes: []string{"alpha", "bravo"}}},
	{"power-on alpha", Order{Verb: "power-on", Nodes: []string{"alpha"}}},
	{"freeze alpha", Order{Verb: "freeze", Nodes: []string{"alpha"}}},
	{"thaw alpha", Order{Verb: "thaw", Nodes: []string{"alpha"}}},
	{"kill-daemon alpha", Order{Verb: "kill-daemon", Nodes: []string{"alpha"}}},
	{"kill-daemon alpha hold", Order{Verb: "kill-daemon", Nodes: []string{"alpha"}, Mode: "hold"}},
	{"restart-daemon alpha", Order{Verb: "restart-daemon", Nodes: []string{"alpha"}}},
	{"reboot alpha", Order{Verb: "reboot", Nodes: []string{"alpha"}}},
	{"reset alpha bravo", Order{Verb: "reset", Nodes: []string{"alpha", "bravo"}}},
	{"loop-back bravo", Order{Verb: "loop-back", Nodes: []string{"bravo"}}},
	{"repeat 1", Order{Verb: "repeat", Times: 1}},
	{"end", Order{Verb: "end"}},
	{"cut-cable", Order{Verb: "cut-cable"}},
	{"cut-cable alpha->bravo", Order{Verb: "cut-cable", From: "alpha", To: "bravo"}},
	{"mend-cable bravo -> alpha", Order{Verb: "mend-cable", From: "bravo", To: "alpha"}},
	{"unplug alpha", Order{Verb: "unplug", Nodes: []string{"alpha"}}},
	{"replug alpha", Order{Verb: "replug", Nodes: []string{"alpha"}}},
	{"noise 200 alpha->bravo", Order{Verb: "noise", Rate: 200, From: "alpha", To: "bravo"}},
	{"noise 0", Order{Verb: "noise"}},
	{"service bravo start-fails", Order{Verb: "service", Nodes: []string{"bravo"}, Mode: "start"}},
	{"service bravo ok", Order{Verb: "service", Nodes: []string{"bravo"}, Mode: "ok"}},
	{"reload alpha bravo", Order{Verb: "reload", Nodes: []string{"alpha", "bravo"}}},
	{"keys 2 1", Order{Verb: "keys", Words: []string{"2", "1"}}},
	{"lose-run bravo", Order{Verb: "lose-run", Nodes: []string{"bravo"}}},
	{"disk full", Order{Verb: "disk", Mode: "full"}},
	{"disk ok", Order{Verb: "disk", Mode: "ok"}},
	{"byte-errors 0.001", Order{Verb: "byte-errors", Rate: 0.001}},
	{"byte-errors 1 bravo->alpha", Order{Verb: "byte-errors", Rate: 1, From: "bravo", To: "alpha"}},
	{"cut-net alpha->bravo", Order{Verb: "cut-net", From: "alpha", To: "bravo"}},
	{"mend-net", Order{Verb: "mend-net"}},
	{"squat", Order{Verb: "squat"}},
	{"squat quiet", Order{Verb: "squat", Mode: "quiet"}},
	{"unsquat", Order{Verb: "unsquat"}},
	{"card alpha off", Order{Verb: "card", Nodes: []string{"alpha"}, Mode: "off"}},
	{"card bravo strip", Order{Verb: "card", Nodes: []string{"bravo"}, Mode: "strip"}},
	{"descriptors alpha none", Order{Verb: "descriptors", Nodes: []string{"alpha"}, Mode: "none"}},
	{"descriptors alpha ok", Order{Verb: "descriptors", Nodes: []string{"alpha"}, Mode: "ok"}},
	{"clock +87600h", Order{Verb: "clock", For: 87600 * time.Hour}},
	{"clock -3s", Order{Verb: "clock", For: -3 * time.Second}},
	{"zone Asia/Kathmandu", Order{Verb: "zone", Name: "Asia/Kathmandu"}},
	{"weld RELAY_ALPHA", Order{Verb: "weld", Name: "RELAY_ALPHA"}},
	{"free RELAY2_BRAVO", Order{Verb: "free", Name: "RELAY2_BRAVO"}},
	{"slow RELAY_ALPHA 50ms", Order{Verb: "slow", Name: "RELAY_ALPHA", For: 50 * time.Millisecond}},
	{"sense SENSE_ALPHA stuck-on", Order{Verb: "sense", Name: "SENSE_ALPHA", Mode: "stuck-on"}},
	{"sense MIRROR2_ALPHA lie 1s", Order{Verb: "sense", Name: "MIRROR2_ALPHA", Mode: "lie", For: time.Second}},
	{"agent hangs-off", Order{Verb: "agent", Mode: "hangs-off"}},
	{"hold-up alpha 20ms", Order{Verb: "hold-up", Nodes: []string{"alpha"}, For: 20 * time.Millisecond}},
	{"run bravo switchover web", Order{Verb: "run", Nodes: []string{"bravo"}, Words: []string{"switchover", "web"}}},
	{"perhaps thaw alpha", Order{Verb: "thaw", Nodes: []string{"alpha"}, Perhaps: true}},
	{"try bravo failback", Order{Verb: "try", Nodes: []string{"bravo"}, Words: []string{"failback"}}},
	{"refused bravo failback", Order{Verb: "refused", Nodes: []string{"bravo"}, Words: []string{"failback"}}},
	{"sleep 1.5s", Order{Verb: "sleep", For: 1500 * time.Millisecond}},
	{"never two-owners", Order{Verb: "never"}},
	{"expect owner alpha within 5s", Order{Verb: "expect"}},
	{"stop", Order{Verb: "stop"}},
	{"config interval 10ms", Order{Verb: "config", Name: "interval", Mode: "10ms"}},
	{"start", Order{Verb: "start"}},
}

func TestEveryVerbIsRead(t *testing.T) {
	text := "config level2 on\nconfig agent on\nstart\n"
	for _, g := range good {
		text += g.line + "\n"
	}
	s, err := Parse("x", text)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, g := range good {
		step := s.Steps[i+3]
		if !reflect.DeepEqual(step.Order, g.want) || step.Line != i+4 {
			t.Errorf("%s (line %d): %+v, want %+v", g.line, step.Line, step.Order, g.want)
		}
		seen[step.Order.Verb] = true
		if step.Order.Perhaps {
			seen["perhaps"] = true
		}
	}
	for _, v := range verbs {
		if !seen[v.name] {
			t.Errorf("no line tries the verb %s", v.name)
		}
	}
}

// bad has every verb at least once, with a part of what is said. The line stands third.
var bad = []struct{ line, want string }{
	{"dance", "there is no verb \"dance\""},
	{"power-of alpha", "did you mean power-off?"},
	{"fence alpha", "serialhb lab --verbs"},
	{"say", "write: say TEXT"},
	{"config interval 1ms", "take the rack down first"},
	{"start", "the rack is on already"},
	{"start charlie", "no node \"charlie\"; the nodes are alpha and bravo"},
	{"stop alpha charlie", "no node \"charlie\""},
	{"power-off", "write: power-off NODE..."},
	{"power-on ALPHA", "no node \"ALPHA\""},
	{"freeze alpha charlie", "no node \"charlie\""},
	{"thaw", "write: thaw NODE..."},
	{"kill-daemon alpha softly", "write: kill-daemon NODE [hold]"},
	{"restart-daemon", "write: restart-daemon"},
	{"reboot", "write: reboot NODE..."},
	{"reset", "write: reset NODE..."},
	{"loop-back alpha bravo", "write: loop-back NODE"},
	{"repeat", "write: repeat N"},
	{"repeat 0", "repeat a whole number of times from 1 to 1000, not \"0\""},
	{"repeat 1001", "from 1 to 1000"},
	{"repeat 2", "repeat has no end"},
	{"end", "there is nothing to end; write repeat N before it"},
	{"end now", "write: end"},
	{"cut-cable alpha", "write: cut-cable [NODE->NODE]"},
	{"cut-cable alpha->alpha", "no way leads from alpha to itself"},
	{"mend-cable alpha->charlie", "no node \"charlie\""},
	{"unplug", "write: unplug NODE"},
	{"replug alpha bravo", "write: replug NODE"},
	{"noise", "write: noise BYTES-PER-SECOND"},
	{"noise -1", "noise is a number of bytes per second from 0"},
	{"noise NaN", "noise is a number"},
	{"service bravo", "write: service NODE start-fails|stop-fails|ok"},
	{"service bravo fails", "write: service NODE start-fails|stop-fails|ok"},
	{"reload", "write: reload NODE..."},
	{"lose-run", "write: lose-run NODE..."},
	{"keys", "write: keys N..."},
	{"keys 4", "keys takes some of 1, 2, 3, each once, not \"4\""},
	{"keys 1 1", "keys takes some of 1, 2, 3, each once, not \"1\""},
	{"disk", "write: disk full|ok"},
	{"disk half", "write: disk full|ok"},
	{"byte-errors", "write: byte-errors RATE"},
	{"byte-errors 1.5", "the rate of byte errors is a number from 0 to 1, not \"1.5\""},
	{"byte-errors NaN", "the rate of byte errors is a number"},
	{"cut-net bravo", "write: cut-net"},
	{"mend-net a b c", "write: mend-net"},
	{"squat loudly", "write: squat [quiet]"},
	{"unsquat quiet", "write: unsquat"},
	{"card alpha", "write: card NODE off|on|unplug|plug|strip"},
	{"card alpha burn", "write: card NODE off|on|unplug|plug|strip"},
	{"card stranger off", "no node \"stranger\""},
	{"descriptors alpha", "write: descriptors NODE none|ok"},
	{"descriptors alpha few", "write: descriptors NODE none|ok"},
	{"clock", "write: clock STEP"},
	{"clock 3s", "\"3s\" is no step of a clock; write + or - and a duration"},
	{"clock +ten years", "write: clock STEP"},
	{"clock +10y", "\"+10y\" is no step of a clock"},
	{"clock -876001h", "-876001h is further than a clock is set here; write 876000h0m0s or less"},
	{"zone", "write: zone NAME"},
	{"zone ../../etc/shadow", "\"../../etc/shadow\" is no time zone"},
	{"zone /etc/shadow", "is no time zone"},
	{"weld", "write: weld RELAY"},
	{"weld RELAY2_ALPHA", "no relay \"RELAY2_ALPHA\"; the relays are RELAY_ALPHA, RELAY_BRAVO"},
	{"free SENSE_ALPHA", "no relay \"SENSE_ALPHA\""},
	{"slow RELAY_ALPHA", "write: slow RELAY DURATION"},
	{"slow RELAY_ALPHA 50", "\"50\" is not a duration; write a number with its unit"},
	{"sense SENSE_ALPHA broken", "write: sense NAME stuck-on"},
	{"sense SENSE_ALPHA lie", "write: sense NAME"},
	{"sense SENSE_CHARLIE ok", "no sense \"SENSE_CHARLIE\""},
	{"agent", "write: agent ok|fails|hangs|hangs-off"},
	{"agent lies", "an agent can be fails, hangs, hangs-off or ok, not \"lies\""},
	{"agent fails", "there is no agent; write config agent on before start"},
	{"hold-up alpha", "write: hold-up NODE DURATION"},
	{"hold-up alpha -5ms", "not a duration"},
	{"run alpha", "write: run NODE COMMAND"},
	{"run charlie status", "no node"},
	{"perhaps", "write: perhaps VERB"},
	{"perhaps sleep 1s", "perhaps stands before a verb that does something"},
	{"perhaps stop", "perhaps stands before a verb that does something"},
	{"perhaps thaw", "write: thaw NODE"},
	{"try bravo", "write: try NODE"},
	{"refused bravo", "write: refused NODE"},
	{"sleep", "write: sleep DURATION"},
	{"sleep long", "not a duration"},
	{"never", "write: never two-owners"},
	{"never sleep", "write: never two-owners"},
	{"expect owner alpha", "write: expect CONDITION within|for DURATION"},
	{"expect owner alpha within", "write: expect CONDITION"},
	{"expect owner alpha in 5s", "write: expect CONDITION"},
	{"expect owner within 5s", "write: expect owner NODE within|for DURATION"},
	{"expect owner charlie within 5s", "no node \"charlie\""},
	{"expect ovner alpha within 5s", "there is no condition \"ovner\"; did you mean owner?"},
	{"expect fences many within 5s", "\"many\" is not a number of fences"},
	{"expect alarms alpha few within 5s", "\"few\" is not a number of alarms"},
	{"expect alarms 3 within 5s", "write: expect alarms NODE N"},
	{"expect alarms charlie 3 within 5s", "no node \"charlie\""},
	{"expect alarms charlie few within 5s", "no node \"charlie\""},
	{"expect no-owner alpha within 5s", "write: expect no-owner within"},
	{"expect believed charlie within 5s", "no node \"charlie\""},
	{"expect believed within 5s", "write: expect believed NODE|stranger within"},
	{"expect link-ok alpha wire within 5s", "no link \"wire\"; the links are cable and lan"},
	{"expect owner alpha within soon", "not a duration"},
	{"expect owner alpha within 11m", "longer than a story may wait"},
}

func TestEveryBadLineIsNamed(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range bad {
		_, err := Parse("my.story", "start\n\n"+b.line+"\nsleep 1s\n")
		if err == nil || !strings.HasPrefix(err.Error(), "my.story:3: ") || !strings.Contains(err.Error(), b.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", b.line, err, b.want)
		}
		seen[strings.Fields(b.line)[0]] = true
	}
	for _, v := range verbs {
		if !seen[v.name] {
			t.Errorf("no bad line tries the verb %s", v.name)
		}
	}
}

func TestAllBadLinesAreNamedAtOnce(t *testing.T) {
	s, err := Parse("s", "dance\nstart\npower-off charlie\n")
	if err == nil || strings.Count(err.Error(), "\n") != 1 || !strings.Contains(err.Error(), "s:1: ") || !strings.Contains(err.Error(), "s:3: ") {
		t.Errorf("%v", err)
	}
	if len(s.Steps) != 1 {
		t.Errorf("%d steps", len(s.Steps))
	}
}

func TestOrderOfStartAndStop(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"power-off alpha", "s:1: nothing runs here yet"},
		{"start alpha", "s:1: the rack is off; write a line with start alone first"},
		{"stop", "s:1: the rack is off already"},
		{"start\nstop\nexpect owner alpha within 1s", "s:3: nothing runs here yet"},
		{"config interval 10ms\n", "s:1: the story never starts the rack"},
		{"", "s:1: the story never starts"},
		{"config speed 3\nstart", "s:1: there is no setting \"speed\"; the settings are interval, multiplier"},
		{"start\nrepeat 2\nrepeat 2\nend", "s:3: a repeat stands in no other one"},
		{"start\nrepeat 2\nstop\nend", "s:3: the rack is switched on and off outside of repeat"},
		{"start\nstop\nrepeat 2\nstart\nend", "s:4: the rack is switched on and off outside of repeat"},
		{"start\nrepeat 2\nsleep 1s", "s:2: repeat has no end"},
		{"config interval 5s\nstart", "s:1: interval must be 1ms to 4.095s, not 5s"},
		{"config interval 10\nstart", "not a duration"},
		{"config noise-stretch 4.1\nstart", "noise-stretch must be a number from 1.0 to 4.0, not \"4.1\""},
		{"config noise-stretch NaN\nstart", "noise-stretch must be a number from 1.0 to 4.0, not \"NaN\""},
		{"config multiplier 1\nstart", "multiplier must be a whole number from 2 to 255, not \"1\""},
		{"config sense blind\nstart", "sense must be fail-safe or plain, not \"blind\""},
		{"config sense\nstart", "s:1: write: config KEY VALUE"},
	} {
		if _, err := Parse("s", c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
}

func TestSettingsHoldFromTheNextStartOn(t *testing.T) {
	s, err := Parse("s", "config interval 10ms\nstart\nstop\nconfig sense plain\nconfig interval 30ms\nstart\n")
	if err != nil {
		t.Fatal(err)
	}
	first, second := s.Steps[1].Settings, s.Steps[5].Settings
	if first.Interval != 10*time.Millisecond || first.Sense != "fail-safe" || second.Interval != 30*time.Millisecond || second.Sense != "plain" {
		t.Errorf("%+v %+v", first, second)
	}
}

func TestRepeatTellsItsLinesSoOften(t *testing.T) {
	s, err := Parse("s", "start\nrepeat 3\ncut-net\nsleep 1s\nend\nmend-net\nrepeat 2\nend\n")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, step := range s.Steps {
		told = append(told, step.Text)
	}
	if got := strings.Join(told, "; "); got != "start; repeat 3; cut-net; sleep 1s; cut-net; sleep 1s; cut-net; sleep 1s; end; mend-net; repeat 2; end" {
		t.Error(got)
	}
}

func TestEverySettingCanBeSetToWhatItIs(t *testing.T) {
	for _, k := range settings {
		s, want := Settings{}, Defaults()
		if err := s.Set(k.key, k.get(want)); err != nil || k.get(s) != k.get(want) {
			t.Errorf("%s: %v, %q", k.key, err, k.get(s))
		}
	}
}

func TestTheBuiltInStoryIsRight(t *testing.T) {
	s, err := Parse(builtInName, BuiltIn)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"power-off", "power-on", "freeze", "run", "cut-cable", "cut-net", "weld", "never"} {
		if !slices.ContainsFunc(s.Steps, func(s Step) bool { return s.Order.Verb == verb }) {
			t.Errorf("it does not %s", verb)
		}
	}
}

func TestTheExampleInTheManualIsRight(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(page), "```\n")
	example, _, ok := strings.Cut(example, "```")
	if _, err := Parse("README.md", example); err != nil || !ok || !strings.Contains(example, "freeze alpha") {
		t.Errorf("%v in\n%s", err, example)
	}
}

// FuzzParse: a script is either refused with one sentence for each wrong line, which names it, or read as what reads the
// same when it is written down again.
func FuzzParse(f *testing.F) {
	f.Add(BuiltIn)
	for _, g := range good {
		f.Add("start\n" + g.line)
	}
	for _, b := range bad {
		f.Add("start\n" + b.line)
	}
	f.Add("start\nrepeat 3\nsleep 1s\ncut-net\nend\nsleep 1s\n")
	f.Add("config speed \x1b[2J\nda\u202ence\nstart\nzone \xff\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("f", text)
		if err != nil {
			last := 0
			for said := range strings.SplitSeq(err.Error(), "\n") {
				rest, named := strings.CutPrefix(said, "f:")
				number, why, _ := strings.Cut(rest, ": ")
				line, bad := strconv.Atoi(number)
				// A repeat without an end is said last.
				if !named || bad != nil || line <= last && why != "repeat has no end; write a line with end" || line > max(1, len(slices.Collect(strings.Lines(text)))) ||
					why == "" || strings.ContainsFunc(why, func(r rune) bool { return !unicode.IsPrint(r) }) {
					t.Fatalf("%q is refused with %q", text, said)
				}
				last = line
			}
			return
		}
		// What was read can be written down and read again to the same.
		lines := map[int]string{}
		last := 0
		for _, step := range s.Steps {
			lines[step.Line], last = step.Text, step.Line
		}
		again := ""
		for n := range last {
			again += lines[n+1] + "\n"
		}
		s2, err := Parse("f", again)
		if err != nil {
			t.Fatalf("%q was read, %q is not: %v", text, again, err)
		}
		if len(s2.Steps) != len(s.Steps) {
			t.Fatalf("%d steps became %d", len(s.Steps), len(s2.Steps))
		}
		for i := range s.Steps {
			a, b := s.Steps[i], s2.Steps[i]
			if a.Line != b.Line || a.Settings != b.Settings || !reflect.DeepEqual(a.Order, b.Order) {
				t.Fatalf("%+v became %+v", a, b)
			}
		}
	})
}
