package main

import (
	"context"
	"testing"

	"github.com/serialhb/serialhb/serialhb/control"
)

// A restart is done when a new daemon answers, not when the old one agreed.
func TestRestartWaitsForTheNewDaemon(t *testing.T) {
	p := newPair()
	p.status.Session = "00000001"
	p.looked = func(n int) {
		if n == 5 {
			p.status.Session = "00000002"
		}
	}
	socket, _ := p.up(t)
	expect(t, &person{}, exitDone, "restart: done\nthe daemon is back after 0.", "", "restart", "--socket", socket)
	if p.looks() != 5 {
		t.Errorf("it looked %d times, want 5", p.looks())
	}
}

func TestRestartThatDoesNotComeBack(t *testing.T) {
	p := newPair()
	socket, down := p.up(t)
	p.looked = func(n int) {
		if n == 3 {
			go down()
		}
	}
	expect(t, &person{}, exitNoDaemon, "", "nobody has started it again for 1s; start it now", "restart", "--timeout", "1s", "--socket", socket)

	p = newPair()
	socket, _ = p.up(t)
	expect(t, &person{}, exitTimedOut, "", "the daemon still runs 300ms after it agreed to restart", "restart", "--timeout", "300ms", "--socket", socket)
}

func TestRestartThatIsRefusedIsNotWaitedFor(t *testing.T) {
	p := newPair()
	p.answer = func(control.Request) control.Result {
		return control.Result{Exit: exitNotNow, Text: "web is being moved"}
	}
	socket, _ := p.up(t)
	expect(t, &person{}, exitNotNow, "", "web is being moved", "restart", "--socket", socket)
	if p.looks() != 1 {
		t.Errorf("it looked %d times, want 1", p.looks())
	}
}

func TestRestartThatNobodyWaitsFor(t *testing.T) {
	p := newPair()
	socket, _ := p.up(t)
	ctx, interrupt := context.WithCancel(context.Background())
	p.looked = func(n int) {
		if n == 3 {
			interrupt()
		}
	}
	expect(t, &person{ctx: ctx}, exitRefused, "", "the restart goes on", "restart", "--socket", socket)
}

// Whoever leaves while the run directory cannot be written is told that the peer will cut.
func TestLeaveWithoutAGoodbyeIsNoSuccess(t *testing.T) {
	p := newPair()
	p.status.Alarms = []control.Alarm{{Code: "save-failed", Text: "the run directory cannot be written"}}
	socket, down := p.up(t)
	p.looked = func(n int) {
		if n == 3 {
			go down()
		}
	}
	expect(t, &person{}, exitRefused, "", "ended without a goodbye", "leave", "--wait", "--socket", socket)
}
