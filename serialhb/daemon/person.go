package daemon

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
	"github.com/serialhb/serialhb/serialhb/failover"
)

// pending is a command whose answer is awaited.
type pending struct {
	ctx    context.Context
	who    string
	req    control.Request
	gen    uint32
	result control.Result
	inUse  atomic.Bool // it is in force, and not on disk yet
	answer chan control.Result
}

// answerTime bounds how long a reload waits for a turn.
const answerTime = 2 * time.Second

var errNoAnswer = errors.New("the daemon does not answer; it is ending, or hangs")

// Status is what people may want to know now. It waits for a turn: a daemon that hangs must show. Safe from any goroutine.
func (d *Daemon) Status() control.Status {
	s := control.Status{Cluster: d.o.Cluster, Node: d.o.Node, Version: d.o.Version, Headline: errNoAnswer.Error(), Leaving: true}
	d.visit(nil, func() { s = d.status() })
	return s
}

// visit takes a turn for somebody else's goroutine, which may be one that a panic does not end, such as a web server's.
// A turn that panicked ends the process all the same: nobody may go on from half of it, nor wait for its end.
func (d *Daemon) visit(giveUp <-chan struct{}, do func()) bool {
	if !d.readUp(func() bool { return d.enter(giveUp) }) {
		return false
	}
	defer func() {
		if p := recover(); p != nil {
			go panic(fmt.Sprintf("%v\n\n%s", p, debug.Stack()))
			select {}
		}
	}()
	do()
	d.leave()
	return true
}

// Command does what a person asks for, or says why not. Safe from any goroutine.
func (d *Daemon) Command(ctx context.Context, who string, r control.Request) control.Result {
	switch r.Command {
	case "reload":
		return d.Reload()
	case "fence-status":
		return d.powerWords(ctx, r)
	}
	p := &pending{ctx: ctx, who: who, req: r, answer: make(chan control.Result, 1)}
	if d.visit(ctx.Done(), func() { d.begin(p) }) {
		if res, answered := d.await(p); answered {
			return res
		}
	}
	return control.Result{Exit: 5, Text: errNoAnswer.Error()}
}

// await waits for the answer to a command. The last turn may still give it.
func (d *Daemon) await(p *pending) (r control.Result, answered bool) {
	select {
	case r = <-p.answer:
		return r, true
	case <-p.ctx.Done():
		if p.inUse.Load() {
			return control.Result{Exit: 5, Code: "keep-hangs", Text: "it is in force now but the state directory does not answer, so nobody knows whether it survives a reboot; look at its disk"}, true
		}
	case <-d.ended:
		select {
		case r = <-p.answer:
			return r, true
		default:
		}
	}
	return r, false
}

// Events gives the record from a sequence on. Safe from any goroutine.
func (d *Daemon) Events(from uint64) []control.Event {
	lines, _ := d.book.since(from)
	return lines
}

// Follow hands on every line from a sequence on until ctx is done, the daemon ends, or emit fails.
func (d *Daemon) Follow(ctx context.Context, from uint64, emit func(control.Event) error) error {
	for {
		lines, more := d.book.since(from)
		for _, l := range lines {
			if err := emit(l); err != nil {
				return err
			}
			from = l.Seq + 1
		}
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		case <-d.ended:
			return nil
		}
	}
}

// Trouble records what went wrong beside the daemon. Safe from any goroutine.
func (d *Daemon) Trouble(code, text string) {
	d.book.put(Record{Kind: "alarm", Code: code, Text: text})
}

// Why tells an incident in order, and what stands in the way now. 0 is the last one.
func (d *Daemon) Why(incident uint32) control.Why {
	var w control.Why
	if !d.visit(nil, func() { w = d.why(incident) }) {
		return control.Why{Incident: incident}
	}
	lines := d.Events(0)
	if w.Incident == 0 { // there was none: what is on record belongs to no incident
		if len(lines) > 0 {
			w.Since = d.wallOf(lines[0])
		}
		return w
	}
	for _, l := range lines {
		if l.Incident == w.Incident {
			w.Events = append(w.Events, l)
		}
	}
	return w
}

// wallOf is when a line was written by the wall clock of now: it may have been set since.
func (d *Daemon) wallOf(r Record) time.Time {
	if r.Boot != d.o.BootID {
		return r.Wall
	}
	return time.Now().Add(time.Duration(r.MonoNS) - d.o.Clock())
}

// Leave asks for an orderly end, as SIGTERM does.
func (d *Daemon) Leave(who string) control.Result {
	return d.Command(context.Background(), who, control.Request{Command: "leave"})
}

