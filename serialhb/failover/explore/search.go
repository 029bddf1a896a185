package explore

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Limit bounds a search. What is 0 has no limit.
type Limit struct {
	Clusters uint64
	Depth    int
	Workers  int // 0: one for each processor
	// Tell is called after each level, from the goroutine of the search.
	Tell func(Progress)
}

// Progress is how far a search is.
type Progress struct {
	Depth    int
	Clusters uint64 // met so far
	Waiting  uint64 // not looked at yet
	Took     time.Duration
}

// Result is what a search found.
type Result struct {
	Scope     string
	Exhausted bool   // nothing in the scope was left out
	Clusters  uint64 // different ones
	Moves     uint64 // played
	Depth     int    // moves to the farthest one
	Deadlocks uint64 // clusters in which nothing can happen any more
	Bytes     uint64 // that all clusters would take, written down; see also Kept
	Kept      uint64 // bytes of memory for what is known of all clusters
	Took      time.Duration
	Workers   int
	Saw       Sightings
	Bad       string // what must not be so, or ""
	Path      Path   // to it
}

// Omitted is the probability, at most, that a cluster was taken for another one and left out.
func (r *Result) Omitted() float64 {
	n := float64(r.Clusters)
	return n * n / math.Pow(2, 65)
}

// block is a part of a level: clusters as bytes, each after its length, with the way each came.
type block struct {
	first   uint64 // number of its first cluster
	bytes   []byte
	parents []uint32
	moves   []packed
}

// blockBytes is about the size of a block.
const blockBytes = 1 << 20

// searcher goes through a scope, level by level.
type searcher struct {
	s       *Scope
	set     *set
	parents []uint32
	moves   []packed

	before []Move // that lead to where the scope begins

	next   atomic.Int64
	mu     sync.Mutex
	level  []*block // being looked at
	found  []*block
	result Result
	badAt  uint64
	badBy  Move
}

// Search goes through all clusters of a scope, until it is through, a limit is met, ctx is over, or something is as it must
// not be. The search is the same for any number of workers, but for the way to what is wrong: it is a shortest one in each
// case.
func Search(ctx context.Context, s *Scope, limit Limit) Result {
	began := time.Now()
	workers := limit.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	e := &searcher{s: s, set: newSet(1 << 16)}
	e.result = Result{Scope: s.Name, Workers: workers}
	e.begin()
	for len(e.level) > 0 && e.result.Bad == "" && ctx.Err() == nil {
		if limit.Depth > 0 && e.result.Depth >= limit.Depth || limit.Clusters > 0 && e.result.Clusters >= limit.Clusters {
			break
		}
		e.expand(ctx, workers)
		if limit.Tell != nil {
			limit.Tell(Progress{Depth: e.result.Depth, Clusters: e.result.Clusters, Waiting: e.waiting(), Took: time.Since(began)})
		}
	}
	e.result.Exhausted = len(e.level) == 0 && e.result.Bad == "" && ctx.Err() == nil
	e.result.Took = time.Since(began)
	e.result.Kept = uint64(len(e.set.slots))*8 + uint64(cap(e.parents))*4 + uint64(cap(e.moves))*2
	if e.result.Bad != "" {
		e.result.Path = e.path()
	}
	return e.result
}

func (e *searcher) begin() {
	w := newWorker(e)
	c, before := e.s.start()
	e.before = before
	w.add(&c, 0, 0)
	e.settle(w)
}

func (e *searcher) waiting() uint64 {
	n := 0
	for _, b := range e.level {
		n += len(b.parents)
	}
	return uint64(n)
}

// expand looks at all clusters of a level and makes the next.
func (e *searcher) expand(ctx context.Context, workers int) {
	e.set.grow(8*e.waiting() + 1<<16)
	e.next.Store(0)
	e.found = nil
	var all sync.WaitGroup
	hands := make([]*worker, workers)
	for i := range hands {
		hands[i] = newWorker(e)
		all.Go(func() { hands[i].work(ctx) })
	}
	all.Wait()
	e.result.Depth++
	e.settle(hands...)
}

