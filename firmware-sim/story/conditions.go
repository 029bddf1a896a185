package story

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/serialhb/serialhb/firmware-sim/rack/segment"
	"github.com/serialhb/serialhb/serialhb/control"
)

// condition is one row of what can be expected.
type condition struct {
	name, usage, doc string
	check            func(args []string) error
	ask              func(args []string) []string // the nodes whose status is needed
	holds            func(s scene, args []string) bool
	watches          bool // it speaks of what must not happen, so it has to hold for all of the time
}

var conditions = []condition{
	{"owner", "NODE", "the service runs on that node alone, by the ledger, and the client has its answer", oneNode, nobody, isOwner, false},
	{"owned", "", "the service runs on one node alone, whichever, by the ledger, and the client has its answer", noArgs, nobody, isOwned, false},
	{"no-owner", "", "the service runs nowhere, by the ledger", noArgs, nobody, noOwner, false},
	{"unanswered", "", "nobody answers the client", noArgs, nobody, unanswered, false},
	{"address", "NODE", "with --netns: that node alone has the service's addresses, on a card that is on, by the nodes' kernels", oneNode, nobody, hasAddress, false},
	{"no-address", "", "with --netns: no node has any of them", noArgs, nobody, noAddress, false},
	{"believed", "NODE|stranger", "with --netns: the client takes that machine to have them, by the neighbour table of its kernel", oneMachine, nobody, isBelieved, false},
	{"announced", "NODE", "with --netns: the client has heard that node announce them all since the last line that did something", oneNode, nobody, hasAnnounced, false},
	{"fenced", "NODE", "a relay has cut the node, and its power is off, since the last line that did something", oneNode, nobody, isFenced, false},
	{"not-fenced", "NODE", "no relay of the node was driven since then, and none is for all of the time", oneNode, nobody, notFenced, true},
	{"fences", "N", "so many fences since then, all nodes together", oneCount, nobody, countFences, false},
	{"powered", "NODE", "the node has power", oneNode, nobody, isPowered, false},
	{"dark", "NODE", "the node has no power and nothing of it runs", oneNode, nobody, isDark, false},
	{"reachable", "NODE", "the daemon of the node answers", oneNode, itself, isReachable, false},
	{"unreachable", "NODE", "it does not", oneNode, itself, isUnreachable, false},
	{"standby", "NODE", "the node is ready to take the service and does not have it", oneNode, itself, isStandby, false},
	{"silent", "NODE", "the other node hears it on no link", oneNode, theOther, isSilent, false},
	{"heard", "NODE", "the other node hears it", oneNode, theOther, isHeard, false},
	{"link-down", "NODE LINK", "the node hears nothing on the link called cable or lan", nodeAndLink, itself, linkDown, false},
	{"link-ok", "NODE LINK", "the node hears the other one there, and is heard", nodeAndLink, itself, linkOK, false},
	{"noisy", "NODE LINK", "bytes that make no pulse come to the node on the link, and it says so and how many", nodeAndLink, itself, isNoisy, false},
	{"linked", "", "both nodes hear each other on every link, and each knows that it is heard", noArgs, everybody, isLinked, false},
	{"blocked", "NODE", "the node keeps the service down because it could prove nothing", oneNode, itself, isBlocked, false},
	{"asks", "NODE", "the node waits for a person's decision", oneNode, itself, asks, false},
	{"locked-out", "NODE", "the node has spent its budget and does nothing by itself", oneNode, itself, isLocked, false},
	{"armed", "NODE", "the node may drive relays", oneNode, itself, isArmed, false},
	{"can-fence", "NODE", "the node could cut the other one and prove it off, as its status has it", oneNode, itself, canFence, false},
	{"cannot-fence", "NODE [TEXT]", "it could not, with that text in its reason", nodeMaybeText, itself, cannotFence, false},
	{"alarm", "NODE [TEXT]", "the node raises an alarm, with that text in its code or its words", nodeMaybeText, itself, hasAlarm, false},
	{"no-alarm", "NODE [TEXT]", "it raises none such", nodeMaybeText, itself, noAlarm, false},
	{"alarms", "NODE N", "the node has raised no more than so many alarms since the chapter began", nodeAndCount, nobody, fewAlarms, true},
	{"why", "NODE TEXT", "the node says so when asked why it does not have the service, in the code, the words or the cause", nodeAndText, itself, saysWhy, false},
	{"proof", "NODE TEXT", "the other node holds such a proof that this one is off, or recorded one since", nodeAndText, theOther, hasProof, false},
	{"told", "NODE CODE", "the node has recorded an event with that code since the last line that did something", nodeAndText, nobody, hasTold, false},
}

func conditionNames() (names []string) {
	for _, c := range conditions {
		names = append(names, c.name)
	}
	return names
}

func noArgs(args []string) error {
	if len(args) != 0 {
		return errUsage
	}
	return nil
}

