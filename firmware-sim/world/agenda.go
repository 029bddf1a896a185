package world

import (
	"container/heap"
	"time"
)

// agenda is what will happen, in order of time; what stands at the same time happens in the order in which it was set
// down, so that a history never depends on the heap.
type agenda struct {
	items []item
	count uint64
}

type item struct {
	at  time.Duration
	seq uint64
	do  func()
}

func (a *agenda) add(at time.Duration, do func()) {
	a.count++
	heap.Push(a, item{at, a.count, do})
}

func (a *agenda) next() (time.Duration, bool) {
	if len(a.items) == 0 {
		return 0, false
	}
	return a.items[0].at, true
}

func (a *agenda) take() item { return heap.Pop(a).(item) }

// Len, Less, Swap, Push and Pop are for package heap.
func (a *agenda) Len() int { return len(a.items) }
func (a *agenda) Less(i, j int) bool {
	return a.items[i].at < a.items[j].at || a.items[i].at == a.items[j].at && a.items[i].seq < a.items[j].seq
}
func (a *agenda) Swap(i, j int) { a.items[i], a.items[j] = a.items[j], a.items[i] }
func (a *agenda) Push(x any)    { a.items = append(a.items, x.(item)) }
func (a *agenda) Pop() any {
	last := len(a.items) - 1
	x := a.items[last]
	a.items[last] = item{}
	a.items = a.items[:last]
	return x
}
