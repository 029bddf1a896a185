package main

import (
	"fmt"
	"time"
)

// The pair, everywhere. Alpha owns the service when a scenario begins.
const (
	owner   = "alpha"
	standby = "bravo"
)

// kind is a misfortune.
type kind int

const (
	powerCut kind = iota
	noise
	ownerMute   // what the owner sends does not arrive
	standbyMute // what the standby sends does not arrive
	freezeStandby
	freezeOwner
)

// scenario is a misfortune, how long it lasts, and how long the pair is watched after it.
type scenario struct {
	name, title string
	kind        kind
	rate        float64       // of noise, bytes per second and direction
	lasts       time.Duration // 0: it does not end
	after       time.Duration
	needed      int // starts of the service that the misfortune asks for; each further one was needless
}

// after is how long a pair may take to be itself again. A pair that is not, by then, shows as time without service.
const after = 45 * time.Second

var scenarios = []scenario{
	{name: "power", title: "owner loses power", kind: powerCut, after: 20 * time.Second, needed: 1},
	hiss(5), hiss(50), hiss(500),
	{name: "mute-owner", title: "one way cut for 20 s: standby deaf", kind: ownerMute, lasts: 20 * time.Second, after: after},
	{name: "mute-standby", title: "one way cut for 20 s: owner deaf", kind: standbyMute, lasts: 20 * time.Second, after: after},
	{name: "freeze-standby", title: "standby frozen for 10 s", kind: freezeStandby, lasts: 10 * time.Second, after: after},
	{name: "freeze-owner", title: "owner frozen for 10 s", kind: freezeOwner, lasts: 10 * time.Second, after: after, needed: 1},
}

func hiss(rate float64) scenario {
	return scenario{
		name: fmt.Sprintf("noise-%.0f", rate), title: fmt.Sprintf("noise for 30 s: %.0f bytes/s each way", rate),
		kind: noise, rate: rate, lasts: 30 * time.Second, after: after,
	}
}

func scenarioNames() (names []string) {
	for _, s := range scenarios {
		names = append(names, s.name)
	}
	return names
}

// absent lists when a node could not run anything, in a scenario that began at since, on the way to until.
func (s scenario) absent(since, ended, until time.Duration) []span {
	switch s.kind {
	case powerCut:
		return []span{{owner, since, until}}
	case freezeOwner:
		return []span{{owner, since, ended}}
	case freezeStandby:
		return []span{{standby, since, ended}}
	}
	return nil
}
