package link

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/serialhb/serialhb/serialhb/pulse"
	"golang.org/x/sys/unix"
)

func TestSerialBothWays(t *testing.T) {
	mustJoin(t)
	da, db := newDevice(t), newDevice(t)
	cable(t, da, db)
	ra, rb := newRecorder(), newRecorder()
	a, b := newSerial(t, serialConfig(t, da, ra)), newSerial(t, serialConfig(t, db, rb))
	run(t, a)
	run(t, b)
	ra.mustUp(t)
	rb.mustUp(t)
	k := ring(t, "c", "key")
	for seq := uint32(1); seq <= 50; seq++ {
		a.Send(1, pulseFrame(k, 0, 1, 7, seq))
		b.Send(0, pulseFrame(k, 1, 0, 8, seq))
		for r, from := range map[*recorder]uint8{ra: 1, rb: 0} {
			h := next(t, r.frames, "frame")
			p := h.frame.Pulse
			if h.verdict != pulse.Good || h.link != 3 || p.From != from || p.Seq != seq || h.at < time.Hour {
				t.Fatalf("heard %v from %d seq %d at %s on %d, want seq %d", h.verdict, p.From, p.Seq, h.at, h.link, seq)
			}
		}
	}
	eventually(t, "all are counted", func() bool { return a.Counters().Out.Sent == 50 })
	c := b.Counters()
	if c.In.Frames != 50 || c.In.Lost != 0 || c.In.Replays != 0 || c.In.NoiseBytes != 0 || c.In.Bytes != 50*uint64(pulse.LineBytes(1)) {
		t.Fatalf("counters %+v", c.In)
	}
	if c.Line != nil {
		t.Fatalf("a pty counts %+v", c.Line)
	}
	if ra.twice || rb.twice {
		t.Fatal("a sink was called from two goroutines at once")
	}
}

func TestSerialUnplugAndReplug(t *testing.T) {
	mustJoin(t)
	d, r := newDevice(t), newRecorder()
	l := newSerial(t, serialConfig(t, d, r))
	run(t, l)
	k := ring(t, "c", "key")
	r.mustUp(t)
	for round := range uint32(3) {
		d.write(online(pulseFrame(k, 0, 1, 7, round+1)))
		if h := next(t, r.frames, "frame"); h.frame.Pulse.Seq != round+1 {
			t.Fatalf("seq %d", h.frame.Pulse.Seq)
		}
		d.unplug()
		r.mustDown(t, "read "+d.name, "the device is gone; plug it in again")
		r.mustDown(t, "open "+d.name, "no such file", "plug it in")
		if l.Pending() != 0 {
			t.Fatal("bytes pend on a port that is gone")
		}
		// Made while nothing could carry it: too old once something can.
		l.Send(1, pulseFrame(k, 1, 0, 8, round+1))
		d.plug()
		r.mustUp(t)
	}
	c := l.Counters()
	if c.Reopens != 3 || c.Out.DroppedStale != 3 || c.Out.Sent != 0 {
		t.Fatalf("counters %+v", c)
	}
}

func TestSerialFlushesWhatWaitedWhileClosed(t *testing.T) {
	d, r := newDevice(t), newRecorder()
	// Somebody else holds the slave, or the pty would keep nothing.
	other, err := os.OpenFile(d.name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	k := ring(t, "c", "key")
	makeRaw(t, other)
	d.write(online(pulseFrame(k, 0, 1, 7, 1)))
	eventually(t, "the old pulse waits", func() bool {
		n, err := unix.IoctlGetInt(int(other.Fd()), unix.TIOCINQ)
		return err == nil && n == pulse.LineBytes(1)
	})
	run(t, newSerial(t, serialConfig(t, d, r)))
	r.mustUp(t)
	d.write(online(pulseFrame(k, 0, 1, 7, 2)))
	if h := next(t, r.frames, "frame"); h.frame.Pulse.Seq != 2 {
		t.Fatalf("heard seq %d, verdict %v", h.frame.Pulse.Seq, h.verdict)
	}
}

func makeRaw(t *testing.T, f *os.File) {
	t.Helper()
	tio, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	tio.Lflag, tio.Iflag, tio.Oflag = 0, 0, 0
	if err := unix.IoctlSetTermios(int(f.Fd()), unix.TCSETS, tio); err != nil {
		t.Fatal(err)
	}
}

func TestSerialBusy(t *testing.T) {
	mustJoin(t)
	d := newDevice(t)
	r1, r2 := newRecorder(), newRecorder()
	stop := run(t, newSerial(t, serialConfig(t, d, r1)))
	r1.mustUp(t)
	run(t, newSerial(t, serialConfig(t, d, r2)))
	s := r2.mustDown(t, "in use by another link of this program", "give this link another port")
	if !strings.HasPrefix(s.Reason, "link: open "+d.name) {
		t.Fatalf("reason %q", s.Reason)
	}
	stop()
	// The lock goes with its holder, and nothing but up is told in between.
	r2.mustUp(t)
}

func TestHolderIsNamed(t *testing.T) {
	d := newDevice(t)
	f, err := os.OpenFile(d.name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	// The child shares the lock with the descriptor that it inherits.
	child := exec.Command("sleep", "600")
	child.ExtraFiles = []*os.File{f}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		child.Process.Kill()
		child.Wait()
	})
	f.Close()
	r := newRecorder()
	run(t, newSerial(t, serialConfig(t, d, r)))
	r.mustDown(t, "in use by sleep (process ", "stop it")
}