var commandWords = map[string]failover.CommandKind{
	"switchover": failover.CmdSwitchover, "failback": failover.CmdFailback, "approve": failover.CmdApprove, "deny": failover.CmdDeny,
	"confirm-off": failover.CmdConfirmOff, "withdraw": failover.CmdWithdraw, "standby-on": failover.CmdStandbyOn,
	"standby-off": failover.CmdStandbyOff, "maintenance-on": failover.CmdMaintenanceOn, "maintenance-off": failover.CmdMaintenanceOff,
	"arm": failover.CmdArm, "disarm": failover.CmdDisarm, "clear": failover.CmdClear, "fence-off": failover.CmdFenceOff, "fence-test": failover.CmdFenceOff,
	"fence-on": failover.CmdFenceOn, "leave": failover.CmdLeave, "restart": failover.CmdQuiet,
}

// begin turns a request into a command of the decision.
func (d *Daemon) begin(p *pending) {
	r := p.req
	if p.ctx.Err() != nil {
		return // nobody waits for it any more: it is not begun
	}
	c := failover.Command{Peer: failover.NoPeer, Incident: r.Incident}
	kind, known := commandWords[r.Command]
	if !known {
		d.finish(p, control.Result{Exit: 2, Text: fmt.Sprintf("there is no command %q", r.Command)})
		return
	}
	c.Kind = kind
	if why := d.resolve(&c, r); why != "" {
		d.finish(p, control.Result{Exit: 1, Text: why})
		return
	}
	d.nextCmd++
	c.ID = d.nextCmd
	d.commands[c.ID] = p
	text := r.Command
	for _, s := range []string{r.Group, r.Node, r.Reason} {
		if s != "" {
			text += " " + s
		}
	}
	d.book.put(Record{Kind: "command", Code: r.Command, Text: p.who + ": " + text, Who: p.who, Peer: r.Node, Group: r.Group, Incident: d.openIncident()})
	d.step(failover.Event{Kind: failover.Commanded, Command: c})
}

// resolve turns names into indexes, or says in a sentence what is wrong with them.
func (d *Daemon) resolve(c *failover.Command, r control.Request) string {
	names := d.o.Names
	switch c.Kind {
	case failover.CmdSwitchover, failover.CmdFailback:
		g := slices.Index(names.Groups, r.Group)
		if r.Group == "" && len(names.Groups) == 1 {
			g = 0
		}
		if g < 0 {
			return fmt.Sprintf("there is no group %q; name one of: %s", r.Group, strings.Join(names.Groups, ", "))
		}
		c.Group = uint8(g)
	case failover.CmdApprove, failover.CmdDeny:
		if r.Incident == 0 {
			return "name the incident; `serialhb status` shows it"
		}
		return ""
	}
	if r.Node == "" {
		switch c.Kind {
		case failover.CmdConfirmOff, failover.CmdWithdraw, failover.CmdFenceOff, failover.CmdFenceOn:
			return "name the node"
		}
		return ""
	}
	n := slices.Index(names.Members, r.Node)
	if n < 0 {
		return fmt.Sprintf("there is no node %q; name one of: %s", r.Node, strings.Join(names.Members, ", "))
	}
	c.Peer = uint8(n)
	if uint8(n) == d.o.Decision.Me && c.Kind != failover.CmdSwitchover && c.Kind != failover.CmdFailback {
		return r.Node + " is this node; name another one"
	}
	return d.brokenSenses(c, r)
}

func (d *Daemon) brokenSenses(c *failover.Command, r control.Request) string {
	for _, name := range r.Broken {
		found := false
		for _, w := range d.senses {
			if w.peer == c.Peer && w.sense.Name() == name {
				c.Broken |= 1 << w.device
				found = true
			}
		}
		if !found {
			return fmt.Sprintf("%s has no sense %q; `serialhb status` names them", r.Node, name)
		}
	}
	return ""
}

// reply answers a command that the decision has judged.
func (d *Daemon) reply(a *failover.Action) {
	p := d.commands[a.ID]
	if p == nil {
		if !a.OK { // the end of a fence test, which nobody awaits
			d.book.put(Record{Kind: "alarm", Code: "power-not-given", Peer: d.member(a.Peer), Incident: d.openIncident(),
				Text: "power of " + d.member(a.Peer) + " was not given back after the test; run `serialhb fence on " + d.member(a.Peer) + "`: " +
					a.Code.Sentence(d.o.Names, a.Peer, a.Group, a.Arg, d.state.Incident.ID)})
		}
		return
	}
	delete(d.commands, a.ID)
	if !a.OK {
		d.finish(p, control.Result{Exit: 4, Code: a.Code.String(), Text: a.Code.Sentence(d.o.Names, a.Peer, a.Group, a.Arg, d.state.Incident.ID)})
		return
	}
	if p.req.Command == "fence-test" {
		d.testing[a.Peer] = true
	}
	p.result = control.Result{OK: true, Text: d.accepted(p.req, a)}
	if a.Peer < d.o.Decision.N {
		p.result.Node = d.member(a.Peer)
	}
	if p.gen = a.Gen; p.gen == 0 {
		d.finish(p, p.result)
		return
	}
	p.inUse.Store(true)
	d.waiting = append(d.waiting, p)
	d.checkWaiting()
}

