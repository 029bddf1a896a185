package client

import (
	"errors"
	"time"
)

func (p *Probe) note(a Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last, ok := p.other(a.Node); ok && a.At-last < window && len(p.overlaps) < memory {
		p.overlaps = append(p.overlaps, a.At)
	}
	if len(p.answers) < memory {
		p.answers = append(p.answers, a)
		return
	}
	p.answers[p.next] = a
	p.next = (p.next + 1) % memory
}

// other finds the latest answer of another node among the few that can matter.
func (p *Probe) other(node string) (time.Duration, bool) {
	for i := range min(len(p.answers), 8) {
		a := p.answers[(p.next+len(p.answers)-1-i)%len(p.answers)]
		if a.Node != node {
			return a.At, true
		}
	}
	return 0, false
}

// ErrForgotten says that a period begins before the oldest answer that is still kept.
var ErrForgotten = errors.New("client: the period begins before the oldest answer kept: ask for a shorter one")

// Answers returns the answers from begin up to end, in order of arrival. Both are CLOCK_MONOTONIC.
func (p *Probe) Answers(begin, end time.Duration) ([]Answer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.answers) == memory && p.answers[p.next].At > begin {
		return nil, ErrForgotten
	}
	var found []Answer
	for i := range p.answers {
		if a := p.answers[(p.next+i)%len(p.answers)]; a.At >= begin && a.At < end {
			found = append(found, a)
		}
	}
	return found, nil
}

// LongestOutage is the longest time without an answer from anybody between begin and end, the edges included: a period
// without any answer is one outage. A period that reaches back before Start counts from Start.
func (p *Probe) LongestOutage(begin, end time.Duration) (time.Duration, error) {
	begin = max(begin, p.start)
	answers, err := p.Answers(begin, end)
	if err != nil {
		return 0, err
	}
	var longest time.Duration
	last := begin
	for _, a := range answers {
		longest = max(longest, a.At-last)
		last = max(last, a.At)
	}
	return max(longest, end-last), nil
}

// Last is the latest answer, if there was any.
func (p *Probe) Last() (Answer, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.answers) == 0 {
		return Answer{}, false
	}
	return p.answers[(p.next+len(p.answers)-1)%len(p.answers)], true
}

// Overlaps returns the times at which a node answered within a millisecond of another.
func (p *Probe) Overlaps() []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]time.Duration(nil), p.overlaps...)
}