func oneNode(args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	return node(args[0])
}

func oneMachine(args []string) error {
	if len(args) == 1 && args[0] == segment.Stranger {
		return nil
	}
	return oneNode(args)
}

func oneCount(args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	return count(args[0], "fences")
}

func nodeAndCount(args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	if err := node(args[0]); err != nil {
		return err
	}
	return count(args[1], "alarms")
}

func count(word, of string) error {
	if n, err := strconv.Atoi(word); err != nil || n < 0 {
		return fmt.Errorf("%q is not a number of %s; write 0 or more", word, of)
	}
	return nil
}

func nodeMaybeText(args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	return node(args[0])
}

func nodeAndText(args []string) error {
	if len(args) < 2 {
		return errUsage
	}
	return node(args[0])
}

func nodeAndLink(args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	if args[1] != linkCable && args[1] != linkLAN {
		return fmt.Errorf("there is no link %q; the links are %s and %s", args[1], linkCable, linkLAN)
	}
	return node(args[0])
}

func nobody([]string) []string            { return nil }
func everybody([]string) []string         { return Nodes }
func itself(args []string) []string       { return args[:1] }
func theOther(args []string) []string     { return others(args[0]) }
func text(args []string) string           { return strings.Join(args[1:], " ") }
func (s scene) node(name string) NodeView { return s.Nodes[name] }

// answers says whether the daemon knows how things stand: a hung one answers with a status of no time.
func (n NodeView) answers() bool { return n.Err == nil && !n.Status.Taken.IsZero() }

func isOwner(s scene, args []string) bool {
	return slices.Equal(s.running(), args) && s.Answering == args[0]
}

func isOwned(s scene, _ []string) bool {
	return slices.Equal(s.running(), []string{s.Answering})
}

func noOwner(s scene, _ []string) bool    { return len(s.running()) == 0 }
func unanswered(s scene, _ []string) bool { return s.Answering == "" }

func hasAddress(s scene, args []string) bool {
	return s.Net != nil && len(s.Net.Holders) == 1 && len(s.Net.Holders[args[0]]) == s.Net.Addresses
}

func noAddress(s scene, _ []string) bool     { return s.Net != nil && len(s.Net.Holders) == 0 }
func isBelieved(s scene, args []string) bool { return s.Net != nil && s.Net.Believed == args[0] }

func hasAnnounced(s scene, args []string) bool {
	if s.Net == nil {
		return false
	}
	at, heard := s.Net.Announced[args[0]]
	return heard && at >= s.since
}

func isFenced(s scene, args []string) bool  { return len(s.fences(args[0], s.since)) > 0 }
func notFenced(s scene, args []string) bool { return len(s.coils(args[0], s.since)) == 0 }

func countFences(s scene, args []string) bool {
	n := 0
	for _, name := range Nodes {
		n += len(s.fences(name, s.since))
	}
	return strconv.Itoa(n) == args[0]
}

func isPowered(s scene, args []string) bool { return s.power(args[0]) == "on" }
func isDark(s scene, args []string) bool    { return s.power(args[0]) == "off" }

func isReachable(s scene, args []string) bool   { return s.node(args[0]).answers() }
func isUnreachable(s scene, args []string) bool { return !s.node(args[0]).answers() }

func isStandby(s scene, args []string) bool {
	g := s.node(args[0]).group()
	return s.node(args[0]).answers() && g.Phase == "idle" && g.Holds == "no"
}

func isSilent(s scene, args []string) bool { return s.presence(args[0]) == "silent" }
func isHeard(s scene, args []string) bool  { return s.presence(args[0]) == "heard" }

// presence is how the other node sees one. A node that does not answer sees nobody.
func (s scene) presence(name string) string {
	for _, other := range others(name) {
		if n := s.node(other); n.answers() {
			return n.member(name).Presence
		}
	}
	return ""
}

func (s scene) link(args []string) (control.Link, bool) {
	n := s.node(args[0])
	for _, l := range n.Status.Links {
		if n.answers() && l.Name == args[1] {
			return l, true
		}
	}
	return control.Link{}, false
}

func linkDown(s scene, args []string) bool {
	l, ok := s.link(args)
	return ok && (!l.Up || l.Receives == "down" || l.Receives == "never")
}

func linkOK(s scene, args []string) bool {
	l, ok := s.link(args)
	return ok && l.Up && l.Receives == "ok" && l.Sends == "ok"
}

func isNoisy(s scene, args []string) bool {
	l, ok := s.link(args)
	return ok && l.Noisy && l.NoisePerS > 0
}

// isLinked asks every node for every link that one of them has.
func isLinked(s scene, _ []string) bool {
	links := map[string]bool{}
	for _, name := range Nodes {
		for _, l := range s.node(name).Status.Links {
			links[l.Name] = true
		}
	}
	for _, name := range Nodes {
		for l := range links {
			if !linkOK(s, []string{name, l}) {
				return false
			}
		}
	}
	return len(links) > 0
}

