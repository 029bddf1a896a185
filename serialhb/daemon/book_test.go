package daemon

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

// slowRecord takes its time, and hangs while its gate is closed.
type slowRecord struct {
	mu    sync.Mutex
	gate  chan struct{} // nil is open
	takes time.Duration
	got   []Record
}

func (s *slowRecord) Append(_ string, v any) (uint64, error) {
	s.mu.Lock()
	gate, takes := s.gate, s.takes
	s.mu.Unlock()
	if gate != nil {
		<-gate
	}
	time.Sleep(takes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, v.(Record))
	return uint64(len(s.got)), nil
}

func (s *slowRecord) Behind() error { return nil }

func (s *slowRecord) set(gate chan struct{}, takes time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gate, s.takes = gate, takes
}

// has is what was written so far.
func (s *slowRecord) has() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

// withBook runs a book in a bubble.
func withBook(t *testing.T, s *slowRecord, f func(b *book)) {
	synctest.Test(t, func(*testing.T) {
		began := time.Now()
		b := newBook(Options{Record: s, Log: zerolog.Nop(), Clock: func() time.Duration { return time.Since(began) }})
		go b.run()
		f(b)
		b.end()
	})
}

func command(n int) Record { return Record{Kind: "command", Code: "c", Text: fmt.Sprint(n)} }
func deed(n int) *Record   { return &Record{Kind: "action", Code: "d", Text: fmt.Sprint(n)} }

// While the record hangs only so much is kept for it: news gives way to deeds. What is lost is told in its place, the rest
// is written once and in order.
func TestWhatAHangingRecordMissesIsBounded(t *testing.T) {
	s := &slowRecord{}
	withBook(t, s, func(b *book) {
		gate := make(chan struct{})
		s.set(gate, 0)
		const all = 5000
		for n := range all {
			b.put(command(n))
		}
		began := time.Now()
		for n := range deedsMost + 10 {
			b.act(deed(n))
		}
		if took := time.Since(began); took != recordWait {
			t.Errorf("%d deeds waited %v, want %v in all", deedsMost+10, took, recordWait)
		}
		if got := len(b.waiting); got > linesMost+deedsMost+2 {
			t.Errorf("%d lines wait", got)
		}
		b.put(Record{Kind: "alarm", Code: "a"})
		if lines, _ := b.since(0); lines[len(lines)-1].Code != "a" {
			t.Error("people are not shown what found no room")
		}
		close(gate)
		synctest.Wait()
		b.put(command(all))
		synctest.Wait()
		var lost, commands, deeds int
		got := s.has()
		for i, r := range got {
			var n int
			switch r.Code {
			case "lines-lost":
				fmt.Sscan(r.Text, &n)
				lost += n
				continue
			case "c":
				commands++
			case "d":
				deeds++
			default:
				continue
			}
			if i > 0 && got[i-1].Code == r.Code && got[i-1].Text == r.Text {
				t.Errorf("line %d again: %s", i, r.Text)
			}
		}
		if commands+deeds+lost != all+2+deedsMost+10 {
			t.Errorf("%d commands and %d deeds written, %d lines told as lost, of %d", commands, deeds, lost, all+2+deedsMost+10)
		}
		if deeds < deedsMost-2 {
			t.Errorf("%d deeds written: others took their room", deeds)
		}
		if !slices.IsSortedFunc(got, func(a, b Record) int { return int(a.MonoNS - b.MonoNS) }) {
			t.Error("the record is out of order")
		}
		if last := got[len(got)-1]; last.Text != fmt.Sprint(all) {
			t.Errorf("the last line is %+v", last)
		}
		if lines, _ := b.since(0); len(lines) == 0 || lines[len(lines)-1].Text != fmt.Sprint(all) {
			t.Error("the last line is not shown")
		}
	})
}

// Whoever was slow is waited for again after a quick answer. One that stays slow does not keep itself busy with what is to
// be said about that.
func TestASlowRecordIsTrustedAgain(t *testing.T) {
	s := &slowRecord{takes: time.Second}
	withBook(t, s, func(b *book) {
		b.act(deed(1))
		for range 60 * 60 * 5 { // as the alarms do it, five times a second
			time.Sleep(200 * time.Millisecond)
			b.trouble()
		}
		if n := len(s.has()); n > 30 {
			t.Errorf("%d lines in an hour in which nothing happened", n)
		}
		s.set(nil, 0)
		b.put(command(1))
		synctest.Wait()
		if err := b.trouble(); err != nil {
			t.Errorf("after a quick answer: %v", err)
		}
		s.set(nil, recordWait-1)
		b.act(deed(2))
		if got := s.has(); got[len(got)-1].Text != "2" {
			t.Errorf("the deed did not wait for its line: the last one is %+v", got[len(got)-1])
		}
	})
	s = &slowRecord{takes: time.Second}
	withBook(t, s, func(b *book) {
		b.act(deed(1))
		time.Sleep(10 * time.Second)
		if b.trouble() == nil {
			t.Error("nothing was quick, and it is trusted")
		}
		s.set(nil, 0)
		time.Sleep(trustAgain + 2*behindEvery)
		if b.trouble() != nil {
			t.Error("nothing new comes, and it is not trusted for ever")
		}
	})
}

func TestTheEndWritesWhatIsLeft(t *testing.T) {
	s := &slowRecord{takes: 10 * time.Millisecond}
	withBook(t, s, func(b *book) {
		for n := range 100 {
			b.put(command(n))
		}
		if b.left() < 90 {
			t.Errorf("%d lines are left", b.left())
		}
	})
	if n := len(s.has()); n != 100 {
		t.Errorf("the record has %d lines of 100", n)
	}
}

// What people see while the record hangs is what it has afterwards, under the same numbers.
func TestWhatIsShownEarlyIsWhatIsWritten(t *testing.T) {
	s := &slowRecord{}
	withBook(t, s, func(b *book) {
		b.put(command(0))
		synctest.Wait()
		gate := make(chan struct{})
		s.set(gate, 0)
		b.put(command(1))
		b.act(deed(1))
		b.put(command(2))
		before, _ := b.since(0)
		if len(before) != 5 || len(s.has()) != 1 {
			t.Errorf("%d lines are shown, and %d written", len(before), len(s.has()))
		}
		close(gate)
		synctest.Wait()
		b.put(command(3))
		synctest.Wait()
		after, _ := b.since(0)
		got := s.has()
		if len(after) != len(got) || len(after) != 7 {
			t.Fatalf("%d lines are shown, and %d written", len(after), len(got))
		}
		for i, r := range after {
			if r.Seq != uint64(i+1) || r.Code != got[i].Code || r.Text != got[i].Text || i < len(before) && before[i].Seq != r.Seq {
				t.Errorf("line %d: shown %+v, written %+v", i+1, r, got[i])
			}
		}
	})
}
