package link

import (
	"sync"
	"sync/atomic"
	"time"
)

// sending is the half of a link that all adapters share: frames wait in the outbox for the pump of the open device.
type sending struct {
	out   *outbox
	clock Clock
	pump  atomic.Pointer[pump] // nil: nothing is open
}

// Send implements [Link].
func (s *sending) Send(to uint8, frame []byte) {
	s.out.put(to, frame, s.clock())
	s.push()
}

// SendSide implements [Link].
func (s *sending) SendSide(to uint8, frame []byte) {
	s.out.putSide(to, frame, s.clock())
	s.push()
}

func (s *sending) push() {
	if p := s.pump.Load(); p != nil {
		p.push()
	}
}

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
