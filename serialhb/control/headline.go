package control

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Headline is the one line that says what matters most.
func Headline(s Status) string {
	if all := conditions(s); len(all) > 0 {
		return plain(all[0])
	}
	if len(s.Alarms) > 0 {
		return plain("ALARM: " + s.Alarms[0].Text)
	}
	return plain("all well: " + roles(s))
}

// IsWell says whether there is nothing that a person should look at.
func IsWell(s Status) bool { return len(conditions(s)) == 0 && len(s.Alarms) == 0 }

// conditions are all that is not as it should be, apart from the alarms, the most important first.
func conditions(s Status) []string {
	var all []string
	for _, part := range [...]func(Status) []string{questions, twoOwners, failures, modes, absences, outages, unable, brokenLinks, noisyLinks} {
		all = append(all, part(s)...)
	}
	if len(all) == 0 && s.Incident != nil && s.Incident.Open {
		all = append(all, fmt.Sprintf("INCIDENT %d is open; `serialhb why` tells it", s.Incident.ID))
	}
	return all
}

func questions(s Status) []string {
	i := s.Incident
	switch {
	case i == nil || !i.Open:
		return nil
	case i.Denied:
		return []string{fmt.Sprintf("DENIED: incident %d stays as it is; `serialhb approve %d` changes that", i.ID, i.ID)}
	case i.Asks:
		return []string{fmt.Sprintf("A PERSON MUST DECIDE: `serialhb approve %d` or `serialhb deny %d`", i.ID, i.ID)}
	}
	return nil
}

func twoOwners(s Status) (all []string) {
	for _, g := range s.Groups {
		if g.Frozen {
			all = append(all, fmt.Sprintf("TWO OWNERS of %s: run `serialhb standby on` on one of them", g.Name))
		}
	}
	return all
}

func failures(s Status) (all []string) {
	for _, m := range s.Members {
		switch m.Fence {
		case "failed":
			all = append(all, fmt.Sprintf("FENCE FAILED: see that %s is off, then `serialhb confirm-off %s`", m.Name, m.Name))
		case "delayed", "saving", "running", "opening":
			all = append(all, fmt.Sprintf("FENCING: the power of %s is being cut", m.Name))
		}
	}
	for _, g := range s.Groups {
		switch g.Phase {
		case "blocked":
			all = append(all, fmt.Sprintf("BLOCKED: %s stays down; `serialhb why` says why", g.Name))
		case "failed":
			all = append(all, fmt.Sprintf("FAILED: mend %s on this node, then `serialhb clear`", g.Name))
		}
	}
	for _, g := range s.Groups {
		for _, name := range slices.Sorted(maps.Keys(g.Peers)) {
			switch g.Peers[name] {
			case "blocked":
				all = append(all, fmt.Sprintf("BLOCKED on %s: %s stays down there; `serialhb why` there says why", name, g.Name))
			case "failed":
				all = append(all, fmt.Sprintf("FAILED on %s: mend %s there, then `serialhb clear` there", name, g.Name))
			}
		}
	}
	if s.FenceMe {
		all = append(all, "STOP FAILED: this node asks to be cut off; stop it by hand, `serialhb clear`")
	}
	return all
}

func modes(s Status) (all []string) {
	if s.LockedOut {
		all = append(all, fmt.Sprintf("LOCKED OUT after %d of %d moves, %d of %d fences; look, then `serialhb clear`", s.Moves, s.MaxMoves, s.Fences, s.MaxFences))
	}
	if !s.Armed {
		all = append(all, "DISARMED: this node drives no relay; `serialhb arm` arms it")
	}
	if s.Leaving {
		all = append(all, "LEAVING: this node hands over and stops")
	}
	if s.Maintenance {
		all = append(all, "MAINTENANCE: nothing happens by itself; `serialhb maintenance off` ends it")
	}
	if s.Standby {
		all = append(all, "STANDBY MODE: this node takes nothing; `serialhb standby off` ends it")
	}
	for _, m := range s.Members {
		if m.Me || m.Presence != "heard" {
			continue
		}
		switch {
		case m.Mode == "standby":
			all = append(all, fmt.Sprintf("STANDBY MODE: %s takes nothing; `serialhb standby off` there ends it", m.Name))
		case m.Mode == "maintenance":
			all = append(all, fmt.Sprintf("MAINTENANCE: %s; `serialhb maintenance off` there ends it", m.Name))
		case m.Mode != "":
			all = append(all, strings.ToUpper(m.Mode)+": "+m.Name)
		}
		if !m.Armed {
			all = append(all, fmt.Sprintf("DISARMED: %s drives no relay; run `serialhb arm` there", m.Name))
		}
	}
	return all
}

