package story

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Names in the configuration of the lab's nodes.
const (
	cluster   = "lab"
	linkCable = "cable"
	linkLAN   = "lan"
)

// Times of the lab's nodes that no story needs to change. They are short so that a fence that fails has failed soon.
const (
	moveTimeout   = 2 * time.Second
	backoff       = 200 * time.Millisecond
	senseWindow   = 500 * time.Millisecond
	holdOff       = 200 * time.Millisecond
	verifyTimeout = 1200 * time.Millisecond // at least
	verifySlack   = 500 * time.Millisecond
	farewell      = time.Second
	agentTimeout  = 5 * time.Second
	agentPoll     = 50 * time.Millisecond
)

// samples is how often a sense is read while it has to stay off.
const samples = 8

// places is what a node's configuration names and the rack has made.
type places struct {
	keys         []string // the signing one first
	state, run   string
	device       map[string]string // of this node only
	address      map[string]string // as this node sees them
	service      []string          // the command that its verb follows; the same words on every node
	agent, board string            // the fence agent, and the board that it speaks to
	vips         []string          // the service's addresses
	card         string            // and their interface
}

// nodeConfig writes the configuration file of one node. Everything that both nodes must agree on is the same in both.
func nodeConfig(name string, s Settings, at places) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	q := strconv.Quote
	d := func(v time.Duration) string { return q(v.String()) }

	line("[cluster]")
	line("name = %s", q(cluster))
	line("key_files = [%s]", quoted(at.keys))
	line("state_dir = %s", q(at.state))
	line("run_dir = %s", q(at.run))
	line("takeover = %s", q(s.Takeover))
	line("\n[timing]")
	line("interval = %s", d(s.Interval))
	line("detect_multiplier = %d", s.Multiplier)
	line("noise_stretch = %s", s.Stretch)
	line("move_timeout = %s", d(max(moveTimeout, 4*s.Interval)))
	line("backoff = %s", d(backoff))
	line("wait_to_restore = %s", d(s.Restore))
	line("approval_timeout = %s", d(s.Approval))
	line("fence_retries = %d", s.Retries)
	line("fence_retry = %s", d(s.Retry))
	line("health_every = %s", d(s.LookEvery))
	line("farewell = %s", d(max(farewell, 2*s.Interval)))
	line("\n[limits]")
	line("window = %s", q("1h"))
	line("moves = %d", s.Moves)
	line("fences = %d", s.Fences)
	for _, n := range Nodes {
		line("\n[[node]]")
		line("name = %s", q(n))
	}
	line("\n[[link]]")
	line("name = %s", q(linkCable))
	line("kind = %s", q("serial"))
	line("baud = %d", s.Baud)
	for _, n := range Nodes {
		line("%s = %s", n, q(at.device[n]))
	}
	if s.Network == "on" {
		line("\n[[link]]")
		line("name = %s", q(linkLAN))
		line("kind = %s", q("udp"))
		for _, n := range Nodes {
			line("%s = %s", n, q(at.address[n]))
		}
	}
	for _, n := range Nodes {
		fence(line, strings.ToUpper(n), n, s)
		if s.Agent == "on" {
			agent(line, n, s, at)
		}
	}
	line("\n[[group]]")
	line("name = %s", q(Service))
	line("prefer = [%s]", quoted(Nodes))
	line("failback = %s", q(s.Failback))
	for _, vip := range at.vips {
		line("\n[[group.resource]]")
		line("kind = %s", q("address"))
		line("address = %s", q(vip))
		line("interface = %s", q(at.card))
		line("probe_wait = %s", d(s.ProbeWait))
	}
	line("\n[[group.resource]]")
	line("kind = %s", q("exec"))
	line("name = %s", q(Service))
	line("start_timeout = %s", d(s.StartLimit))
	for _, verb := range []string{"start", "stop", "status"} {
		line("%s = [%s, %s]", verb, quoted(at.service), q(verb))
	}
	return b.String()
}

func fence(line func(string, ...any), upper, target string, s Settings) {
	line("\n[[fence]]")
	line("target = %q", target)
	line("level = 1")
	line("device = \"relay\"")
	line("line = \"sim:RELAY_%s\"", upper)
	line("cut = \"energise\"")
	line("sense = \"sim:SENSE_%s\"", upper)
	line("sense_off = \"low\"")
	line("sense_bias = \"up\"")
	line("fail_safe = %t", s.Sense == "fail-safe")
	line("sense_side = \"dc\"")
	line("hold_up = %q", s.Prove)
	fenceTimes(line, s)
	line("window = %q", senseWindow)
	if s.Level2 != "on" {
		return
	}
	line("\n[[fence]]")
	line("target = %q", target)
	line("level = 2")
	line("device = \"relay\"")
	line("line = \"sim:RELAY2_%s\"", upper)
	line("cut = \"energise\"")
	line("mirror = \"sim:MIRROR2_%s\"", upper)
	line("mirror_open = \"low\"")
	line("mirror_bias = \"up\"")
	fenceTimes(line, s)
}

// agent is the last level of a node.
func agent(line func(string, ...any), target string, s Settings, at places) {
	level := 2
	if s.Level2 == "on" {
		level = 3
	}
	line("\n[[fence]]")
	line("target = %q", target)
	line("level = %d", level)
	line("device = \"exec\"")
	line("agent = %q", at.agent)
	line("options = { board = %q, plug = %q }", at.board, target)
	line("status_timeout = %q", agentTimeout)
	line("power_timeout = %q", agentTimeout)
	line("poll = %q", agentPoll)
	line("hold_off = %q", holdOff)
	line("mode = \"reboot\"")
	line("dwell = %q", s.Dwell)
}

func fenceTimes(line func(string, ...any), s Settings) {
	line("settle = %q", s.Settle)
	line("sample = %q", min(max(s.Prove/samples, time.Millisecond), holdOff/4))
	line("hold_off = %q", holdOff)
	line("verify_timeout = %q", max(verifyTimeout, s.Settle+s.Prove+verifySlack))
	line("mode = \"reboot\"")
	line("dwell = %q", s.Dwell)
}

func quoted(words []string) string {
	var all []string
	for _, w := range words {
		all = append(all, strconv.Quote(w))
	}
	return strings.Join(all, ", ")
}
