// Skips reads the output of `go test -json`, prints go test's own lines and every skipped test with its reason, and fails
// if a test failed, if none ran, or if one was skipped for a reason that does not hold on this machine.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// reasons are the only ones for which a test may be skipped: each with the check that it really holds.
var reasons = []struct {
	words string
	holds func() bool
}{
	{"root", func() bool { return os.Getuid() != 0 }},
	{"-short", func() bool { return false }}, // never in a full run
	{"gpiochip", func() bool { m, _ := filepath.Glob("/dev/gpiochip*"); return len(m) == 0 }},
	{"SERIALHB_SPARE_LINE", func() bool { return os.Getenv("SERIALHB_SPARE_LINE") == "" }},
	{"memory-mapped", func() bool { _, err := os.Stat("/dev/gpiomem"); return err != nil }},
	{"spare serial port", func() bool { return os.Getenv("SERIALHB_SPARE_PORT") == "" }},
	{"SERIALHB_SPARE_PORT", func() bool { return os.Getenv("SERIALHB_SPARE_PORT") == "" }},
	{"the backend has no inputs", func() bool { return true }},   // modem lines are outputs here
	{"excused: reading a register", func() bool { return true }}, // memory-mapped pins, refused for that very reason
	{"needs its RTS wired", func() bool { return os.Getenv("SERIALHB_SPARE_PORT") == "" }},
	{"network segment", func() bool {
		return exec.Command("unshare", "-n", "ip", "link", "add", "br0", "type", "bridge").Run() != nil
	}},
	{"real-time priority", func() bool { return exec.Command("chrt", "-f", "1", "true").Run() != nil }},
	{"no VRF can be made", func() bool {
		return exec.Command("unshare", "-n", "ip", "link", "add", "red", "type", "vrf", "table", "10").Run() != nil
	}},
	{"no bond can be made", func() bool {
		return exec.Command("unshare", "-n", "ip", "link", "add", "bond9", "type", "bond").Run() != nil
	}},
	{"fence-agents", func() bool { _, err := exec.LookPath("fence_dummy"); return err != nil }},
	{"package openipmi", func() bool { _, err := exec.LookPath("ipmi_sim"); return err != nil }},
	{"package ipmitool", func() bool { _, err := exec.LookPath("ipmitool"); return err != nil }},
	{"keepalived", func() bool { _, err := exec.LookPath("keepalived"); return err != nil }},
	{"namespaces cannot be made", func() bool { return exec.Command("unshare", "-mnpi", "true").Run() != nil }},
	{"qemu-system-x86", func() bool { _, err := exec.LookPath("qemu-system-x86_64"); return err != nil }},
	{"Debian kernel", func() bool { return exec.Command("apt-cache", "show", "linux-image-cloud-amd64").Run() != nil }},
	{"ptrace is refused", func() bool { return os.Getuid() != 0 || !traces() }},
	{"socat", func() bool { _, err := exec.LookPath("socat"); return err != nil }},
}

// traces says whether a process may be traced at all.
func traces() bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c := exec.Command("true")
	c.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if c.Start() != nil {
		return false
	}
	_ = c.Process.Kill()
	_ = c.Wait() // it ends by the kill
	return true
}

type line struct {
	Action, Package, Test, Output string
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	said := map[string][]string{}
	passed, failed, skipped, bad := 0, 0, 0, 0
	for in.Scan() {
		var l line
		if json.Unmarshal(in.Bytes(), &l) != nil {
			fmt.Println(in.Text())
			continue
		}
		key := l.Package + " " + l.Test
		switch l.Action {
		case "output", "build-output":
			said[key] = append(said[key], l.Output)
			if l.Test == "" {
				fmt.Print(l.Output)
			}
		case "pass":
			if l.Test != "" {
				passed++
			}
			delete(said, key)
		case "fail":
			failed++
			fmt.Printf("FAILED %s\n%s", key, strings.Join(said[key], ""))
		case "skip":
			if l.Test == "" {
				continue
			}
			skipped++
			why := strings.TrimSpace(strings.Join(said[key], ""))
			fmt.Printf("SKIPPED %s\n    %s\n", key, strings.ReplaceAll(why, "\n", "\n    "))
			if !allowed(why) {
				bad++
				fmt.Println("    this machine could have carried it, or nobody knows the reason")
			}
		}
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	if failed > 0 || bad > 0 || passed == 0 {
		os.Exit(1)
	}
}

func allowed(why string) bool {
	for _, r := range reasons {
		if strings.Contains(why, r.words) && r.holds() {
			return true
		}
	}
	return false
}
