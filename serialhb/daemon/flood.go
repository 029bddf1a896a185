package daemon

import (
	"maps"
	"sync"
	"time"
)

// A flood is more news of one code than anybody reads: a loose plug, a neighbour that babbles. So many lines of each code
// are recorded in a while, far fewer in the next while if that was not enough, and the rest is counted. What is done, asked
// for and wrong is no news and never left out.
const (
	floodMost  = 50
	floodGoing = 5
	floodTime  = 10 * time.Second
)

// flood counts news by code. It is safe for concurrent use.
type flood struct {
	mu    sync.Mutex
	codes map[string]spell
}

// spell is the news of one code within one while.
type spell struct {
	began time.Duration
	lines int
	most  int // lines that may be recorded
	left  int // lines that were not, and that nobody was told of yet
}

// next is the while after this one.
func (s spell) next(now time.Duration) spell {
	most := floodMost
	if s.lines > s.most {
		most = floodGoing
	}
	return spell{began: now, most: most, left: s.left}
}

// admits says whether there is room for one more line of a code.
func (f *flood) admits(code string, now time.Duration) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.codes == nil {
		f.codes = map[string]spell{}
	}
	s, known := f.codes[code]
	if !known || now-s.began >= floodTime {
		s = s.next(now)
	}
	s.lines++
	if s.lines > s.most {
		s.left++
	}
	f.codes[code] = s
	return s.lines <= s.most
}

// over ends the whiles that are over, and gives what was left out in them, by code.
func (f *flood) over(now time.Duration) map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]int{}
	for code, s := range f.codes {
		if now-s.began < floodTime {
			continue
		}
		if s.left > 0 {
			out[code] = s.left
		}
		s = s.next(now)
		s.left = 0
		f.codes[code] = s
	}
	maps.DeleteFunc(f.codes, func(_ string, s spell) bool { return s.began == now && s.most == floodMost })
	return out
}
