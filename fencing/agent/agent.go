package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/serialhb/serialhb/fencing"
)

// Config describes the device.
type Config = fencing.AgentConfig

// Timeouts bound one run by its action.
type Timeouts = fencing.AgentTimeouts

// The actions of an agent. It is never asked to reboot: a board that cycles the power in one go leaves no moment at which
// anybody could see it off.
const (
	off      = "off"
	on       = "on"
	status   = "status"
	monitor  = "monitor"
	metadata = "metadata"
	validate = "validate-all"
)

// The exit codes of an agent that mean something.
const (
	exitOn     = 0 // of status; of any other action: done
	exitFailed = 1
	exitOff    = 2 // of status, and of monitor: there, and off
)

// Failures of an agent, besides those of what runs it.
const (
	// NeverOn: what has only ever been seen to say off says nothing by it.
	NeverOn fencing.Failure = "the agent has never reported on since this program started, so its off proves nothing: look at its options with serialhb fence status"
	// StaysOn: the status still says on although the agent was told to cut.
	StaysOn fencing.Failure = "the agent still reports on"
	// Unsteady: the status said off and then something else.
	Unsteady fencing.Failure = "the agent reported off but not for long enough without a break"
	// NoStatus: nobody knows whether the power is off.
	NoStatus fencing.Failure = "the agent cannot tell whether the power is off"
	// CaughtLying: what the agent says is known to be wrong.
	CaughtLying fencing.Failure = "the agent was caught lying, so nothing was touched"
)

// Agent is a [fencing.Device] and a [fencing.Checker]. Its methods may be called from several goroutines; only one run of
// the program is under way at a time, and an act ends a look that is under way and takes its place. See [Boards] for several
// agents of one board.
type Agent struct {
	c       Config
	secrets redactor
	turn    *turn

	mu     sync.Mutex
	seenOn bool // a status has said on
	last   fencing.SenseState
	held   bool // the last proof stands
}

var (
	_ fencing.Device  = (*Agent)(nil)
	_ fencing.Checker = (*Agent)(nil)
)

// New makes the device and runs nothing. The error says in one sentence what to change in the config. An agent that is
// not there, or that others may write to, is an error of each call.
func New(c Config) (*Agent, error) {
	full, err := c.Complete()
	if err != nil {
		return nil, fmt.Errorf("agent: make %s: %w", c.Name, err)
	}
	return &Agent{c: full, secrets: newRedactor(full.Params), turn: newTurn(newBoard())}, nil
}

// Name implements [fencing.Device].
func (a *Agent) Name() string { return a.c.Name }

// Config returns the description with all defaults filled in.
func (a *Agent) Config() Config { return a.c }

// Off implements [fencing.Device]. It takes at most [fencing.AgentConfig.OffTime] from when no other act is under way.
func (a *Agent) Off(ctx context.Context, q fencing.Query) fencing.Result {
	done, err := a.turn.act(ctx)
	if err != nil {
		return fencing.Result{Err: fmt.Errorf("agent: cut power with %s: %w", a.c.Name, err)}
	}
	defer done()
	a.hold(false)
	f := &fence{a: a, start: time.Now(), tell: q.Tell}
	if err := f.run(ctx, q); err != nil {
		f.note("failed: " + err.Error())
		return fencing.Result{Err: fmt.Errorf("agent: cut power with %s: %w", a.c.Name, err), Steps: f.steps}
	}
	a.hold(true)
	f.note(fencing.Agent.String())
	return fencing.Result{Proof: fencing.Agent, Steps: f.steps}
}

// Open implements [fencing.Device]: the agent said that it has cut the power, and nobody looked; then the hold-off passed.
func (a *Agent) Open(ctx context.Context) error {
	done, err := a.turn.act(ctx)
	if err == nil {
		defer done()
		err = a.must(ctx, off, a.c.Timeouts.Off)
	}
	if err == nil {
		err = fencing.Rest(ctx, a.c.HoldOff)
	}
	if err != nil {
		return fmt.Errorf("agent: open the cut of %s: %w", a.c.Name, err)
	}
	return nil
}

// Secure implements [fencing.Device]: it always fails and touches nothing. A board is asked over a wire or a network and
// answers by a program; none of that is fail-safe.
func (a *Agent) Secure(context.Context, fencing.Query) fencing.Result {
	return fencing.Result{Err: fmt.Errorf("agent: secure %s: a fence agent has no sense: %w", a.c.Name, fencing.NotFailSafe)}
}

// On implements [fencing.Device]: the agent said that it has given the power back, and its status says on.
func (a *Agent) On(ctx context.Context) error {
	done, err := a.turn.act(ctx)
	if err == nil {
		defer done()
		a.hold(false)
		err = a.powerOn(ctx)
	}
	if err != nil {
		return fmt.Errorf("agent: restore power with %s: %w", a.c.Name, err)
	}
	return nil
}

func (a *Agent) powerOn(ctx context.Context) error {
	if err := a.must(ctx, on, a.c.Timeouts.On); err != nil {
		return err
	}
	begin := time.Now()
	for {
		state, err := a.read(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case state == fencing.On:
			return nil
		case time.Since(begin) > a.c.PowerTimeout && err != nil:
			return err
		case time.Since(begin) > a.c.PowerTimeout:
			return fencing.StillOpen
		}
		pause(ctx, a.c.Poll)
	}
}

