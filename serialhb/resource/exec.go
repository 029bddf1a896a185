package resource

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/serialhb/serialhb/serialhb/clock"
	"github.com/serialhb/serialhb/serialhb/process"
)

// The time-outs of an [ExecConfig] that leaves them 0.
const (
	DefaultStartTimeout  = 60 * time.Second
	DefaultStopTimeout   = 60 * time.Second
	DefaultStatusTimeout = 5 * time.Second
)

// searchPath is the PATH of every command; [ExecConfig.Env] may replace it.
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// A status is asked again after pollFirst, then at twice the distance each time, up to pollLast.
const (
	pollFirst = 2 * time.Millisecond
	pollLast  = 250 * time.Millisecond
)

// The exit codes of a status command that mean something, as in the Linux Standard Base.
const (
	exitRunning = 0
	exitStopped = 3
)

// ExecConfig describes a resource of kind exec. Each command is an argument list whose first element is an absolute
// path; no shell takes part.
type ExecConfig struct {
	Cluster, Node, Group string // told to the commands
	Name                 string

	Start, Stop []string
	Status      []string // exit 0 is running, 3 is stopped; without it the state is always unknown

	StartTimeout  time.Duration // start command and the wait for running together
	StopTimeout   time.Duration // stop command and the wait for stopped together
	StatusTimeout time.Duration // one status command

	Env []string // further KEY=VALUE pairs; the names SERIALHB_* are taken
	Dir string   // absolute; "" is "/"

	// Unfinished is a file in the run directory that says which start or stop has begun and not ended, for the daemon
	// after this one; "" keeps none. Boot is this boot's id.
	Unfinished, Boot string
}

// Exec is a resource that is driven by commands.
type Exec struct {
	cfg  ExecConfig
	busy chan struct{} // holds a token while a command of this resource runs
}

// NewExec checks the values of cfg. It does not look at the file system: see [Exec.Check].
func NewExec(cfg ExecConfig) (*Exec, error) {
	bad := func(format string, args ...any) (*Exec, error) {
		return nil, fmt.Errorf("resource: configure %q: "+format, append([]any{cfg.Name}, args...)...)
	}
	if cfg.Name == "" || strings.ContainsFunc(cfg.Name, isSpaceOrControl) {
		return bad("a name must not be empty nor contain blanks")
	}
	if len(cfg.Start) == 0 || len(cfg.Stop) == 0 {
		return bad("give it a start and a stop command")
	}
	for _, argv := range [][]string{cfg.Start, cfg.Stop, cfg.Status} {
		if len(argv) > 0 && !filepath.IsAbs(argv[0]) {
			return bad("give the whole path of %q, no search path is used", argv[0])
		}
		if slices.ContainsFunc(argv, hasNUL) {
			return bad("an argument contains a zero byte")
		}
	}
	for _, pair := range cfg.Env {
		key, _, ok := strings.Cut(pair, "=")
		if !ok || key == "" || hasNUL(pair) {
			return bad("environment entry %q is not of the form KEY=VALUE", pair)
		}
		if strings.HasPrefix(key, "SERIALHB_") {
			return bad("environment name %s is set by serialhb itself, choose another", key)
		}
	}
	if cfg.Dir == "" {
		cfg.Dir = "/"
	}
	if !filepath.IsAbs(cfg.Dir) {
		return bad("give the whole path of the directory %q", cfg.Dir)
	}
	for _, t := range []struct {
		value *time.Duration
		usual time.Duration
	}{{&cfg.StartTimeout, DefaultStartTimeout}, {&cfg.StopTimeout, DefaultStopTimeout}, {&cfg.StatusTimeout, DefaultStatusTimeout}} {
		if *t.value < 0 {
			return bad("a time-out must not be negative")
		}
		if *t.value == 0 {
			*t.value = t.usual
		}
	}
	return &Exec{cfg: cfg, busy: make(chan struct{}, 1)}, nil
}

func hasNUL(s string) bool { return strings.IndexByte(s, 0) >= 0 }

func isSpaceOrControl(r rune) bool { return r <= ' ' || r == 0x7f }

// Name implements [Resource].
func (e *Exec) Name() string { return e.cfg.Name }

// Start runs the start command and, if there is a status command, waits until it says running.
func (e *Exec) Start(ctx context.Context) error {
	return e.change(ctx, ActionStart, e.cfg.StartTimeout, Running)
}

