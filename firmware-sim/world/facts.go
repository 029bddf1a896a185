package world

import "time"

// writer writes the newest of what it is given and answers for the generation that this covers, as the daemon's does.
type writer[T any] struct {
	d     *daemon
	took  time.Duration
	bad   func() bool
	store func(T)
	done  func(gen uint32, ok bool)

	gen   uint32
	value T
	fresh bool
	busy  bool
}

func (w *writer[T]) put(gen uint32, v T) {
	w.gen, w.value, w.fresh = gen, v, true
	w.write()
}

func (w *writer[T]) write() {
	if w.busy || !w.fresh {
		return
	}
	gen, v := w.gen, w.value
	w.fresh, w.busy = false, true
	w.d.later(w.took/2+w.d.w.upTo(w.took), func() {
		ok := !w.bad()
		if ok {
			w.store(v)
		}
		w.busy = false
		w.done(gen, ok)
		w.write()
	})
}

// flush is what an orderly end does with what was decided last.
func (w *writer[T]) flush() {
	if (w.fresh || w.busy) && !w.bad() {
		w.store(w.value)
	}
	w.fresh = false
}
