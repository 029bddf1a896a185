package link

import (
	"sync"
	"time"
)

// pump moves frames from an outbox to a device that never makes it wait. Whoever puts a frame pushes, so that a pulse
// leaves in the turn that made it; what cannot go yet, for a line that is busy or a budget that is spent, a timer pushes
// later.
type pump struct {
	// step sends one frame. It says how long until it is to be called again; less than 0 is until a frame is put.
	step func() (time.Duration, error)
	// failed hears of the error that ends the pump. It is called once at most.
	failed func(error)

	mu    sync.Mutex // held for as long as a device takes that does not wait
	later *time.Timer
	ended bool
}

func newPump(step func() (time.Duration, error), failed func(error)) *pump {
	p := &pump{step: step, failed: failed}
	p.later = time.AfterFunc(time.Hour, p.push)
	return p
}

func (p *pump) push() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.ended {
		wait, err := p.step()
		switch {
		case err != nil:
			p.stop()
			p.failed(err)
		case wait < 0:
			return
		case wait > 0:
			p.later.Reset(wait)
			return
		}
	}
}

// end returns when no step runs, and none will.
func (p *pump) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop()
}

func (p *pump) stop() {
	p.ended = true
	p.later.Stop()
}
