package main

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test program plays the helpers, as the real one does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case argNode:
			os.Exit(nodeMain(os.Args[2:]))
		case argSwitch:
			os.Exit(switchMain(os.Args[2:]))
		case argResource:
			os.Exit(resourceMain(os.Args[2:]))
		}
	}
	os.Exit(m.Run())
}

// A real pair of keepalived loses its owner.
func TestKeepalivedTakesOver(t *testing.T) {
	k := keepalived{100 * time.Millisecond}
	if why := k.missing(); why != "" {
		t.Skip(why)
	}
	if testing.Short() {
		t.Skip("real daemons take seconds")
	}
	b, err := newBench(t.Context(), options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	seen, err := k.play(t.Context(), b, scenario{name: "power", kind: powerCut, after: 8 * time.Second, needed: 1})
	if err != nil {
		t.Fatal(err)
	}
	// Three adverts and the skew are 361 ms; the upper bound is for a busy machine.
	if got := seen.outcome(1); got.Lost || got.Doubled != 0 || got.Unserved < 250*time.Millisecond || got.Unserved > 6*time.Second {
		t.Errorf("%+v of %v", got, seen.marks)
	}
}

// What runs in a node can be stopped at once, and ends with its first process, whether that is killed or only left alone.
func TestNodeEndsWithItsHelper(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("namespaces need root")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for what, finish := range map[string]func(*helper) error{
		"dismissed":  (*helper).dismiss,
		"left alone": func(h *helper) error { return h.in.Close() },
	} {
		h, err := startNode(self, place{Name: "charlie", Fresh: []string{"/run"}, Argv: []string{"/bin/sleep", "1000"}, Log: filepath.Join(t.TempDir(), "log")})
		if err != nil {
			t.Skipf("namespaces cannot be made here: %v", err)
		}
		t.Cleanup(func() { h.dismiss() })
		if _, err := h.ask("alive"); err == nil {
			t.Error("a node that runs nothing is alive")
		}
		for _, order := range []string{"go", "alive", "freeze"} {
			if _, err := h.ask(order); err != nil {
				t.Errorf("%s: %v", order, err)
			}
		}
		space, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", h.cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		until(t, "the daemon is stopped", func() bool { return slices.Contains(states(space), 'T') })
		if _, err := h.ask("thaw"); err != nil {
			t.Error(err)
		}
		until(t, "the daemon goes on", func() bool { s := states(space); return len(s) == 2 && !slices.Contains(s, 'T') })
		if err := finish(h); err != nil {
			t.Error(err)
		}
		until(t, what+" and gone", func() bool { return len(states(space)) == 0 })
	}
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within twenty seconds: %s", what)
		}
	}
}

// states are those of the processes in a namespace, as proc(5) has them.
func states(space string) (all []byte) {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		if got, err := os.Readlink(filepath.Join(dir, "ns/pid")); err != nil || got != space {
			continue
		}
		stat, _ := os.ReadFile(filepath.Join(dir, "stat"))
		if _, rest, ok := strings.Cut(string(stat), ") "); ok && rest[0] != 'Z' {
			all = append(all, rest[0])
		}
	}
	return all
}

func TestAddressChanges(t *testing.T) {
	a := netip.MustParseAddr("192.0.2.10")
	b := slices.Concat(
		message(unix.RTM_NEWADDR, a), message(unix.RTM_NEWADDR, netip.MustParseAddr("192.0.2.1")),
		message(unix.RTM_NEWLINK, a), message(unix.RTM_DELADDR, a),
	)
	got, err := addressChanges(b, a)
	if err != nil || !slices.Equal(got, []bool{true, false}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := addressChanges(b[:len(b)-3], a); err == nil {
		t.Error("half a message is read")
	}
}

// message is one as the kernel writes it: a header, an address header, and one attribute.
func message(kind uint16, a netip.Addr) []byte {
	order := binary.NativeEndian
	b := order.AppendUint32(nil, unix.SizeofNlMsghdr+unix.SizeofIfAddrmsg+unix.SizeofRtAttr+4)
	b = order.AppendUint16(b, kind)
	b = append(b, make([]byte, 10+unix.SizeofIfAddrmsg)...)
	b = order.AppendUint16(b, unix.SizeofRtAttr+4)
	b = order.AppendUint16(b, unix.IFA_LOCAL)
	return append(b, a.AsSlice()...)
}
