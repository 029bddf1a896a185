package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/serialhb/serialhb/serialhb/clock"
)

func TestStatOfAChild(t *testing.T) {
	before := clock.Boot()
	child := exec.Command("sleep", "600")
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	pid := child.Process.Pid
	t.Cleanup(func() {
		child.Process.Kill()
		child.Wait()
	})
	s, err := Of(pid)
	if err != nil || s.Ended || s.Group != pid || s.Born < before-tick || s.Born > clock.Boot() {
		t.Fatalf("%+v, %v; it was born after %v", s, err, before)
	}
	child.Process.Kill()
	AwaitExit(pid)
	if z, err := Of(pid); err != nil || !z.Ended || z.Born != s.Born {
		t.Errorf("its remains are %+v, %v", z, err)
	}
	child.Wait()
	if z, err := Of(pid); err == nil && z.Born == s.Born || err != nil && !errors.Is(err, ErrNone) {
		t.Errorf("it is still there: %+v, %v", z, err)
	}
}

func TestParse(t *testing.T) {
	const rest = " 7 42 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 99"
	for text, want := range map[string]Stat{
		"9 (sh) S" + rest:           {Group: 42, Born: 123456 * tick},
		"9 (a) b (c)) Z" + rest:     {Ended: true, Group: 42, Born: 123456 * tick},
		"9 (x\n) S 1 2 3) X" + rest: {Ended: true, Group: 42, Born: 123456 * tick},
	} {
		if got, err := Parse([]byte(text)); got != want || err != nil {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "9 (sh)", "9 (sh) S 7 42 7", "9 (sh) S 7 x" + rest[5:], "9 (sh) S 7 42 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 soon 99"} {
		if got, err := Parse([]byte(text)); err == nil || got != (Stat{}) {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

func TestSeal(t *testing.T) {
	for name, seal := range map[string]func() error{"at once": SealDescriptors, "one by one": func() error { return sealEach(3) }} {
		fd, err := unix.Open(os.DevNull, unix.O_RDONLY, 0) // as a careless library opens it
		if err != nil {
			t.Fatal(err)
		}
		if err := seal(); err != nil {
			t.Fatal(err)
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("%s: flags %#x, %v", name, flags, err)
		}
		unix.Close(fd)
	}
}

// FuzzParse: whatever a program calls itself, the rest is read right, and no text makes Parse panic.
func FuzzParse(f *testing.F) {
	f.Add([]byte("sleep"), 4242, int64(123456), byte('S'-'A'))
	f.Add([]byte("a) Z 1 2 (b\n)"), 1, int64(0), byte('Z'-'A'))
	f.Add([]byte("1 (x) S 1 2 3"), 7, int64(1), byte('X'-'A'))
	f.Fuzz(func(t *testing.T, name []byte, group int, ticks int64, state byte) {
		_, _ = Parse(name)
		text := fmt.Appendf(nil, "17 (%s) %c 1 %d 17 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 %d 0 0 18446744073709551615", name, 'A'+state%26, group, ticks)
		want := Stat{Ended: state%26 == 'Z'-'A' || state%26 == 'X'-'A', Group: group, Born: time.Duration(ticks) * tick}
		if got, err := Parse(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", text, got, err, want)
		}
	})
}
