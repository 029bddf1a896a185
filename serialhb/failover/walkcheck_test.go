package failover

import (
	"fmt"
	"slices"
	"testing"

	"github.com/serialhb/serialhb/serialhb/pulse"
)

// What a walk demands at every step.

// agrees keeps who was silent, or asked to be cut, when a person approved, and is or does so since.
func (w *walk) agrees(i uint8, before *State, e Event, m *machine) {
	h := w.hosts[i]
	if before.Incident.ID != h.s.Incident.ID {
		h.agreed = [MaxMembers]bool{}
	}
	approved := e.Kind == Commanded && e.Command.Kind == CmdApprove && slices.ContainsFunc(m.out, func(a Action) bool { return a.Kind == Reply && a.OK })
	for p := range w.n {
		lives := slices.ContainsFunc(m.out, func(a Action) bool { return a.Kind == Alive && a.Peer == p }) && !m.fenceMe(p)
		h.agreed[p] = h.agreed[p] && !lives
		if approved && m.cuttable(p) {
			h.agreed[p] = true
		}
	}
}

// mayCut is what has to be so before a member cuts another one by itself (rules 9 to 12).
func (w *walk) mayCut(i uint8, a Action) {
	s, p := &w.hosts[i].s, a.Peer
	m := machine{c: &w.hosts[i].cfg, s: s}
	switch {
	case a.Kind == Cut && !s.Peers[p].Seen:
		w.bad = fmt.Errorf("%d cuts %d, which it never saw", i, p)
	case s.Peers[p].Presence == Present && !m.fenceMe(p):
		w.bad = fmt.Errorf("%d cuts %d, which it hears", i, p)
	case s.Maintenance:
		w.bad = fmt.Errorf("%d cuts %d in maintenance", i, p)
	case w.mode == Approve && !w.hosts[i].agreed[p]:
		w.bad = fmt.Errorf("%d cuts %d, and nobody approved", i, p)
	}
}

// check is the physical truth.
func (w *walk) check() error {
	if w.bad != nil {
		return w.bad
	}
	for i, h := range w.hosts { // or a rule moved what settle does not look at
		if beyond := [...]bool{h.s.Peers[w.n] != Peer{}, h.s.Groups[w.g] != Group{}}; beyond != [2]bool{} {
			return fmt.Errorf("%d knows of a member or a group that there is not", i)
		}
	}
	for g := range w.g {
		owners := 0
		for _, h := range w.hosts {
			if h.powered && h.runs[g] {
				owners++
			}
		}
		if owners > 1 {
			return fmt.Errorf("group %d runs on %d hosts", g, owners)
		}
		holders := 0
		for _, h := range w.hosts {
			if h.powered && h.daemon && h.s.Groups[g].Holds == pulse.HoldsYes {
				holders++
			}
		}
		if holders > 1 {
			return fmt.Errorf("group %d is held by %d members", g, holders)
		}
	}
	return nil
}

func TestNeverTwoOwnersOnRandomWalks(t *testing.T) {
	walks, steps := 1500, 3000
	if testing.Short() {
		walks = 200
	}
	total, rounds := map[string]int{}, 0
	for seed := range uint64(walks) {
		n, g := uint8(2+seed%2), uint8(1+seed/2%2)
		w := newWalk(seed, n, g)
		for i := range steps {
			w.move()
			if err := w.check(); err != nil {
				for _, l := range w.trace {
					t.Log(l)
				}
				t.Fatalf("seed %d, %d members, %d groups, step %d: %v", seed, n, g, i, err)
			}
		}
		rounds = max(rounds, w.rounds)
		for k, v := range w.count {
			total[k] += v
		}
	}
	if rounds > settleRounds/2 {
		t.Errorf("the rules took %d rounds to come to rest: fewer than twice as many are allowed", rounds)
	}
	if testing.Short() {
		return // too few to have seen everything
	}
	for _, must := range []string{"start", "proven-off", "granted", "released", "releasing", "left", "blocked", "question", "approved",
		"approval-expired", "adopted-now", "fence-me-now", "confirmed", "withdrawn", "withdrawal-ended", "incident-closed", "fence-called-off",
		"gave-way", "stray-now", "standstill", "start-failed", "restored", "exit", "leave-waits"} {
		if must != "released" && total[must] == 0 {
			t.Errorf("no walk ever reached %q", must)
		}
	}
	t.Log(total, "rounds", rounds)
}