func absences(s Status) (all []string) {
	for _, m := range s.Members {
		if m.Me {
			continue
		}
		switch m.Presence {
		case "heard":
			if !m.DigestsOK {
				all = append(all, fmt.Sprintf("CONFIGURATIONS DIFFER: make those of %s and %s agree; reload both", s.Node, m.Name))
			}
		case "silent":
			more := "; look whether it runs"
			if m.Proof != "" {
				more = " and proven off"
			}
			all = append(all, fmt.Sprintf("SILENT: %s is heard on no link%s", m.Name, more))
		case "left":
			all = append(all, fmt.Sprintf("AWAY: %s has left in order; start its daemon when it is wanted", m.Name))
		case "withdrawn":
			all = append(all, fmt.Sprintf("AWAY: %s is withdrawn for repair until it is heard again", m.Name))
		default:
			all = append(all, fmt.Sprintf("WAITING: %s is not judged yet; the daemon has just started", m.Name))
		}
	}
	return all
}

// unable leaves out those whose mode says it already.
func unable(s Status) (all []string) {
	for _, m := range s.Members {
		for _, g := range s.Groups {
			if g.Peers[m.Name] == "ineligible" && m.Mode == "" && m.Armed && slices.Contains(g.Prefer, m.Name) {
				all = append(all, fmt.Sprintf("CANNOT TAKE OVER: %s is not fit for %s; `serialhb why` there says why", m.Name, g.Name))
			}
		}
	}
	return all
}

func outages(s Status) (all []string) {
	for _, g := range s.Groups {
		switch g.Phase {
		case "requesting", "awaiting-approval", "fencing", "starting", "stopping":
			all = append(all, fmt.Sprintf("IN MOTION: %s is %s here", g.Name, strings.ReplaceAll(g.Phase, "-", " ")))
			continue
		}
		if g.Owner == "" {
			all = append(all, fmt.Sprintf("DOWN: no node that is heard has %s; `serialhb why` says why", g.Name))
		}
	}
	for _, m := range s.Members {
		if s.Armed && !m.Me && !m.CanFence && m.Fence != "failed" && (m.Presence == "heard" || m.Presence == "silent" && m.Proof == "") {
			all = append(all, fmt.Sprintf("CANNOT FENCE %s: %s", m.Name, m.WhyNot))
		}
	}
	return all
}

// brokenLinks leaves out the silence of links to a member that is heard on none, which is one thing and not several.
func brokenLinks(s Status) (all []string) {
	heard := map[string]bool{}
	for _, m := range s.Members {
		heard[m.Name] = m.Presence == "heard"
	}
	for _, l := range s.Links {
		hears := l.Receives == "ok" || l.Receives == "late"
		isHeard := l.Sends != "down" && l.Sends != "never"
		if !l.Up || heard[l.Peer] && (!hears || !isHeard) {
			all = append(all, "LINK DOWN: "+linkWords(l))
		}
	}
	return all
}

// muchLost is the share of lost pulses from which on noise is somebody's trouble.
const muchLost = 0.05

func noisyLinks(s Status) (all []string) {
	for _, l := range s.Links {
		if l.Up && l.Noisy && l.Lost >= muchLost {
			all = append(all, fmt.Sprintf("NOISY: %s loses %.0f%% of pulses; look at its shield, ground and length", l.Name, 100*l.Lost))
		}
	}
	return all
}

// roles says who owns what, and who stands by.
func roles(s Status) string {
	var words []string
	busy := map[string]bool{}
	for _, g := range s.Groups {
		words = append(words, g.Owner+" owns "+g.Name)
		busy[g.Owner] = true
	}
	var free []string
	for _, m := range s.Members {
		if !busy[m.Name] {
			free = append(free, m.Name)
		}
	}
	switch len(free) {
	case 0:
	case 1:
		words = append(words, free[0]+" stands by")
	default:
		words = append(words, list(free)+" stand by")
	}
	return strings.Join(words, ", ")
}