// Status implements [fencing.Device]: one run of the agent, after any act that is under way. An agent that says off shows
// an open feed: whoever restores gives it back.
func (a *Agent) Status(ctx context.Context) (s fencing.Status) {
	ask := a.turn.look
	if a.holds() { // its proof is in use: that waits for no fence of another outlet
		ask = a.turn.beside
	}
	err := ask(ctx, func(ctx context.Context) {
		s = fencing.Status{}
		s.Power, s.Err = a.read(ctx)
		if yielded(ctx) {
			return
		}
		s.Feed = map[fencing.SenseState]fencing.Feed{fencing.On: fencing.FeedClosed, fencing.Off: fencing.FeedOpen}[s.Power]
		a.mu.Lock()
		defer a.mu.Unlock()
		a.held = a.held && s.Power == fencing.Off
		if a.held {
			s.Proof = fencing.Agent
		}
	})
	if err == nil {
		err = s.Err
	}
	if err != nil {
		return fencing.Status{Err: fmt.Errorf("agent: ask %s: %w", a.c.Name, err)}
	}
	return s
}

// Monitor runs the action monitor: the agent reaches its board. An agent that has reported on before may also answer
// that all is well and the power is off.
func (a *Agent) Monitor(ctx context.Context) error {
	var found error
	err := a.turn.look(ctx, func(ctx context.Context) { found = a.monitor(ctx) })
	if err == nil {
		err = found
	}
	if err != nil {
		return fmt.Errorf("agent: check %s: %w", a.c.Name, err)
	}
	return nil
}

func (a *Agent) monitor(ctx context.Context) error {
	end, err := a.call(ctx, monitor, a.c.Timeouts.Monitor)
	switch {
	case err != nil:
		return err
	case end.code == 0, end.code == exitOff && a.hasSeenOn():
		return nil
	}
	return a.failed(monitor, end)
}

// Check implements [fencing.Checker]: the agent reaches its board and can tell on from off. It has to be called now and
// then while the target lives: that is how the agent comes to be known as one that reports on.
func (a *Agent) Check(ctx context.Context) error {
	var reach, tell error
	err := a.turn.look(ctx, func(ctx context.Context) {
		reach = a.monitor(ctx)
		_, tell = a.read(ctx)
	})
	if err == nil {
		err = errors.Join(a.ill(reach), a.ill(tell))
	} else {
		err = a.ill(err)
	}
	return err
}

func (a *Agent) ill(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("agent: check %s: %w", a.c.Name, err)
}

// Last is what the newest status said, without asking anew: Unknown if it could not tell, or none was asked for yet.
func (a *Agent) Last() fencing.SenseState {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last
}

// read asks for the status in a fresh run.
func (a *Agent) read(ctx context.Context) (fencing.SenseState, error) {
	s, err := a.readOnce(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = s
	return s, err
}

func (a *Agent) readOnce(ctx context.Context) (fencing.SenseState, error) {
	end, err := a.call(ctx, status, a.c.Timeouts.Status)
	switch {
	case err != nil:
		return fencing.Unknown, fmt.Errorf("%w: %w", NoStatus, err)
	case end.code == exitOn:
		a.mu.Lock()
		defer a.mu.Unlock()
		a.seenOn = true
		return fencing.On, nil
	case end.code == exitOff:
		return fencing.Off, nil
	}
	return fencing.Unknown, fmt.Errorf("%w: %w", NoStatus, a.failed(status, end))
}

// must runs an action that has to end well.
func (a *Agent) must(ctx context.Context, action string, timeout time.Duration) error {
	end, err := a.call(ctx, action, timeout)
	if err == nil && end.code != 0 {
		err = a.failed(action, end)
	}
	return err
}

// call runs the agent once. The error is nil only if it ended by itself and in time.
func (a *Agent) call(ctx context.Context, action string, timeout time.Duration) (ending, error) {
	if action != metadata && action != validate { // which ask no board
		if err := take(ctx, a.turn.board.runs); err != nil {
			return ending{}, err
		}
		defer func() { <-a.turn.board.runs }()
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("it took longer than %v: %w", timeout, context.DeadlineExceeded))
	defer cancel()
	p := program{path: a.c.Path, input: a.options(action), keep: keepText}
	if action == metadata {
		p.keep = keepMetadata
	}
	if err := checkProgram(p.path); err != nil {
		return ending{}, err
	}
	if ctx.Err() != nil {
		return ending{}, context.Cause(ctx)
	}
	end, err := p.run(ctx)
	if err != nil {
		return end, fmt.Errorf("the agent's action %s: %w%s", action, err, a.words(end))
	}
	return end, nil
}

// options is what the agent reads. The last of two lines of one name counts, so the action stands last.
func (a *Agent) options(action string) []byte {
	var b bytes.Buffer
	if action != metadata {
		for _, name := range slices.Sorted(maps.Keys(a.c.Params)) {
			fmt.Fprintf(&b, "%s=%s\n", name, a.c.Params[name])
		}
	}
	fmt.Fprintf(&b, "action=%s\n", action)
	return b.Bytes()
}

func (a *Agent) failed(action string, end ending) error {
	return fmt.Errorf("the agent's action %s failed with exit code %d%s", action, end.code, a.words(end))
}

func (a *Agent) holds() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.held
}

func (a *Agent) hold(held bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held = held
}

func (a *Agent) hasSeenOn() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seenOn
}

// pause waits, or not if ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
