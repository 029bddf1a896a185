package world

import "time"

// agenda is what will happen, in order of time; what stands at the same time happens in the order in which it was set
// down, so that a history never depends on the heap. The heap is our own because the one of the library makes garbage of
// every item, and there are three for each frame.
type agenda struct {
	items []item // a heap: none is before its parent
	count uint64
	spare []*deed // done, to be used again
}

type item struct {
	at  time.Duration
	seq uint64
	*deed
}

// deed is something to do: of the world, of a host as long as it lives, or of one run of its daemon.
type deed struct {
	h    *host
	life uint32
	d    *daemon
	turn uint64 // if not 0, only while this is the daemon's newest plan to wake
	do   func()
}

func (a *agenda) add(at time.Duration, what deed) {
	var d *deed
	if last := len(a.spare) - 1; last >= 0 {
		d, a.spare = a.spare[last], a.spare[:last]
	} else {
		d = new(deed)
	}
	*d = what
	a.count++
	a.items = append(a.items, item{at, a.count, d})
	a.up(len(a.items) - 1)
}

// next says when the first thing will happen, and whether there is one.
func (a *agenda) next() (time.Duration, bool) {
	if len(a.items) == 0 {
		return 0, false
	}
	return a.items[0].at, true
}

// take removes the first thing and gives it.
func (a *agenda) take() deed {
	first, last := a.items[0].deed, len(a.items)-1
	a.items[0] = a.items[last]
	a.items[last] = item{}
	a.items = a.items[:last]
	a.down(0)
	what := *first
	*first = deed{}
	a.spare = append(a.spare, first)
	return what
}

func (a *agenda) before(i, j int) bool {
	x, y := &a.items[i], &a.items[j]
	return x.at < y.at || x.at == y.at && x.seq < y.seq
}

func (a *agenda) up(i int) {
	for parent := (i - 1) / 2; i > 0 && a.before(i, parent); parent = (i - 1) / 2 {
		a.items[i], a.items[parent] = a.items[parent], a.items[i]
		i = parent
	}
}

func (a *agenda) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(a.items); child++ {
			if a.before(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		a.items[i], a.items[least] = a.items[least], a.items[i]
		i = least
	}
}

// fifo is what came and was not worked off, in order. The zero value is empty.
type fifo[T any] struct {
	items []T
	head  int
}

func (q *fifo[T]) put(x T)   { q.items = append(q.items, x) }
func (q *fifo[T]) any() bool { return q.head < len(q.items) }

func (q *fifo[T]) take() T {
	var none T
	x := q.items[q.head]
	q.items[q.head] = none
	if q.head++; q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	return x
}
