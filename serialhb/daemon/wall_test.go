package daemon

import (
	"testing"
	"time"
)

// The wall clock stands still here, while the boot-time clock runs: so a clock looks that was set back by what went by.
func TestAlarmsAreDatedByTheClockOfNow(t *testing.T) {
	d, _, clock := newTurns()
	look := func(at time.Duration) {
		clock.Store(int64(at))
		wrong := map[string]string{"echo cable": "own pulses come back"}
		d.compareAlarms(at, wrong)
	}
	look(10 * time.Second)
	look(11 * time.Second) // told at the second look
	look(3 * time.Hour)
	wall := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	all := d.alarmsNow(4*time.Hour, wall)
	if len(all) != 1 || !all[0].Since.Equal(wall.Add(11*time.Second-4*time.Hour)) || !all[0].Last.Equal(wall.Add(-time.Hour)) {
		t.Errorf("%+v", all)
	}
	// What it is about was last seen three hours after boot.
	d.compareAlarms(3*time.Hour+strangersStay-1, nil)
	if len(d.alarms) != 1 {
		t.Error("it is over too soon")
	}
	d.compareAlarms(3*time.Hour+strangersStay, nil)
	if len(d.alarms) != 0 {
		t.Error("it stays")
	}
}

func TestTheBeginningIsDatedByTheClockOfNow(t *testing.T) {
	d, _, clock := newTurns()
	d.o.BootID = "this"
	clock.Store(int64(5 * time.Hour))
	long := time.Date(1970, 1, 1, 0, 0, 7, 0, time.UTC) // before anybody had told the host the time
	at := d.wallOf(Record{Boot: "this", MonoNS: int64(2 * time.Hour), Wall: long})
	if age := time.Since(at); age < 3*time.Hour || age > 3*time.Hour+time.Minute {
		t.Errorf("%s ago", age)
	}
	if at := d.wallOf(Record{Boot: "another", MonoNS: int64(2 * time.Hour), Wall: long}); !at.Equal(long) {
		t.Errorf("a line of another boot is put at %s", at)
	}
}