// settle takes over what workers found.
func (e *searcher) settle(hands ...*worker) {
	for _, w := range hands {
		w.file()
		e.result.Moves += w.played
		e.result.Deadlocks += w.dead
		e.result.Bytes += w.wrote
		e.result.Saw.add(&w.player.saw)
		if w.bad != "" && (e.result.Bad == "" || w.badAt < e.badAt) {
			e.result.Bad, e.badAt, e.badBy = w.bad, w.badAt, w.badBy
		}
	}
	e.level = e.found
	for _, b := range e.level {
		b.first = uint64(len(e.parents))
		e.parents = append(e.parents, b.parents...)
		e.moves = append(e.moves, b.moves...)
	}
	e.result.Clusters = uint64(len(e.parents))
}

// worker looks at blocks of a level.
type worker struct {
	e      *searcher
	player *player
	names  renamer
	code   *codec
	out    *block
	moves  []Move
	bytes  []byte

	played, dead, wrote uint64

	bad   string
	badAt uint64
	badBy Move
}

func newWorker(e *searcher) *worker {
	code := newCodec(e.s)
	return &worker{e: e, player: newPlayer(e.s), names: renamer{code: code}, code: code, out: &block{}}
}

func (w *worker) work(ctx context.Context) {
	for w.bad == "" && ctx.Err() == nil {
		k := w.e.next.Add(1) - 1
		if k >= int64(len(w.e.level)) {
			return
		}
		b := w.e.level[k]
		w.look(b)
		b.bytes = nil
	}
}

func (w *worker) look(b *block) {
	var from, c Cluster
	in := b.bytes
	for n := range b.parents {
		size := int(in[0]) | int(in[1])<<8
		w.code.decode(in[2:2+size], &from)
		in = in[2+size:]
		at := b.first + uint64(n)
		w.moves = w.e.s.moves(&from, w.moves[:0])
		if len(w.moves) == 0 {
			w.dead++
		}
		for _, m := range w.moves {
			from.copyTo(&c, w.e.s)
			w.played++
			if bad := w.player.play(&c, m); bad != "" {
				w.bad, w.badAt, w.badBy = bad, at, m
				return
			}
			w.names.rename(w.e.s, &c)
			w.add(&c, uint32(at), pack(m))
		}
	}
}

// add puts a cluster into the next level, if it is new.
func (w *worker) add(c *Cluster, parent uint32, by packed) {
	w.bytes = w.code.encode(w.bytes[:0], c)
	if !w.e.set.add(hash(w.bytes)) {
		return
	}
	w.wrote += uint64(len(w.bytes))
	w.out.bytes = append(w.out.bytes, byte(len(w.bytes)), byte(len(w.bytes)>>8))
	w.out.bytes = append(w.out.bytes, w.bytes...)
	w.out.parents = append(w.out.parents, parent)
	w.out.moves = append(w.out.moves, by)
	if len(w.out.bytes) >= blockBytes {
		w.file()
	}
}

// file hands the block that is being filled to the next level.
func (w *worker) file() {
	if len(w.out.parents) == 0 {
		return
	}
	w.e.mu.Lock()
	w.e.found = append(w.e.found, w.out)
	w.e.mu.Unlock()
	w.out = &block{}
}

// path goes back from what is wrong to the beginning.
func (e *searcher) path() Path {
	back := []Move{e.badBy}
	for at := uint32(e.badAt); at != 0; at = e.parents[at] {
		back = append(back, e.moves[at].unpack())
	}
	p := Path{Scope: e.s.Name, Moves: e.before}
	for i := len(back) - 1; i >= 0; i-- {
		p.Moves = append(p.Moves, back[i])
	}
	return p
}

// packed is a move in two bytes.
type packed uint16

func pack(m Move) packed {
	return packed(m.Kind) | packed(m.I)<<5 | packed(m.P)<<7 | packed(m.G)<<9 | packed(m.Arg)<<10
}

func (p packed) unpack() Move {
	return Move{Kind: Kind(p & 31), I: uint8(p >> 5 & 3), P: uint8(p >> 7 & 3), G: uint8(p >> 9 & 1), Arg: uint8(p >> 10)}
}