// checkWaiting answers the commands whose effect is on disk now, or cannot be put there.
func (d *Daemon) checkWaiting() {
	d.waiting = slices.DeleteFunc(d.waiting, func(p *pending) bool {
		switch {
		case d.state.KeptGen >= p.gen:
			d.finish(p, p.result)
		case d.state.KeepBad:
			d.finish(p, control.Result{Exit: 1, Code: "keep-failed", Text: "it is in force now but could not be written to the state directory, so it will not survive a reboot; free or mend the disk"})
		default:
			return false
		}
		return true
	})
}

func (d *Daemon) finish(p *pending, r control.Result) {
	if !r.OK {
		d.book.put(Record{Kind: "command", Code: "refused", Text: p.req.Command + " refused: " + r.Text, Who: p.who, Incident: d.openIncident()})
	}
	p.answer <- r
}

// refuseWaiting answers the commands whose effect is not on disk when the daemon ends.
func (d *Daemon) refuseWaiting() {
	for _, p := range d.waiting {
		d.finish(p, control.Result{Exit: 1, Code: "keep-failed", Text: "the daemon ended before it was written to the state directory; see with `serialhb status` after the next start whether it holds, and ask for it again if not"})
	}
}

func (d *Daemon) accepted(r control.Request, a *failover.Action) string {
	switch r.Command {
	case "switchover", "failback":
		return fmt.Sprintf("%s is being moved to %s", d.group(a.Group), d.member(a.Peer))
	case "confirm-off":
		return "the cuts of " + r.Node + " are being opened; then it counts as off, and what this node may take is started"
	case "withdraw":
		return r.Node + " is withdrawn until it is heard again"
	case "fence-off":
		return r.Node + " is being cut; `serialhb fence status " + r.Node + "` shows the outcome"
	case "fence-test":
		return r.Node + " is being cut, and gets its power back as soon as it is proven off or the cut has failed; `serialhb events` shows each step"
	case "approve":
		return fmt.Sprintf("incident %d is approved; `serialhb status` shows how it goes on", r.Incident)
	case "deny":
		return fmt.Sprintf("incident %d is denied: nothing is taken over in it unless `serialhb approve %d` changes that", r.Incident, r.Incident)
	case "fence-on":
		return "power of " + r.Node + " is being given back"
	case "leave":
		return "leaving: services are handed over" + d.relaysAtWork()
	case "restart":
		return "restarting; nothing moves"
	}
	return acceptedWords[r.Command]
}

// acceptedWords say what holds from now on.
var acceptedWords = map[string]string{
	"standby-on":      "this node is in standby mode: it hands over what it has and takes nothing until `serialhb standby off`",
	"standby-off":     "this node is no longer in standby mode and takes over again",
	"maintenance-on":  "this node is in maintenance: it does nothing by itself until `serialhb maintenance off`",
	"maintenance-off": "this node is no longer in maintenance and acts by itself again",
	"arm":             "this node is armed: from now on it may cut the power of others by itself",
	"disarm":          "this node is disarmed: it cuts nobody until `serialhb arm`",
	"clear":           "cleared: lock-out, failed services and doubts about senses of this node are over",
}

// relaysAtWork says what a leave has to wait for besides, or "".
func (d *Daemon) relaysAtWork() string {
	for p := range d.o.Decision.N {
		if d.state.Peers[p].Fence.Driving() && !d.state.Hurried {
			return "; " + d.member(p) + " is being cut, or gets its power back, and this node leaves after that; a second `serialhb leave` does not wait for it"
		}
	}
	return ""
}

// powerWords asks the relays of a peer how they are. It runs beside the turns and reads nothing that they change.
func (d *Daemon) powerWords(ctx context.Context, r control.Request) control.Result {
	var lines []string
	known := false
	for p, name := range d.o.Names.Members {
		if name == d.o.Node || r.Node != "" && name != r.Node {
			continue
		}
		known = true
		if d.o.Power[p] == nil {
			lines = append(lines, name+": no fence device of this node cuts it")
			continue
		}
		for _, l := range d.o.Power[p].Status(ctx) {
			lines = append(lines, name+": "+l)
		}
	}
	if !known {
		return control.Result{Exit: 1, Text: fmt.Sprintf("there is no other node %q; name one of: %s", r.Node, strings.Join(d.o.Names.Members, ", "))}
	}
	return control.Result{OK: true, Text: strings.Join(lines, "\n"), Lines: lines}
}