func isBlocked(s scene, args []string) bool { return s.node(args[0]).group().Phase == "blocked" }

func asks(s scene, args []string) bool {
	n := s.node(args[0])
	return n.Status.Incident != nil && n.Status.Incident.Asks || n.group().Phase == "awaiting-approval"
}

func isLocked(s scene, args []string) bool { return s.node(args[0]).Status.LockedOut }
func isArmed(s scene, args []string) bool  { return s.node(args[0]).Status.Armed }

func canFence(s scene, args []string) bool {
	n := s.node(args[0])
	return n.answers() && n.member(others(args[0])[0]).CanFence
}

func cannotFence(s scene, args []string) bool {
	n := s.node(args[0])
	return n.answers() && !canFence(s, args) && has(n.member(others(args[0])[0]).WhyNot, text(args))
}

func hasAlarm(s scene, args []string) bool {
	return slices.ContainsFunc(s.node(args[0]).Status.Alarms, func(a control.Alarm) bool {
		return has(a.Code, text(args)) || has(a.Text, text(args))
	})
}

func noAlarm(s scene, args []string) bool {
	return s.node(args[0]).answers() && !hasAlarm(s, args)
}

// fewAlarms counts the alarms that a node raised. The end of one is recorded as an alarm too.
func fewAlarms(s scene, args []string) bool {
	n := 0
	for _, t := range s.Told {
		if t.At >= s.opened && t.Node == args[0] && t.Event.Kind == "alarm" && !strings.HasPrefix(t.Event.Text, "over: ") {
			n++
		}
	}
	most, _ := strconv.Atoi(args[1]) // nodeAndCount has read it
	return n <= most
}

func saysWhy(s scene, args []string) bool {
	g := s.node(args[0]).group()
	return g.Code == text(args) || has(g.Why, text(args)) || has(g.Cause, text(args))
}

func hasProof(s scene, args []string) bool {
	for _, other := range others(args[0]) {
		if has(s.node(other).member(args[0]).Proof, text(args)) {
			return true
		}
		if _, ok := s.proof(other, args[0], text(args)); ok {
			return true
		}
	}
	return false
}

// proof finds the record that a node proved another one off, with a text in its words or its evidence.
func (s scene) proof(by, of, part string) (Told, bool) {
	return s.told(by, s.since, func(e control.Event) bool {
		return e.Code == "proven-off" && e.Peer == of && has(e.Text+"\n"+strings.Join(e.Evidence, "\n"), part)
	})
}

func hasTold(s scene, args []string) bool {
	_, ok := s.told(args[0], s.since, func(e control.Event) bool { return e.Code == text(args) })
	return ok
}

// seen tells, for an expectation that failed, what was there instead.
func (s scene) seen() string {
	var parts []string
	switch on := s.running(); len(on) {
	case 0:
		parts = append(parts, "the service runs nowhere")
	default:
		parts = append(parts, "the service runs on "+strings.Join(on, " and "))
	}
	if s.Answering == "" {
		parts = append(parts, "nobody answers the client")
	} else {
		parts = append(parts, s.Answering+" answers the client")
	}
	if s.Net != nil {
		parts = append(parts, s.Net.words())
	}
	for _, name := range Nodes {
		parts = append(parts, name+": "+s.describe(name))
	}
	return strings.Join(parts, "; ")
}

// words tell who has the service address, and who the client thinks has it.
func (n NetView) words() string {
	text := "no node has the service address"
	if len(n.Holders) > 0 {
		text = "the service address is on " + strings.Join(slices.Sorted(maps.Keys(n.Holders)), " and ")
	}
	if n.Believed == "" {
		return text + ", and the client has no idea where it is"
	}
	return text + ", and the client believes it to be on " + n.Believed
}

func (s scene) describe(name string) string {
	n := s.node(name)
	power := "power " + s.power(name)
	if !n.answers() {
		return power + ", its daemon does not answer"
	}
	g := n.group()
	parts := []string{power, "phase " + g.Phase, "holds " + g.Holds}
	if g.Why != "" {
		parts = append(parts, "because "+g.Why)
	}
	for _, other := range others(name) {
		m := n.member(other)
		if m.Presence != "" {
			parts = append(parts, other+" is "+m.Presence)
		}
		if m.Proof != "" {
			parts = append(parts, "proof: "+m.Proof)
		}
	}
	switch {
	case n.Status.LockedOut:
		parts = append(parts, "locked out")
	case !n.Status.Armed:
		parts = append(parts, "disarmed")
	}
	if asks(s, []string{name}) {
		parts = append(parts, "asks a person")
	}
	for _, a := range n.Status.Alarms {
		parts = append(parts, "alarm: "+a.Text)
	}
	return strings.Join(parts, ", ")
}
