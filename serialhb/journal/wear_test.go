package journal

import (
	"testing"
	"testing/synctest"
	"time"
)

// What a day costs the flash: nothing when nothing happens, a page now and then on a quiet day, and never more than a
// sync in five seconds and one for each new file, however much happens.
func TestWearOfADay(t *testing.T) {
	for name, c := range map[string]struct {
		every     time.Duration
		records   int
		syncs     uint64
		bytesEach uint64
	}{
		"nothing happens": {24 * time.Hour, 0, 0, 0},
		"one in an hour":  {time.Hour, 24, 24 + 1, 260},
		"one in a second": {time.Second, 3600, 3600/5 + 3, 260},
		"ten in a second": {100 * time.Millisecond, 6000, 600/5 + 4, 260},
	} {
		t.Run(name, func(t *testing.T) {
			root := memoryDir(t)
			synctest.Test(t, func(t *testing.T) {
				l, err := openLog(LogConfig{RunDir: root + "/run", StateDir: root + "/state", BootID: bootA}, realFiles{})
				if err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				for n := range c.records {
					time.Sleep(c.every)
					if _, err := l.Append("link-late", entry{n, "cable: no pulse for 310 ms"}); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(24 * time.Hour)
				s := l.Stats()
				if s.Carried != s.Last || s.Err != nil {
					t.Errorf("%+v", s)
				}
				t.Logf("%d records: %d bytes, %d syncs", c.records, s.Bytes, s.Syncs)
				if s.Syncs > c.syncs || s.Bytes > uint64(c.records)*c.bytesEach {
					t.Errorf("%d syncs, %d bytes", s.Syncs, s.Bytes)
				}
				if err := l.Close(t.Context()); err != nil {
					t.Error(err)
				}
				if after := l.Stats(); after.Syncs != s.Syncs {
					t.Errorf("closing wrote once more: %+v", after)
				}
			})
		})
	}
}
