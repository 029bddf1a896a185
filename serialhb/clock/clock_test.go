package clock

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

const patience = 20 * time.Second

func newAlarm(t *testing.T) *Alarm {
	t.Helper()
	a, err := NewAlarm()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func TestBootCountsOn(t *testing.T) {
	before := Boot()
	if before <= 0 {
		t.Fatalf("booted %s ago", before)
	}
	for range 1000 {
		now := Boot()
		if now < before {
			t.Fatalf("%s after %s", now, before)
		}
		before = now
	}
}

// The kernel tells the time since boot, suspend included, in a file, too.
func TestBootIsTheTimeSinceBoot(t *testing.T) {
	text, err := os.ReadFile("/proc/uptime")
	if err != nil {
		t.Fatal(err)
	}
	seconds, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	if up := time.Duration(seconds * float64(time.Second)); (Boot() - up).Abs() > time.Minute {
		t.Errorf("booted %s ago, and the kernel says %s", Boot(), up)
	}
}

func TestSleepIsNeverTooShort(t *testing.T) {
	a := newAlarm(t)
	for _, d := range []time.Duration{-time.Hour, 0, 1, time.Microsecond, 1700 * time.Microsecond, 20 * time.Millisecond} {
		began := Boot()
		if !a.Sleep(d) {
			t.Fatal("it says that it is closed")
		}
		if slept := Boot() - began; slept < d || slept > d+patience && d >= 0 {
			t.Errorf("slept %s, want %s", slept, d)
		}
	}
}

func TestLaterSettingReplacesTheEarlier(t *testing.T) {
	a := newAlarm(t)
	a.Set(Boot() + time.Hour)
	rang := make(chan time.Duration, 1)
	go func() {
		a.Wait()
		rang <- Boot()
	}()
	want := Boot() + 10*time.Millisecond
	a.Set(want)
	select {
	case at := <-rang:
		if at < want {
			t.Fatalf("rang %s too early", want-at)
		}
	case <-time.After(patience):
		t.Fatal("an alarm that was set anew rings by the old setting")
	}
}

func TestCloseEndsAWait(t *testing.T) {
	a := newAlarm(t)
	ended := make(chan bool)
	go func() { ended <- a.Wait() }()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case rang := <-ended:
		if rang {
			t.Fatal("a closed alarm rang")
		}
	case <-time.After(patience):
		t.Fatal("the wait goes on")
	}
	a.Set(1) // harmless
	if a.Sleep(0) {
		t.Fatal("a closed alarm sleeps")
	}
}
