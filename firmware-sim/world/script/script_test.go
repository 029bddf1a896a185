package script

import (
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
)

// TestEveryLineIsChecked: what is wrong is named with its line, and nothing starts.
func TestEveryLineIsChecked(t *testing.T) {
	for line, want := range map[string]string{
		"jump alpha":                                 `there is no verb "jump"`,
		"start delta":                                `there is no node "delta"`,
		"start":                                      "everything is on already",
		"config moves 3":                             "config stands before everything else",
		"stop":                                       "write: stop NODE",
		"power-off":                                  "write: power-off NODE...",
		"kill-daemon alpha softly":                   "write: kill-daemon NODE [hold]",
		"cut-cable alpha":                            "write: cut-cable [A->B]",
		"cut-cable alpha->alpha":                     "no way leads from alpha to itself",
		"cut-net alpha->delta":                       `there is no node "delta"`,
		"delay-net soon":                             `"soon" is no duration`,
		"lose 120":                                   "no number from 0 to 100",
		"noise alpha":                                "write: noise NODE DURATION",
		"unplug alpha power":                         "write: unplug NODE [cable|net]",
		"weld alpha":                                 `there is no "alpha"; write one of RELAY_ALPHA, RELAY2_ALPHA`,
		"weld RELAY_ALPHA@delta":                     `there is no "RELAY_ALPHA@delta"`,
		"slow RELAY_ALPHA":                           "write: slow RELAY DURATION",
		"sense SENSE_ALPHA odd":                      "write: sense SENSE",
		"service alpha web sings":                    "write: service NODE GROUP",
		"service alpha mail dies":                    `there is no group "mail"`,
		"service alpha web start now":                "write: service NODE GROUP",
		"edit-config alpha core many":                "write: edit-config NODE core|rest N",
		"keys alpha":                                 "write: keys NODE KEY...",
		"unwritable alpha all":                       "write: unwritable NODE run|state|both|none",
		"clone alpha bravo":                          `there is a node "bravo" already`,
		"clone alpha a.b":                            `"a.b" is no name`,
		"run alpha dance":                            `there is no command "dance"`,
		"run alpha switchover":                       "takes other words",
		"run alpha confirm-off bravo 99":             `there is no sense "99"`,
		"run alpha confirm-off bravo -1":             `there is no sense "-1"; write a number from 0 to`,
		"run alpha confirm-off bravo one":            `there is no sense "one"`,
		"refused alpha because switchover web":       `there is no code "because"`,
		"sleep 200d":                                 "is no duration",
		"expect owner web alpha":                     "write: expect CONDITION",
		"expect owner web delta within 1s":           `there is no node "delta"`,
		"expect owner mail alpha within 1s":          `there is no group "mail"`,
		"expect owner web within 1s":                 "write: expect owner GROUP NODE",
		"expect alpha dancing web within 1s":         `there is no phase "dancing"`,
		"expect told alpha nonsense within 1s":       `there is no code "nonsense"`,
		"expect fenced alpha with sense within 1s":   "write: expect fenced NODE [by PROOF]",
		"expect fenced alpha by accident within 1s":  "write: expect fenced NODE [by PROOF]",
		"expect cuts few within 1s":                  "write: expect cuts N",
		"expect weather alpha within 1s":             `there is no condition "weather"`,
		"expect silent alpha by delta within 1s":     `there is no node "delta"`,
		"never three-owners":                         "write: never two-owners",
		"say":                                        "write: say TEXT",
		"refused alpha leaving switchover web delta": `there is no node "delta"`,
	} {
		_, err := Parse("x.txt", "start\n\n"+line+"\n")
		if err == nil || !strings.HasPrefix(err.Error(), "x.txt:3: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for line, want := range map[string]string{
		"config":                        "there is no such setting",
		"config colour red":             "there is no such setting",
		"config nodes alpha":            "name 2 to 4 nodes",
		"config groups":                 "name 1 to 16 groups",
		"config nodes a b a":            "there are two of the name a",
		"config groups web d\x00b":      `"d\x00b" is no name`,
		"config prefer web bravo bravo": "there are two of the name bravo",
		"config prefer mail alpha":      `there is no group "mail"`,
		"config prefer web delta":       `there is no node "delta"`,
		"config takeover never":         "write: config takeover auto|approve",
		"config sense good":             "write: config sense",
		"config sense plain delta":      `there is no node "delta"`,
		"config moves 0":                `"0" is no number from 1 to 255`,
		"config interval soon":          `"soon" is no duration`,
		"power-off alpha":               "nothing is on yet",
		"expect owner a b within 1s":    `there is no group "a"`,
		"config net maybe":              "write: config net on|off",
		"config split everybody":        "write: config split",
		"config multiplier a hundred":   "write: config multiplier N",
	} {
		_, err := Parse("y.txt", line+"\nstart\n")
		if err == nil || !strings.HasPrefix(err.Error(), "y.txt:1: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", line, err)
		}
	}
	if _, err := Parse("y.txt", "# nothing\n"); err == nil || !strings.Contains(err.Error(), "nothing is ever started") {
		t.Errorf("an empty story: %v", err)
	}
	_, err := Parse("y.txt", "config moves 0\nconfig fences 0\nstart\njump\n")
	if err == nil || strings.Count(err.Error(), "y.txt:") != 3 {
		t.Errorf("all wrong lines have to be told: %v", err)
	}
}

