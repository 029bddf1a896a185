package agent

import (
	"context"
	"fmt"
	"time"

	"github.com/serialhb/serialhb/fencing"
)

// fence is one fence and takes down what happens.
type fence struct {
	a     *Agent
	start time.Time
	tell  func(fencing.Step)
	steps []fencing.Step
}

func (f *fence) note(text string) {
	s := fencing.Step{At: time.Since(f.start), Text: text}
	f.steps = append(f.steps, s)
	if f.tell != nil {
		f.tell(s)
	}
}

// run cuts the power and returns nil if that is proven.
//
// Many programs that cannot even start end with the exit code 2, which is what an agent says for off: a shell with a
// syntax error, an interpreter without its script, a parser of options. So two things are asked of the agent besides an
// off that follows the cut. It has reported on since this program started; that also finds the outlet that nobody uses.
// And during this fence it has answered something else than 2: on before the cut, or 0 to the off.
func (f *fence) run(ctx context.Context, q fencing.Query) error {
	if q.Broken {
		return CaughtLying
	}
	before, err := f.a.read(ctx)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil && !f.a.hasSeenOn():
		return err
	case err != nil:
		f.note("before the cut: " + err.Error())
	default:
		f.note("the agent reports " + before.String() + " before the cut")
	}
	if !f.a.hasSeenOn() {
		return NeverOn
	}
	end, err := f.a.call(ctx, off, f.a.c.Timeouts.Off)
	if err != nil {
		return err
	}
	patience := f.a.c.PowerTimeout
	switch {
	case end.code == 0:
		f.note("the agent was told to cut and says that it has")
	case end.code == exitFailed && before == fencing.On:
		// It may have cut and only failed to see it. One look decides, for the next level is waiting.
		f.note(f.a.failed(off, end).Error())
		patience = 0
	default:
		return f.a.failed(off, end)
	}
	return f.verify(ctx, patience)
}

// verify asks until off was said in every answer of a whole hold-off. An off has to come within patience.
func (f *fence) verify(ctx context.Context, patience time.Duration) error {
	begin := time.Now()
	var since time.Time // of the unbroken offs
	quiet, wasOff := false, false
	for {
		state, err := f.a.read(ctx)
		now := time.Now()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		wait := f.a.c.Poll
		if state == fencing.Off {
			if !quiet {
				quiet, wasOff, since = true, true, now
				f.note("the agent reports off")
			}
			if now.Sub(since) >= f.a.c.HoldOff {
				return nil
			}
			wait = min(wait, f.a.c.HoldOff-now.Sub(since))
		} else {
			if quiet {
				quiet = false
				f.note("the agent reports " + state.String() + " again, the wait starts anew")
			}
			if now.Sub(begin) >= patience {
				return f.gaveUp(state, wasOff, err)
			}
		}
		pause(ctx, wait)
	}
}

func (f *fence) gaveUp(state fencing.SenseState, wasOff bool, err error) error {
	switch {
	case wasOff && err != nil:
		return fmt.Errorf("%w: %w", Unsteady, err)
	case wasOff:
		return Unsteady
	case state == fencing.On:
		return StaysOn
	}
	return err
}