func TestSerialRefusesConsole(t *testing.T) {
	d, r := newDevice(t), newRecorder()
	var st unix.Stat_t
	if err := unix.Stat(d.name, &st); err != nil {
		t.Fatal(err)
	}
	c := serialConfig(t, d, r)
	class := filepath.Join(c.Sys, "class", "tty")
	put := func(name, text string) {
		path := filepath.Join(class, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	number := func(major, minor uint32) string { return fmt.Sprintf("%d:%d\n", major, minor) }
	put("tty0/dev", number(4, 0))
	put("ttyS9/dev", number(unix.Major(st.Rdev), unix.Minor(st.Rdev)))
	put("console/active", "tty0 ttyS9\n")
	run(t, newSerial(t, c))
	r.mustDown(t, "the kernel's console ttyS9", "remove console=ttyS9", "mask serial-getty@ttyS9.service")
	put("console/active", "tty0\n")
	r.mustUp(t)
}

func TestSerialRefusesWhatIsNoTTY(t *testing.T) {
	d, r := newDevice(t), newRecorder()
	c := serialConfig(t, d, r)
	c.Device = "/dev/null"
	run(t, newSerial(t, c))
	r.mustDown(t, "it is not a serial port", "correct the device")
}

func TestChildInheritsNothing(t *testing.T) {
	d, r := newDevice(t), newRecorder()
	run(t, newSerial(t, serialConfig(t, d, r)))
	r.mustUp(t)
	open, err := filepath.EvalSymlinks(d.name)
	if err != nil {
		t.Fatal(err)
	}
	ours := listFDs(t, "/proc/self/fd")
	if strings.Count(ours, open) != 2 {
		t.Fatalf("we hold %d descriptors on the port, want the library's and our own:\n%s", strings.Count(ours, open), ours)
	}
	out, err := exec.Command("ls", "-l", "/proc/self/fd").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), open) || strings.Contains(string(out), "ptmx") || strings.Contains(string(out), "pipe:") && strings.Count(string(out), "pipe:") > 2 {
		t.Fatalf("the child inherits:\n%s", out)
	}
}

func listFDs(t *testing.T, dir string) string {
	t.Helper()
	fds, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, fd := range fds {
		if to, err := os.Readlink(filepath.Join(dir, fd.Name())); err == nil {
			all.WriteString(fd.Name() + " -> " + to + "\n")
		}
	}
	return all.String()
}

func TestSerialSentences(t *testing.T) {
	keys, r, clock := ring(t, "c", "key"), newRecorder(), testClock()
	for name, c := range map[string]SerialConfig{
		"no device": {Baud: 9600, Keys: keys, Sink: r, Clock: clock},
		"no baud":   {Device: "/dev/x", Keys: keys, Sink: r, Clock: clock},
		"no keys":   {Device: "/dev/x", Baud: 9600, Sink: r, Clock: clock},
		"no sink":   {Device: "/dev/x", Baud: 9600, Keys: keys, Clock: clock},
		"no clock":  {Device: "/dev/x", Baud: 9600, Keys: keys, Sink: r},
	} {
		if l, err := NewSerial(c); err == nil || l != nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestRunEndsWhileTheDeviceIsAway(t *testing.T) {
	mustJoin(t)
	d, r := newDevice(t), newRecorder()
	c := serialConfig(t, d, r)
	c.ReopenEvery = time.Hour
	d.unplug()
	l := newSerial(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- l.Run(ctx) }()
	r.mustDown(t)
	cancel()
	if err := next(t, done, "end of Run"); err != nil {
		t.Fatal(err)
	}
}

func TestScreensAreNoCables(t *testing.T) {
	for _, c := range []struct {
		major, minor uint32
		want         string
	}{{5, 1, "console"}, {5, 0, "tty"}, {4, 0, "tty0"}, {4, 63, "tty63"}, {4, 64, ""}, {188, 0, ""}, {136, 1, ""}} {
		if got := screen(unix.Mkdev(c.major, c.minor)); got != c.want {
			t.Errorf("%d:%d is %q, want %q", c.major, c.minor, got, c.want)
		}
	}
}