// TestSettingsArrive: a setting that is read must be used.
func TestSettingsArrive(t *testing.T) {
	s, err := Parse("z.txt", `config nodes alpha bravo charlie
config groups web db
config prefer db charlie alpha
config interval 50ms
config multiplier 4
config moves 7
config sense plain bravo
config sense none charlie
config mode off
config level2 on
config cables off
start
`)
	if err != nil {
		t.Fatal(err)
	}
	c := s.Config
	if c.Decision.DetectTime != 200*time.Millisecond || c.Decision.MaxMoves != 7 || len(c.Groups) != 2 || c.Groups[1].Prefer[0] != 2 || len(c.Groups[1].Prefer) != 2 ||
		c.Power[1].Sense == c.Power[0].Sense || !c.Power[2].Assume || c.Power[0].Dwell != 0 || !c.Power[2].Level2 || c.Baud != 0 || c.Multiplier != 4 {
		t.Errorf("%+v", c)
	}
}

// TestFailureNamesItsLine and tells what there was instead.
func TestFailureNamesItsLine(t *testing.T) {
	for story, want := range map[string]string{
		"start\nexpect owner web bravo within 40s\n":                        "f.txt:2: expect owner web bravo within 40s: it is not so after 40s; web runs alpha",
		"start\nsleep 40s\nexpect nobody web for 1s\n":                      "f.txt:3: expect nobody web for 1s: it does not hold any more after 0s; web runs alpha",
		"start\nsleep 40s\nrun bravo failback web\n":                        "f.txt:3: run bravo failback web: it was refused: owns-already",
		"start\nsleep 40s\nrefused bravo heard switchover web\n":            "f.txt:3: refused bravo heard switchover web: it was accepted",
		"start\nsleep 40s\nrefused bravo silent confirm-off alpha\n":        "it was refused for another reason: heard",
		"start\nsleep 1s\nrun bravo arm\n":                                  "nobody answers the command",
		"start\nsleep 40s\nfreeze alpha\nexpect not-fenced alpha for 10s\n": "it does not hold any more",
		"start\nsleep 40s\nrun bravo disarm\nexpect well within 10s\n":      "bravo is not well: it is disarmed",
		"start\nsleep 40s\ncut-cable\nexpect at-rest for 10s\n":             "alpha is not well: a way of a link is down: cable alpha-bravo, towards bravo",
		"start\nsleep 40s\nservice bravo web stop 20s\nservice bravo web ok\nrun bravo switchover web\nsleep 5s\nrun alpha switchover web\nexpect owner web bravo for 5s\n": "it does not hold any more",
		"start\nsleep 40s\nservice bravo web by-hand\nsleep 1s\n":                    "web runs on alpha and bravo at once",
		"start\nsleep 40s\nservice bravo web by-hand\nexpect nobody web within 1s\n": "web runs on alpha and bravo at once",
		"start\nsleep 40s\nrun bravo reload\nrefused bravo key reload\n":             `answered with ""`,
	} {
		s, err := Parse("f.txt", story)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Run()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q\n got %v\nwant %s", story, err, want)
			continue
		}
		var f *Failure
		if !errors.As(err, &f) || !strings.Contains(f.Story(), "---- ") || f.At == 0 {
			t.Errorf("%q: no timeline in %#v", story, err)
		}
	}
}

// FuzzParse: a story is either refused with one sentence for each wrong line, which names it, or is read as the same with
// other blanks and comments. What can be read can be begun.
func FuzzParse(f *testing.F) {
	f.Add("start\nexpect owner web alpha within 40s\n")
	f.Add("config nodes a b c\npower-on a\nrun a confirm-off b 0\nweld RELAY_A@b\n")
	f.Add("start\nrun alpha confirm-off bravo -1\nrefused alpha heard withdraw bravo 9\ntry alpha fence off bravo\n")
	f.Add("config nodes a b c\nconfig groups web db\nconfig prefer db b a\nconfig supplies 4\nconfig level2 on\nconfig interval 0s\nconfig hold-up 100d\nstart\n")
	f.Add("")
	f.Add("\x1b[2J alpha\nstart\n")
	f.Add("start # and go\n\n#\nsay a# b#c")
	f.Add("config nodes a b a\nconfig groups web db\x00web\nconfig prefer db b\nstart\nclone alpha \x1b\n")
	f.Add("config mode maybe\ndance \x1b[2J\nlose 101\nstart\nsleep 101d\nclone alpha alpha\ncut-net alpha->alpha\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("f", text)
		if err != nil {
			last := 0
			for said := range strings.SplitSeq(err.Error(), "\n") {
				rest, named := strings.CutPrefix(said, "f:")
				number, why, _ := strings.Cut(rest, ": ")
				line, bad := strconv.Atoi(number)
				if !named || bad != nil || line <= last || line > max(1, len(slices.Collect(strings.Lines(text)))) ||
					why == "" || strings.ContainsFunc(why, func(r rune) bool { return !unicode.IsPrint(r) }) {
					t.Fatalf("%q is refused with %q", text, said)
				}
				last = line
			}
			return
		}
		if len(s.Steps) == 0 {
			t.Error("a story without steps is no error")
		}
		var again strings.Builder
		for line := range strings.Lines(text) {
			again.WriteString(" " + strings.TrimSuffix(line, "\n") + "\t# more\n")
		}
		s2, err := Parse("f", again.String())
		if err != nil || len(s2.Steps) != len(s.Steps) || !reflect.DeepEqual(s2.Config, s.Config) {
			t.Fatalf("%q was read, %q is read as %+v: %v", text, again.String(), s2, err)
		}
		for i, one := range s.Steps {
			if two := s2.Steps[i]; one.Line != two.Line || one.Text != two.Text || one.verb != two.verb {
				t.Fatalf("%+v became %+v", one, two)
			}
		}
		s.Steps = nil
		if _, err := s.Run(); err != nil {
			t.Fatalf("%q cannot be begun: %v", text, err)
		}
	})
}
