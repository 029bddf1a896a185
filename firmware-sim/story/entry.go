package story

import "time"

// Entry is one line of a report: as JSON it is one line of `serialhb lab --json`. Times are in milliseconds. Keys are
// only added; a number that is 0 and a text that is empty are left out. Which fields are there depends on Type:
//
//	start     at_ms line text                 the rack is switched on; text names its settings
//	chapter   at_ms line text
//	step      at_ms line text took_ms [said]  a line was carried out, or what it expects came true
//	event     at_ms since_ms source kind name value code text     since_ms counts from the last line that did something
//	takeover  at_ms takeover                  the service came up on a node: the parts of the time that it took
//	failed    at_ms line text seen logs       the story ends here
//	summary   at_ms summary                   always the last line
//	medians   medians                         of `serialhb lab --measure`
type Entry struct {
	Type     string              `json:"type"`
	AtMS     float64             `json:"at_ms"`
	Line     int                 `json:"line,omitempty"`
	Text     string              `json:"text,omitempty"`
	TookMS   float64             `json:"took_ms,omitempty"`
	Said     string              `json:"said,omitempty"`
	SinceMS  float64             `json:"since_ms,omitempty"`
	Source   string              `json:"source,omitempty"` // board, or the node that recorded it
	Kind     string              `json:"kind,omitempty"`
	Name     string              `json:"name,omitempty"`
	Value    string              `json:"value,omitempty"`
	Code     string              `json:"code,omitempty"`
	Seen     string              `json:"seen,omitempty"`
	Logs     map[string][]string `json:"logs,omitempty"`
	Takeover *Takeover           `json:"takeover,omitempty"`
	Summary  *Summary            `json:"summary,omitempty"`
	Medians  *Medians            `json:"medians,omitempty"`
}

// Sink takes the entries of a report one by one, as they happen.
type Sink func(Entry) error

// Summary is what a story comes to.
type Summary struct {
	OK        bool      `json:"ok"`
	Steps     int       `json:"steps"` // that held
	Chapters  []Chapter `json:"chapters"`
	Fences    int       `json:"fences"`
	Takeovers int       `json:"takeovers"`
	Overlaps  int       `json:"overlaps"`
	TookMS    float64   `json:"took_ms"`
	// LatenessMS is by how much the machine was late, at worst, to wake the lab itself. Nodes that wait like that fall
	// silent without a fault of theirs.
	LatenessMS float64 `json:"worst_lateness_ms"`
}

// Chapter is the part of a story from one say to the next.
type Chapter struct {
	Title     string  `json:"title"`
	Steps     int     `json:"steps"`
	OutageMS  float64 `json:"longest_outage_ms"` // that the client saw, from its first answer on
	Fences    int     `json:"fences"`
	Takeovers int     `json:"takeovers"`
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