// Stop runs the stop command and waits until the status command says stopped. Without a status command it runs the
// stop command and still returns [ErrNoStatus], since nothing verified the stop.
func (e *Exec) Stop(ctx context.Context) error {
	return e.change(ctx, ActionStop, e.cfg.StopTimeout, Stopped)
}

func (e *Exec) change(ctx context.Context, action Action, limit time.Duration, want State) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%w after %v", ErrTimeout, limit))
	defer cancel()
	if err := e.acquire(ctx, action); err != nil {
		return err
	}
	defer e.release()
	u, err := e.begin(ctx, action, limit)
	if err != nil {
		return fmt.Errorf("resource: %s %s: %w", action, e.cfg.Name, err)
	}
	end, err := e.run(ctx, action, func(pid int) { e.follow(u, pid) })
	switch {
	case err != nil:
		return err
	case end.signal != 0 || end.code != 0:
		return e.failure(action, end, nil)
	case len(e.cfg.Status) > 0:
		if err := e.await(ctx, action, want); err != nil {
			return err
		}
	case want == Stopped:
		return fmt.Errorf("resource: %s %s: %w", action, e.cfg.Name, ErrNoStatus)
	}
	e.note().remove()
	return nil
}

func (e *Exec) note() note { return note(e.cfg.Unfinished) }

// begin notes that an action begins, after the command of an earlier daemon is out of the way. A stop ends a start, and
// is made even if it cannot be noted.
func (e *Exec) begin(ctx context.Context, action Action, limit time.Duration) (unfinished, error) {
	now := unfinished{Action: action, Boot: e.cfg.Boot, Until: clock.Boot() + limit}
	before, err := e.note().read(e.cfg.Boot)
	if err != nil && action == ActionStart {
		return now, err
	}
	if before != nil {
		now.Started = before.startsYet()
		if action == ActionStop && before.Action == ActionStart && before.Pid != 0 {
			before.Until = 0 // who is not known cannot be ended, only waited for
		}
		if err := before.away(ctx); err != nil {
			return now, err
		}
	}
	if err := e.note().write(now); err != nil && action == ActionStart {
		return now, fmt.Errorf("%w; mend the run directory", cause(err))
	}
	return now, nil
}

// follow notes the process of an action. Where that fails, the next daemon waits for as long as the action may take.
func (e *Exec) follow(u unfinished, pid int) {
	if now, err := process.Of(pid); err == nil { // it may have ended already, which is what the next one has to know
		u.Pid, u.Born = pid, now.Born
		_ = e.note().write(u)
	}
}

// await asks for the status until it is the wanted one.
func (e *Exec) await(ctx context.Context, action Action, want State) error {
	var state State
	var why error
	for pause := pollFirst; ; pause = min(2*pause, pollLast) {
		s, err := e.probe(ctx)
		if err == nil && s == want {
			return nil
		}
		// A probe that the deadline itself cut short has nothing to say about the resource.
		if ctx.Err() == nil || why == nil && state == Unknown {
			state, why = s, err
		}
		select {
		case <-ctx.Done():
			err := fmt.Errorf("resource: %s %s: waiting until it is %v: its state is %v: %w", action, e.cfg.Name, want, state, context.Cause(ctx))
			if why != nil {
				err = fmt.Errorf("%w (%w)", err, why)
			}
			return err
		case <-time.After(pause):
		}
	}
}

// Probe runs the status command, after a start or stop of an earlier daemon has ended. What such a one leaves behind is
// unknown where its outcome could still change it: a start that nobody saw the end of may yet come up, whatever the status
// says now.
func (e *Exec) Probe(ctx context.Context) (State, error) {
	if err := e.acquire(ctx, ActionStatus); err != nil {
		return Unknown, err
	}
	defer e.release()
	u, err := e.note().read(e.cfg.Boot)
	if err == nil && u != nil {
		err = u.away(ctx)
	}
	if err != nil {
		return Unknown, fmt.Errorf("resource: %s %s: %w", ActionStatus, e.cfg.Name, err)
	}
	state, err := e.probe(ctx)
	switch {
	case err != nil || u == nil:
		return state, err
	case state == Stopped && u.startsYet(), state == Running && u.Action == ActionStop:
		return Unknown, fmt.Errorf("resource: %s %s: it is %v: %w", ActionStatus, e.cfg.Name, state, ErrUnfinished)
	}
	e.note().remove()
	return state, nil
}

