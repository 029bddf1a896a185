package explore

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/serialhb/serialhb/serialhb/failover"
)

// Path is a way from the beginning: moves in their order. As a text it is one move a line, after a line with its scope;
// # begins a comment. Numbers of pulses are their places on the way, in the order that rename gives them, so a path may
// have to be found anew when the decision changes what it remembers.
type Path struct {
	Scope string
	Moves []Move
}

func (p Path) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "scope %s\n", p.Scope)
	for _, m := range p.Moves {
		fmt.Fprintln(&b, m)
	}
	return b.String()
}

// verb is how a kind of move is written: its word, and what follows.
type verb struct {
	word   string
	fields string
}

// What follows a verb.
const (
	fieldMember  = 'm'
	fieldGroup   = 'g'
	fieldPulse   = 'n' // its number
	fieldEnding  = 'e'
	fieldTimer   = 't'
	fieldWritten = 'w'
	fieldCommand = 'c'
)

var verbs = [kindEnd]verb{
	Beats: {"beats", "n"}, Hears: {"hears", "mn"}, HearsAgain: {"hears-again", "mn"}, Silent: {"silent", "m"}, Fires: {"fires", "t"},
	Probed: {"probed", "ge"}, Started: {"started", "ge"}, Stopped: {"stopped", "ge"}, Dies: {"dies", "g"},
	Acts: {"acts", "m"}, Proves: {"proves", "me"}, Opens: {"opens", "me"}, Gives: {"gives", "me"},
	Writes: {"writes", "e"}, Keeps: {"keeps", "e"}, Senses: {"senses", "m"}, Deaf: {"deaf", ""}, Listens: {"listens", ""},
	Killed: {"killed", "w"}, Begins: {"begins", ""}, Wiped: {"wiped", ""}, Dark: {"dark", ""}, Lit: {"lit", ""}, Asks: {"asks", "cmg"},
	Fades: {"fades", "m"}, Doubts: {"doubts", "m"}, Vanishes: {"vanishes", "g"}, Overdue: {"overdue", "ge"}, OverdueCut: {"overdue-cut", "me"},
}

var (
	memberNames  = []string{"alpha", "bravo", "charlie"}
	groupNames   = []string{"web", "db"}
	endingNames  = []string{"well", "badly", "lying"}
	writtenNames = []string{"nothing-written", "run-written", "disk-written", "both-written"}
)

func memberName(i uint8) string { return memberNames[i] }
func groupName(g uint8) string  { return groupNames[g] }

func commandName(a uint8) string {
	return strings.ReplaceAll(failover.CommandKind(a).String(), " ", "-")
}

// ofGroup says whether a timer belongs to a group; the others are of a member or of the host itself.
func ofGroup(k failover.TimerKind) bool { return k <= failover.TimerWish }

func (m Move) String() string {
	words := []string{memberName(m.I), verbs[m.Kind].word}
	for _, f := range verbs[m.Kind].fields {
		switch f {
		case fieldMember:
			words = append(words, memberName(m.P))
		case fieldGroup:
			words = append(words, groupName(m.G))
		case fieldPulse:
			words = append(words, strconv.Itoa(int(m.Arg)))
		case fieldEnding:
			words = append(words, endingNames[m.Arg])
		case fieldWritten:
			words = append(words, writtenNames[m.Arg])
		case fieldCommand:
			words = append(words, commandName(m.Arg))
		case fieldTimer:
			of := memberNames
			if ofGroup(failover.TimerKind(m.Arg)) {
				of = groupNames
			}
			words = append(words, failover.TimerKind(m.Arg).String(), of[m.P])
		}
	}
	return strings.Join(words, " ")
}

// ParsePath reads a path. Errors name the line.
func ParsePath(text string) (Path, error) {
	var p Path
	var lines []string = strings.Split(text, "\n")
	for i, line := range lines {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case words[0] == "scope" && len(words) == 2 && p.Scope == "":
			p.Scope = words[1]
		default:
			m, err := parseMove(words)
			if err != nil {
				return Path{}, fmt.Errorf("line %d: %w", i+1, err)
			}
			p.Moves = append(p.Moves, m)
		}
	}
	if p.Scope == "" {
		return Path{}, fmt.Errorf("it has no scope: begin with a line \"scope NAME\", and %s", scopeNames())
	}
	return p, nil
}

func parseMove(words []string) (Move, error) {
	r := reader{words: words}
	m := Move{I: r.name("a member", memberNames)}
	word := r.word("what happens to it")
	for m.Kind < kindEnd && verbs[m.Kind].word != word {
		m.Kind++
	}
	if m.Kind == kindEnd {
		r.fail("%q is nothing that can happen", word)
		return m, r.err
	}
	for _, f := range verbs[m.Kind].fields {
		switch f {
		case fieldMember:
			m.P = r.name("a member", memberNames)
		case fieldGroup:
			m.G = r.name("a group", groupNames)
		case fieldPulse:
			n, err := strconv.ParseUint(r.word("the number of a pulse"), 10, 6)
			if err != nil {
				r.fail("the number of a pulse is from 0 to %d", maxWire-1)
			}
			m.Arg = uint8(n)
		case fieldEnding:
			m.Arg = r.name("how it ends", endingNames)
		case fieldWritten:
			m.Arg = r.name("what was written", writtenNames)
		case fieldCommand:
			m.Arg = r.search("a command", commandName)
		case fieldTimer:
			m.Arg = r.search("a timer", func(a uint8) string { return failover.TimerKind(a).String() })
			of := memberNames
			if ofGroup(failover.TimerKind(m.Arg)) {
				of = groupNames
			}
			m.P = r.name("whose timer", of)
		}
	}
	if len(r.words) > 0 {
		r.fail("%q is too much", strings.Join(r.words, " "))
	}
	return m, r.err
}

// reader takes words one by one, and keeps the first error.
type reader struct {
	words []string
	err   error
}

func (r *reader) fail(format string, a ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, a...)
	}
}

func (r *reader) word(what string) string {
	if len(r.words) == 0 {
		r.fail("%s is missing", what)
		return ""
	}
	w := r.words[0]
	r.words = r.words[1:]
	return w
}

func (r *reader) name(what string, names []string) uint8 {
	w := r.word(what)
	for i, n := range names {
		if n == w {
			return uint8(i)
		}
	}
	r.fail("%q is not %s: %s", w, what, strings.Join(names, ", "))
	return 0
}

// search finds a word among the names of small numbers, up to the first that is "invalid".
func (r *reader) search(what string, name func(uint8) string) uint8 {
	w := r.word(what)
	for i := uint8(0); name(i) != "invalid"; i++ {
		if name(i) == w {
			return i
		}
	}
	r.fail("%q is not %s", w, what)
	return 0
}
