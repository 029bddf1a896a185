package daemon_test

import (
	"strings"
	"testing"

	"github.com/serialhb/serialhb/serialhb/control"
)

// Whoever changed a mode is told what holds now, and how to end it.
func TestEachModeIsAnsweredWithWhatHoldsNow(t *testing.T) {
	inBubble(t, func(r *rig) {
		r.alphaOwns()
		for _, x := range [][2]string{
			{"disarm", "until `serialhb arm`"}, {"arm", "may cut the power of others"},
			{"maintenance-on", "until `serialhb maintenance off`"}, {"maintenance-off", "acts by itself again"},
			{"standby-on", "until `serialhb standby off`"}, {"standby-off", "takes over again"}, {"clear", "cleared"},
		} {
			if res := r.nodes[0].ask(control.Request{Command: x[0]}); !res.OK || !strings.Contains(res.Text, x[1]) {
				t.Errorf("%s: %+v", x[0], res)
			}
		}
		for _, e := range r.nodes[0].d.Events(0) {
			for _, line := range e.Evidence {
				if strings.Contains(line, "sense 0") {
					t.Errorf("evidence numbers a sense that has a name: %q", line)
				}
			}
		}
	})
}
