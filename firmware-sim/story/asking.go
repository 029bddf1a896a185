package story

import (
	"time"

	"github.com/serialhb/serialhb/firmware-sim/rack/client"
	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
	"github.com/serialhb/serialhb/firmware-sim/rack/segment"
)

// startClient starts the client. On loopback it asks each node. On a segment it asks whoever has the service's address,
// each address on its own, and is served only when it is at all.
func (w *lab) startClient() error {
	if w.seg == nil {
		var targets []client.Target
		for _, node := range Nodes {
			addr, err := w.rack.ServiceAddr(node, Service)
			if err != nil {
				return err
			}
			targets = append(targets, client.Target{Node: node, Addr: addr})
		}
		return w.probing(client.Start(clientEvery, targets...))
	}
	var err error
	if w.witness, err = w.seg.Watch(); err != nil {
		return err
	}
	if w.ear, err = w.seg.Listen(); err != nil {
		return err
	}
	for _, a := range w.seg.ServiceAddrs() {
		w.seg.Enter(segment.Client, func() { err = w.probing(client.Start(clientEvery, client.Target{Addr: a.String()})) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *lab) probing(p *client.Probe, err error) error {
	if err == nil {
		w.probes = append(w.probes, p)
	}
	return err
}

// answering is the node that answered the client last, at every address; "" is nobody, or not the same.
func (w *lab) answering(now time.Duration) string {
	node := ""
	for i, p := range w.probes {
		last, ok := p.Last()
		if !ok || now-last.At >= AnswerFresh || i > 0 && last.Node != node {
			return ""
		}
		node = last.Node
	}
	return node
}

// Outage implements [World].
func (w *lab) Outage(begin, end time.Duration) (longest time.Duration, err error) {
	for _, p := range w.probes {
		one, err := p.LongestOutage(begin, end)
		if err != nil {
			return 0, err
		}
		longest = max(longest, one)
	}
	return longest, nil
}

// Answer implements [World]. With several addresses it is when the last of them had its first answer.
func (w *lab) Answer(node string, since time.Duration) (at time.Duration, ok bool, err error) {
	for _, p := range w.probes {
		one, ok, err := firstAnswer(p, node, since)
		if err != nil || !ok {
			return 0, false, err
		}
		at = max(at, one)
	}
	return at, true, nil
}

func firstAnswer(p *client.Probe, node string, since time.Duration) (time.Duration, bool, error) {
	answers, err := p.Answers(since, mono.Now())
	for _, a := range answers {
		if node == "" || a.Node == node {
			return a.At, true, err
		}
	}
	return 0, false, err
}

// lookAtNet asks the kernels.
func (w *lab) lookAtNet() (*NetView, error) {
	holders, err := w.seg.Holders()
	if err != nil {
		return nil, err
	}
	announced, err := w.ear.Heard()
	if err != nil {
		return nil, err
	}
	believed, err := w.seg.Believed()
	return &NetView{Addresses: len(w.seg.Services()), Holders: holders, Believed: believed, Announced: announced}, err
}
