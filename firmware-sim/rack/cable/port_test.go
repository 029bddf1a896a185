package cable

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"
)

func TestUnplugAndReplug(t *testing.T) {
	c := build(t, 921600)
	a, b := open(t, c, "alpha"), open(t, c, "bravo")
	first, err := os.Readlink(c.Path("bravo"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Unplug("bravo"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(c.Path("bravo")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the path is still there: %v", err)
	}
	b.SetReadDeadline(time.Now().Add(patience))
	if n, err := b.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read of an unplugged port: %d, %v", n, err)
	}
	if _, err := b.Write([]byte("x")); !errors.Is(err, unix.EIO) {
		t.Errorf("write to an unplugged port: %v", err)
	}
	write(t, a, []byte("nobody"))
	until(t, "bytes to the missing port are lost", func() bool { return c.From("alpha").Stats().Vacant == 6 })

	// A second pty is made while the old one is still open, so that the new one cannot get its number.
	if err := c.Replug("bravo"); err != nil {
		t.Fatal(err)
	}
	if again, err := os.Readlink(c.Path("bravo")); err != nil || again == first {
		t.Errorf("after replugging the path leads to %s (%v), before to %s", again, err, first)
	}
	b = open(t, c, "bravo")
	write(t, a, []byte("back"))
	if got := read(t, b, 4); string(got) != "back" {
		t.Errorf("got %q", got)
	}
	write(t, b, []byte("too"))
	if got := read(t, a, 3); string(got) != "too" {
		t.Errorf("got %q", got)
	}
}

func TestUnpluggingLosesWhatTheSenderHadNotSentYet(t *testing.T) {
	c := build(t, 9600)
	a := open(t, c, "alpha")
	open(t, c, "bravo")
	write(t, a, ramp(400)) // 0.4 s of line time
	until(t, "the first bytes arrive", func() bool { return c.From("alpha").Stats().Delivered > 0 })
	if err := c.Unplug("alpha"); err != nil {
		t.Fatal(err)
	}
	until(t, "all that was taken is accounted for", func() bool {
		s := c.From("alpha").Stats()
		return s.Sent == s.Delivered+s.Cut
	})
	if s := c.From("alpha").Stats(); s.Cut == 0 {
		t.Errorf("everything arrived from an unplugged port: %+v", s)
	}
}

// The library through which a daemon uses its port does more than open it: settings, exclusive use, its own waiting.
func TestTheSerialLibraryTakesItForAPort(t *testing.T) {
	c := build(t, 115200)
	var ports [2]serial.Port
	for i, end := range []string{"alpha", "bravo"} {
		p, err := serial.Open(c.Path(end), &serial.Mode{BaudRate: 115200})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		ports[i] = p
		until(t, "the cable notices the open port", func() bool { return !c.vacant(end) })
	}
	if err := ports[1].SetReadTimeout(patience); err != nil {
		t.Fatal(err)
	}
	all := ramp(256)
	if _, err := ports[0].Write(all); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(all))
	if _, err := io.ReadFull(ports[1], got); err != nil || !bytes.Equal(got, all) {
		t.Errorf("got %x, %v", got, err)
	}
	if err := c.Unplug("bravo"); err != nil {
		t.Fatal(err)
	}
	var pe *serial.PortError
	if _, err := ports[1].Read(got); !errors.As(err, &pe) || pe.Code() != serial.PortClosed {
		t.Errorf("read of an unplugged port: %v", err)
	}
}

// A killed daemon leaves its exclusive mark on the pty. Without root nobody could open the port again.
func TestAnExclusivePortComesBackForEverybody(t *testing.T) {
	if os.Geteuid() == 0 {
		asNobody(t)
		return
	}
	c := build(t, 921600)
	f := open(t, c, "alpha")
	if err := unix.IoctlSetInt(int(f.Fd()), unix.TIOCEXCL, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.Access(c.Path("alpha"), unix.R_OK); err != nil {
		t.Fatal(err)
	}
	f.Close()
	until(t, "the port can be opened again", func() bool {
		fd, err := unix.Open(c.Path("alpha"), unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err == nil {
			unix.Close(fd)
		}
		return err == nil
	})
	a, b := open(t, c, "alpha"), open(t, c, "bravo")
	write(t, a, []byte("works"))
	if got := read(t, b, 5); string(got) != "works" {
		t.Errorf("got %q", got)
	}
}

func asNobody(t *testing.T) {
	dir, err := os.MkdirTemp("", "cable")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	const nobody = 65534
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Skip("cannot give a folder to another user:", err)
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	exe := dir + "/test"
	if err := os.WriteFile(exe, self, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Dir = dir
	cmd.Env = []string{"TMPDIR=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, os.ErrPermission) {
		t.Skip("cannot run as another user:", err)
	}
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Fatalf("as another user: %v\n%s", err, out)
	}
}
