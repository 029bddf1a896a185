package daemon

import (
	"maps"
	"sync"
	"time"
)

// A flood is more news of one kind than anybody reads: a loose plug, a neighbour that babbles. So many lines of each kind
// are recorded in a while, far fewer in the next while if that was not enough, and the rest is counted. What is done, asked
// for and wrong is no news and never left out. A kind is a code, or all that is told of the ways of one link: those turn
// with every pulse that is late.
const (
	floodMost  = 50
	floodWays  = 20
	floodGoing = 5
	floodTime  = 10 * time.Second
)

// flood counts news by kind. It is safe for concurrent use.
type flood struct {
	mu    sync.Mutex
	kinds map[string]spell
}

// spell is the news of one kind within one while.
type spell struct {
	began time.Duration
	lines int
	usual int // lines that may be recorded in a first while
	most  int // and in this one
	left  int // lines that were not, and that nobody was told of yet
}

// next is the while after this one.
func (s spell) next(now time.Duration) spell {
	most := s.usual
	if s.lines > s.most {
		most = floodGoing
	}
	return spell{began: now, usual: s.usual, most: most, left: s.left}
}

// admits says whether there is room for one more line of a kind, of which so many are usual.
func (f *flood) admits(kind string, usual int, now time.Duration) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kinds == nil {
		f.kinds = map[string]spell{}
	}
	s, known := f.kinds[kind]
	s.usual = usual
	if !known || now-s.began >= floodTime {
		s = s.next(now)
	}
	s.lines++
	if s.lines > s.most {
		s.left++
	}
	f.kinds[kind] = s
	return s.lines <= s.most
}

// over ends the whiles that are over, and gives what was left out in them, by kind.
func (f *flood) over(now time.Duration) map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]int{}
	for kind, s := range f.kinds {
		if now-s.began < floodTime {
			continue
		}
		if s.left > 0 {
			out[kind] = s.left
		}
		s = s.next(now)
		s.left = 0
		f.kinds[kind] = s
	}
	maps.DeleteFunc(f.kinds, func(_ string, s spell) bool { return s.began == now && s.most == s.usual })
	return out
}
