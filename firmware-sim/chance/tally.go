package chance

import "fmt"

// Tally counts what came of stories, from what the nodes recorded.
type Tally struct {
	Stories     int `json:"stories"`
	Fences      int `json:"fences"`      // ended with a proof of off
	Takeovers   int `json:"takeovers"`   // the service came up on another node after such a proof
	Switchovers int `json:"switchovers"` // the service moved because a person asked
	Handovers   int `json:"handovers"`   // the service moved for another reason: a goodbye, a failback, a failed start
	Blocked     int `json:"blocked"`     // fences without a proof; the service stayed down

	groups map[uint8]lastRun
}

// lastRun is who ran a group last, and how many proofs and wishes of a person there were before.
type lastRun struct {
	node   string
	fences int
	wished bool
}

// Begin begins another story.
func (t *Tally) Begin() {
	t.Stories++
	t.groups = map[uint8]lastRun{}
}

// Told takes one code of the record of a node, in the order of time. There is one group.
func (t *Tally) Told(node, code string) { t.ToldOf(node, code, 0) }

// ToldOf is the same of one group of several.
func (t *Tally) ToldOf(node, code string, group uint8) {
	was := t.groups[group]
	switch code {
	case "proven-off":
		t.Fences++
	case "blocked":
		t.Blocked++
	case "wishes":
		was.wished = true
		t.groups[group] = was
	case "owns-now", "adopted-now":
		switch {
		case was.node == "" || was.node == node:
		case t.Fences > was.fences:
			t.Takeovers++
		case was.wished:
			t.Switchovers++
		default:
			t.Handovers++
		}
		t.groups[group] = lastRun{node: node, fences: t.Fences}
	}
}

// Add adds what another tally counted.
func (t *Tally) Add(u Tally) {
	t.Stories += u.Stories
	t.Fences += u.Fences
	t.Takeovers += u.Takeovers
	t.Switchovers += u.Switchovers
	t.Handovers += u.Handovers
	t.Blocked += u.Blocked
}

// String is one line.
func (t *Tally) String() string { return fmt.Sprintf("%d stories: %s", t.Stories, t.Came()) }

// Came is the same without how many there were, which need not be stories.
func (t *Tally) Came() string {
	return fmt.Sprintf("%d fences proven, %d takeovers, %d switchovers, %d other moves, %d fences blocked",
		t.Fences, t.Takeovers, t.Switchovers, t.Handovers, t.Blocked)
}