func (e *Exec) probe(ctx context.Context) (State, error) {
	if len(e.cfg.Status) == 0 {
		return Unknown, fmt.Errorf("resource: %s %s: %w", ActionStatus, e.cfg.Name, ErrNoStatus)
	}
	limit := e.cfg.StatusTimeout
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%w after %v", ErrTimeout, limit))
	defer cancel()
	end, err := e.run(ctx, ActionStatus, nil)
	switch {
	case err != nil:
		return Unknown, err
	case end.signal != 0:
		return Unknown, e.failure(ActionStatus, end, nil)
	case end.code == exitRunning:
		return Running, nil
	case end.code == exitStopped:
		return Stopped, nil
	}
	return Unknown, e.failure(ActionStatus, end, errStatusCode)
}

var errStatusCode = errors.New("a status must exit with 0 for running or 3 for stopped")

// acquire waits for its turn: commands of one resource never overlap, so that no probe looks at half a start.
func (e *Exec) acquire(ctx context.Context, action Action) error {
	if ctx.Err() == nil {
		select {
		case e.busy <- struct{}{}:
			return nil
		case <-ctx.Done():
		}
	}
	return fmt.Errorf("resource: %s %s: waiting for its turn: %w", action, e.cfg.Name, context.Cause(ctx))
}

func (e *Exec) release() { <-e.busy }

func (e *Exec) argv(action Action) []string {
	switch action {
	case ActionStart:
		return e.cfg.Start
	case ActionStop:
		return e.cfg.Stop
	case ActionStatus:
		return e.cfg.Status
	}
	panic("resource: no such action: " + string(action))
}

// environ is the whole environment of a command; nothing of the daemon's own is in it.
func (e *Exec) environ(action Action) []string {
	env := []string{"PATH=" + searchPath}
	if slices.ContainsFunc(e.cfg.Env, func(pair string) bool { return strings.HasPrefix(pair, "PATH=") }) {
		env = env[:0]
	}
	env = append(env, e.cfg.Env...)
	return append(env,
		"SERIALHB_CLUSTER="+e.cfg.Cluster,
		"SERIALHB_NODE="+e.cfg.Node,
		"SERIALHB_GROUP="+e.cfg.Group,
		"SERIALHB_RESOURCE="+e.cfg.Name,
		"SERIALHB_ACTION="+string(action))
}

// run carries out one command. Its error is a command that was refused, could not be run, or was cut short.
func (e *Exec) run(ctx context.Context, action Action, started func(pid int)) (ending, error) {
	argv := e.argv(action)
	if ctx.Err() != nil {
		return ending{}, fmt.Errorf("resource: %s %s: %w", action, e.cfg.Name, context.Cause(ctx))
	}
	if err := checkCommand(argv[0]); err != nil {
		return ending{}, fmt.Errorf("resource: %s %s: %w", action, e.cfg.Name, err)
	}
	end, err := command{argv: argv, env: e.environ(action), dir: e.cfg.Dir, started: started}.run(ctx)
	if err != nil {
		return end, e.failure(action, end, err)
	}
	return end, nil
}

func (e *Exec) failure(action Action, end ending, cause error) error {
	return &CommandError{Resource: e.cfg.Name, Action: action, Path: e.argv(action)[0], Code: end.code, Signal: end.signal, Output: end.output, Cause: cause}
}

// Check looks at everything that can be known of the commands before they run. It runs none of them.
func (e *Exec) Check() error {
	var all []error
	for _, action := range []Action{ActionStart, ActionStop, ActionStatus} {
		argv := e.argv(action)
		if len(argv) == 0 {
			all = append(all, fmt.Errorf("resource: %s %s: %w", action, e.cfg.Name, ErrNoStatus))
			continue
		}
		if err := checkCommand(argv[0]); err != nil {
			all = append(all, fmt.Errorf("resource: %s %s: %w", action, e.cfg.Name, err))
		}
	}
	if _, err := drainer(); err != nil {
		all = append(all, err)
	}
	var st syscall.Stat_t
	if err := syscall.Stat(e.cfg.Dir, &st); err != nil || st.Mode&syscall.S_IFMT != syscall.S_IFDIR {
		all = append(all, fmt.Errorf("resource: check %s: its directory %s does not exist: create it or configure another", e.cfg.Name, e.cfg.Dir))
	}
	return joined(all)
}
