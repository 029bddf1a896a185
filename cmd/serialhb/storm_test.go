package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"net"
	"regexp"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/control"
)

// Thousands of datagrams a second that are no frames, or of somebody else: they are counted, and the pulses go out.
func TestStormOfDatagramsDelaysNoPulse(t *testing.T) {
	p := newProcess(t)
	var log bytes.Buffer
	p.start(&log)
	p.up()
	to, err := net.Dial("udp", regexp.MustCompile(`alpha = "(127.0.0.1:\d+)"`).FindStringSubmatch(p.text)[1])
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	before := p.record()
	stop, sent := make(chan struct{}), make(chan int)
	go func() {
		n, junk := 0, make([]byte, 48)
		for {
			select {
			case <-stop:
				sent <- n
				return
			case <-time.After(time.Millisecond):
			}
			for range 20 {
				rand.Read(junk)
				if _, err := to.Write(junk); err == nil { // a refused one says that the daemon has gone
					n++
				}
			}
		}
	}()
	for i := range 30 { // three seconds of them
		if err := p.pulse(time.Second); err != nil { // ten times the interval, for busy machines
			t.Errorf("pulse %d: %v", i, err)
			break
		}
	}
	close(stop)
	n := <-sent
	if got := p.record() - before; got > 60 || n < 5_000 {
		t.Errorf("%d lines for %d datagrams", got, n)
	}
	p.cmd.Process.Kill()
	<-p.ended
	if got := bytes.Count(log.Bytes(), []byte("\n")); got > 100 {
		t.Errorf("%d log lines", got)
	}
}

// record is how many lines the daemon's record has.
func (p *process) record() (n int) {
	p.t.Helper()
	if err := p.ask.Events(context.Background(), 0, func(control.Event) error { n++; return nil }); err != nil {
		p.t.Fatal(err)
	}
	return n
}
