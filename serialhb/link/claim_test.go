package link

import (
	"os"
	"os/exec"
	"testing"

	"github.com/serialhb/serialhb/serialhb/pulse"
	"golang.org/x/sys/unix"
)

// claim marks a device as one program's own, without any other lock.
func claim(t *testing.T, d *device) *os.File {
	t.Helper()
	f, err := os.OpenFile(d.name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetInt(int(f.Fd()), unix.TIOCEXCL, 0); err != nil {
		t.Fatal(err)
	}
	return f
}

// TIOCEXCL keeps everybody out but root, so root asks, leaves the claim alone and comes when it has ended.
func TestSerialRefusesWhatIsClaimed(t *testing.T) {
	d := newDevice(t)
	f := claim(t, d)
	child := exec.Command("sleep", "600")
	child.ExtraFiles = []*os.File{f}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		child.Process.Kill()
		child.Wait()
	})
	r := newRecorder()
	run(t, newSerial(t, serialConfig(t, d, r)))
	r.mustDown(t, "open "+d.name, "in use by sleep (process ", "stop it, or give this link another port")
	if claimed, err := (&control{fd: int(f.Fd())}).claimed(); err != nil || !claimed {
		t.Errorf("the claim of the other program is %v, %v", claimed, err)
	}
	if err := unix.IoctlSetInt(int(f.Fd()), unix.TIOCNXCL, 0); err != nil {
		t.Fatal(err)
	}
	f.Close()
	r.mustUp(t)
}

// The claim of a program that was killed stays on a pty, where a port would have forgotten it.
func TestSerialTakesAPtyWhoseClaimIsLeftOver(t *testing.T) {
	d, r := newDevice(t), newRecorder()
	claim(t, d).Close()
	run(t, newSerial(t, serialConfig(t, d, r)))
	if os.Geteuid() != 0 {
		r.mustDown(t, "in use by a program that cannot be seen from here")
		return
	}
	r.mustUp(t)
	d.write(online(pulseFrame(ring(t, "c", "key"), 0, 1, 7, 1)))
	if h := next(t, r.frames, "frame"); h.verdict != pulse.Good {
		t.Fatalf("verdict %v", h.verdict)
	}
}

func TestIsPty(t *testing.T) {
	for major, want := range map[uint32]bool{4: false, 135: false, 136: true, 143: true, 144: false, 188: false} {
		if got := isPty(unix.Mkdev(major, 3)); got != want {
			t.Errorf("major %d: %v", major, got)
		}
	}
}
