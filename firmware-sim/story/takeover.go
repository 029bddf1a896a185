package story

import (
	"fmt"
	"strings"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/board"
	"github.com/serialhb/serialhb/serialhb/control"
)

// Takeover tells how a service came up on a node: what happened when, in milliseconds after the cause. What did not
// happen is absent.
type Takeover struct {
	Owner  string   `json:"owner"`
	From   string   `json:"from,omitempty"`  // the node that ran it before
	Silent *float64 `json:"silent_ms"`       // the owner's daemon judged the other one silent
	Coil   *float64 `json:"coil_ms"`         // the coil was energised
	Sense  *float64 `json:"sense_ms"`        // the power sense fell
	Proven *float64 `json:"proven_ms"`       // the proof was complete
	Start  *float64 `json:"start_ms"`        // the daemon owned the service and began to start it
	Up     *float64 `json:"up_ms"`           // the service joined the ledger
	Answer *float64 `json:"answer_ms"`       // the client's first answer
	Outage *float64 `json:"outage_ms"`       // that the client saw, from the last answer before
	Proof  string   `json:"proof,omitempty"` // the kind of proof, in the daemon's words
	cause  time.Duration
}

// servedBefore is how long before the cause the client's last answers are looked for.
const servedBefore = 50 * time.Millisecond

// takeover works out how the service came up on a node since the last line that did something. ok is false if it has
// been up before.
func (s scene) takeover(w World, owner string) (t Takeover, ok bool, err error) {
	var last begin
	for _, b := range s.runs() {
		if b.Node != owner {
			t.From = b.Node
		}
		last = b
	}
	if last.Node != owner || last.At < s.since {
		return t, false, nil
	}
	t.Owner, t.cause = owner, s.cause()
	after := func(at time.Duration, there bool) *float64 {
		if !there {
			return nil
		}
		d := ms(at - t.cause)
		return &d
	}
	recorded := func(code string) (Told, bool) {
		return s.told(owner, t.cause, func(e control.Event) bool { return e.Code == code })
	}
	silent, there := recorded("went-silent")
	t.Silent = after(silent.At, there)
	proven, there := recorded("proven-off")
	t.Proven = after(proven.At, there)
	if there {
		t.Proof = strings.Join(append([]string{proven.Event.Text}, proven.Event.Evidence...), "; ")
	}
	owns, there := recorded("owns-now")
	t.Start = after(owns.At, there)
	first := func(is func(board.Event) bool) *float64 {
		all := s.happened(t.cause, is)
		if len(all) == 0 {
			return nil
		}
		return after(all[0].At, true)
	}
	t.Coil = first(func(e board.Event) bool { return e.Kind == "coil" && e.Value == "on" && targetOf(e.Name) != owner })
	t.Sense = first(func(e board.Event) bool {
		return e.Kind == "sense" && e.Value == "0" && strings.HasPrefix(e.Name, "SENSE_") && targetOf(e.Name) != owner
	})
	t.Up = after(last.At, true)
	answer, there, err := w.Answer(owner, last.At)
	if err != nil || !there {
		return t, true, err
	}
	t.Answer = after(answer, true)
	// Only a client that was served before can see an outage.
	before, there, err := w.Answer("", t.cause-servedBefore)
	if err != nil || !there || before > t.cause {
		return t, true, err
	}
	outage, err := w.Outage(before, answer)
	t.Outage = new(ms(outage))
	return t, true, err
}

// cause is when it began: the loss of the mains as the board saw it, else the line that did it.
func (s scene) cause() time.Duration {
	for _, e := range s.happened(s.since, func(e board.Event) bool { return e.Kind == "mains" && e.Value == "off" }) {
		return e.At
	}
	return s.since
}

// String gives the parts in words.
func (t Takeover) String() string {
	other := t.From
	if other == "" {
		other = "the other node"
	}
	var parts []string
	for _, p := range []struct {
		words string
		at    *float64
	}{
		{other + " judged silent after", t.Silent},
		{"coil after", t.Coil},
		{"sense fell after", t.Sense},
		{"proof after", t.Proven},
		{"start after", t.Start},
		{"service up after", t.Up},
		{"first answer after", t.Answer},
	} {
		if p.at != nil {
			parts = append(parts, p.words+" "+words(*p.at))
		}
	}
	text := t.Owner + " runs the service: " + strings.Join(parts, ", ")
	if t.Outage != nil {
		text += "; the client saw an outage of " + words(*t.Outage)
	}
	if t.Proof != "" {
		text += "; the proof: " + t.Proof
	}
	return text
}

func words(ms float64) string {
	switch {
	case ms >= 10_000:
		return fmt.Sprintf("%.1f s", ms/1000)
	case ms >= 100:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f ms", ms)
}
