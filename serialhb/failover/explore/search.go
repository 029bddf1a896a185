package explore

import "math"

// Run carries out job(0) to job(jobs-1), in any order, several at once if it can, and returns when all are done. It is the
// caller's, as are clocks and reasons to stop: a search itself waits for nothing and starts nothing.
type Run func(jobs int, job func(k int))

// Result is what a search found, so far or at its end.
type Result struct {
	Scope     string
	Exhausted bool   // nothing in the scope was left out
	Clusters  uint64 // different ones
	Waiting   uint64 // of them not looked at
	Moves     uint64 // played
	Depth     int    // moves to the farthest ones whose next moves were all played
	Deadlocks uint64 // clusters in which nothing can happen any more
	Bytes     uint64 // that all clusters would take, written down; see also Kept
	Kept      uint64 // bytes of memory for what is known of all clusters
	Saw       Sightings
	Bad       string // what must not be so, or ""
	Path      Path   // to it
}

// Omitted is the probability, at most, that a cluster was taken for another one and left out.
func (r *Result) Omitted() float64 {
	n := float64(r.Clusters)
	return n * n / math.Pow(2, 65)
}

const (
	// shards are the parts of the set, by the first bits of a hash. Each has one job to add to it.
	shards    = 32
	shardBits = 5
	// batch is how many blocks are looked at between two additions to the set.
	batch = 32
	// blockBytes is about the size of a block.
	blockBytes = 1 << 18
)

// block is a part of a level: clusters as bytes, each after its length, with the way each came.
type block struct {
	first   uint64 // number of its first cluster
	bytes   []byte
	parents []uint32
	moves   []packed
}

func (b *block) add(text []byte, parent uint32, by packed) {
	b.bytes = append(b.bytes, byte(len(text)), byte(len(text)>>8))
	b.bytes = append(b.bytes, text...)
	b.parents = append(b.parents, parent)
	b.moves = append(b.moves, by)
}

// searcher goes through a scope, level by level. Of each level it takes a batch of blocks at a time, in two strides: first
// every block is looked at, while the set is only read; then every shard takes in what was found and is new.
type searcher struct {
	s       *Scope
	before  []Move // that lead to where the scope begins
	known   [shards]shard
	parents []uint32 // of all clusters of this level and those before, by their numbers
	moves   []packed
	level   []*block
	at      int // how many of its blocks were looked at
	looks   [batch]*looker
	bad     *looker // that found it
	result  Result
}

// Search goes through all clusters of a scope, until it is through, enough says that it is enough, or something is as it must
// not be. It asks after each batch of clusters, and after each whole level: only then Depth has grown. The result is the same
// for every run, and the path to what is wrong is a shortest one.
func Search(s *Scope, run Run, enough func(*Result) bool) Result {
	e := newSearcher(s)
	e.search(run, enough)
	return e.result
}

func newSearcher(s *Scope) *searcher {
	e := &searcher{s: s, result: Result{Scope: s.Name}}
	for k := range e.looks {
		e.looks[k] = newLooker(e)
	}
	return e
}

func (e *searcher) search(run Run, enough func(*Result) bool) {
	e.begin()
	for len(e.level) > 0 && e.bad == nil && !enough(&e.result) {
		e.advance(run)
	}
	e.conclude()
}

func (e *searcher) begin() {
	first := e.looks[0]
	first.to.c, e.before = e.s.start()
	first.find(0, 0)
	for k := range e.known {
		e.known[k].take(e.looks[:1], k)
	}
	e.descend()
}

// advance looks at the next batch.
func (e *searcher) advance(run Run) {
	blocks := e.level[e.at:min(e.at+batch, len(e.level))]
	looks := e.looks[:len(blocks)]
	run(len(blocks), func(k int) { looks[k].look(blocks[k]) })
	run(shards, func(k int) { e.known[k].take(looks, k) })
	for k, l := range looks {
		blocks[k].bytes = nil
		if l.bad != "" && e.bad == nil {
			e.bad = l
		}
	}
	if e.at += len(blocks); e.at == len(e.level) {
		e.result.Depth++
		e.descend()
	}
	e.count()
}

// descend goes on to the level that was found.
func (e *searcher) descend() {
	e.level, e.at = e.level[:0], 0
	for k := range e.known {
		for _, b := range e.known[k].blocks {
			b.first = uint64(len(e.parents))
			e.parents = append(e.parents, b.parents...)
			e.moves = append(e.moves, b.moves...)
			e.level = append(e.level, b)
		}
		e.known[k].blocks = nil
	}
}

// count brings up to date how far it is.
func (e *searcher) count() {
	r := &e.result
	r.Clusters, r.Moves, r.Deadlocks = 0, 0, 0
	for k := range e.known {
		r.Clusters += uint64(e.known[k].used)
	}
	for _, l := range e.looks {
		r.Moves += l.played
		r.Deadlocks += l.dead
	}
	r.Waiting = r.Clusters - uint64(len(e.parents))
	if e.at < len(e.level) {
		r.Waiting = r.Clusters - e.level[e.at].first
	}
}

func (e *searcher) conclude() {
	e.count()
	r := &e.result
	r.Exhausted = len(e.level) == 0 && e.bad == nil
	r.Kept = uint64(cap(e.parents))*4 + uint64(cap(e.moves))*2
	for k := range e.known {
		r.Kept += uint64(len(e.known[k].slots)) * 8
		r.Bytes += e.known[k].wrote
	}
	for _, l := range e.looks {
		r.Saw.add(&l.player.saw)
	}
	if e.bad != nil {
		r.Bad, r.Path = e.bad.bad, e.path()
	}
}

// path goes back from what is wrong to the beginning.
func (e *searcher) path() Path {
	back := []Move{e.bad.badBy}
	for at := e.bad.badAt; at != 0; at = e.parents[at] {
		back = append(back, e.moves[at].unpack())
	}
	p := Path{Scope: e.s.Name, Moves: e.before}
	for i := len(back) - 1; i >= 0; i-- {
		p.Moves = append(p.Moves, back[i])
	}
	return p
}
