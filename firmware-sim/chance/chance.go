// Package chance writes stories by chance: what may befall a pair, in an order that nobody thought of.
//
// A story stays within the fault hypothesis of serialhb/failover/README.md: wires, boards, hosts, daemons and people
// fail in every way but two. No sense reads off while there is power (a sense that lies is the end of every proof), and
// nobody confirms what is not so. At the end everything is mended, and exactly one node has to run the service.
//
// The same seed writes the same story, in the language of `serialhb lab` for real processes and in that of the simulated
// world for thousands of them.
package chance

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
)

// Dialect says in which language a story is written.
type Dialect int

// The languages.
const (
	Rack  Dialect = iota // firmware-sim/story
	World                // firmware-sim/world/script
)

var nodes = [2]string{"alpha", "bravo"}

// Story writes a story of so many orders. Every line of it can be read by the parser of its language.
func Story(seed uint64, orders int, d Dialect) string {
	p := &pen{rng: rand.New(rand.NewPCG(seed, 0x5e71a1)), dialect: d}
	for i := range p.node {
		p.node[i].up = true
	}
	p.settings()
	p.begin()
	for range orders {
		p.order()
	}
	p.mend()
	p.end()
	return p.text.String()
}

// pen knows what it has done to the pair.
type pen struct {
	rng     *rand.Rand
	text    strings.Builder
	dialect Dialect
	level2  bool
	node    [2]nodeState
	detect  time.Duration
}

type nodeState struct {
	up      bool // it has mains
	frozen  bool
	stopped bool // its daemon was told to leave, or is held dead
	welded  bool
	stuck   bool // its sense
}

func (p *pen) line(format string, a ...any) { fmt.Fprintf(&p.text, format+"\n", a...) }

func (p *pen) pick(words ...string) string { return words[p.rng.IntN(len(words))] }

func (p *pen) settings() {
	p.line("config takeover %s", p.pick("auto", "auto", "auto", "approve"))
	p.line("config failback %s", p.pick("manual", "manual", "off", "auto"))
	if p.level2 = p.rng.IntN(3) == 0; p.level2 {
		p.line("config level2 on")
	}
	p.line("config sense %s", p.pick("fail-safe", "fail-safe", "plain"))
	p.line("config moves 200")
	p.line("config fences 200")
	// The rack's defaults are faster than the world's.
	p.detect = 100 * time.Millisecond
	if p.dialect == World {
		p.detect = 1500 * time.Millisecond
		p.line("config wait-to-restore 10s")
		p.line("config seed %d", p.rng.IntN(1<<30))
	}
}

// begin brings a healthy pair up.
func (p *pen) begin() {
	p.line("start")
	if p.dialect == World {
		p.line("expect owned web within 60s")
		p.line("sleep 5s")
		return
	}
	for _, n := range nodes {
		p.line("expect reachable %s within 10s", n)
	}
	for _, n := range nodes {
		p.line("run %s arm", n)
	}
	p.line("expect owned within 10s")
	p.line("expect linked within 10s")
}

// order writes one order and the time that passes after it.
func (p *pen) order() {
	total := 0
	for _, o := range orders {
		total += o.weight
	}
	for {
		at := p.rng.IntN(total)
		i := 0
		for at >= orders[i].weight {
			at -= orders[i].weight
			i++
		}
		n := p.rng.IntN(2)
		if orders[i].write(p, &p.node[n], nodes[n]) {
			break
		}
	}
	// From at once to some detection times, the short ones as often as the long ones.
	d := time.Duration(float64(p.detect) * 0.02 * math.Pow(400, p.rng.Float64()))
	p.line("sleep %s", d.Round(time.Millisecond))
}
