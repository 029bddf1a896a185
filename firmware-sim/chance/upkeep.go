package chance

import "time"

// reload has a node read another rest of its configuration while its daemon runs, and the old one again.
func reload(d *drawer, n, _ string) []Act {
	lasts := d.long(time.Second, 5*time.Minute)
	return []Act{{0, "edit-config " + n + " rest 9"}, {1, "reload " + n}, {lasts, "edit-config " + n + " rest 7"}, {lasts + 1, "reload " + n}}
}

// rotate changes the key of a running cluster, and changes it back: all accept a key before anybody signs with it, and nobody drops
// one with which the other signs.
func rotate(d *drawer, _, _ string) (acts []Act) {
	at := time.Duration(0)
	for _, keys := range []string{"one two", "two one", "one two", "one"} {
		for _, x := range d.fate.Nodes {
			acts = append(acts, Act{at, "keys " + x + " " + keys}, Act{at + 1, "reload " + x})
			at += d.long(time.Second, time.Minute)
		}
	}
	return acts
}

// upgrade has one node speak a later protocol version for a while, and sometimes the other one follows.
func upgrade(d *drawer, n, o string) []Act {
	lasts := d.long(time.Second, 5*time.Minute)
	acts := []Act{{0, "upgrade " + n}, {lasts, "downgrade " + n}}
	if d.rng.IntN(2) == 0 {
		acts = append(acts, Act{lasts / 2, "upgrade " + o}, Act{lasts + d.long(time.Second, time.Minute), "downgrade " + o})
	}
	return acts
}
