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

	last   string // who ran the service last
	proven bool   // a proof since then
	wished bool   // a person's wish since then
}

// Begin begins another story.
func (t *Tally) Begin() {
	t.Stories++
	t.last, t.proven, t.wished = "", false, false
}

// Told takes one code of the record of a node, in the order of time.
func (t *Tally) Told(node, code string) {
	switch code {
	case "proven-off":
		t.Fences++
		t.proven = true
	case "blocked":
		t.Blocked++
	case "wishes":
		t.wished = true
	case "owns-now", "adopted-now":
		t.runs(node)
	}
}

func (t *Tally) runs(node string) {
	switch {
	case t.last == "" || t.last == node:
	case t.proven:
		t.Takeovers++
	case t.wished:
		t.Switchovers++
	default:
		t.Handovers++
	}
	t.last, t.proven, t.wished = node, false, false
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
func (t *Tally) String() string {
	return fmt.Sprintf("%d stories: %d fences proven, %d takeovers, %d switchovers, %d other moves, %d fences blocked",
		t.Stories, t.Fences, t.Takeovers, t.Switchovers, t.Handovers, t.Blocked)
}
