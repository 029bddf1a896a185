package control

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAdmit(t *testing.T) {
	proc := t.TempDir()
	process := func(pid, status string) {
		if err := os.Mkdir(filepath.Join(proc, pid), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(proc, pid, "status"), []byte(status), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	process("10", "Name:\tx\nUid:\t1000\t1000\t1000\t1000\nGroups:\t4 77 1000 \n")
	process("11", "Name:\tx\nUid:\t1000\t1000\t1000\t1000\nGroups:\t4 1000 \n")
	process("12", "Name:\tx\nUid:\t2000\t2000\t2000\t2000\nGroups:\t77 \n")
	process("13", "Name:\tx\nUid:\t1000\t1000\t1000\t1000\nGroups:\tseventyseven 77\n")
	process("14", "Groups:\t77 \n")
	process("15", "Name:\tUid:\t1000\nUid:\t1000\t1000\t1000\t1000\n")
	passwd := filepath.Join(proc, "passwd")
	if err := os.WriteFile(passwd, []byte("root:x:0:0\nbroken\njoe:x:1000:1000:Joe:/home/joe:/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	d := door{own: 500, gid: 77, proc: proc, passwd: passwd}
	for _, x := range []struct {
		name string
		cred unix.Ucred
		who  string
		why  string
	}{
		{"root", unix.Ucred{Uid: 0, Gid: 9, Pid: 99}, "user root (uid 0)", ""},
		{"the daemon's own user", unix.Ucred{Uid: 500, Gid: 9, Pid: 99}, "user 500 (uid 500)", ""},
		{"main group", unix.Ucred{Uid: 1000, Gid: 77, Pid: 99}, "user joe (uid 1000)", ""},
		{"other group", unix.Ucred{Uid: 1000, Gid: 9, Pid: 10}, "user joe (uid 1000)", ""},
		{"no member", unix.Ucred{Uid: 1000, Gid: 9, Pid: 11}, "", "user joe (uid 1000) may not talk to this daemon: become root, or join the group with gid 77"},
		{"number of a process of another user", unix.Ucred{Uid: 1000, Gid: 9, Pid: 12}, "", "has ended or changed"},
		{"unreadable groups", unix.Ucred{Uid: 1000, Gid: 9, Pid: 13}, "", "cannot be read"},
		{"no uid", unix.Ucred{Uid: 1000, Gid: 9, Pid: 14}, "", "has ended or changed"},
		{"no groups", unix.Ucred{Uid: 1000, Gid: 9, Pid: 15}, "", "join the group"},
		{"no process", unix.Ucred{Uid: 1000, Gid: 9, Pid: 99}, "", "cannot be read"},
	} {
		who, err := d.admit(&x.cred)
		if x.why == "" && (err != nil || who != x.who) {
			t.Errorf("%s: %q, %v", x.name, who, err)
		}
		if x.why != "" && (err == nil || !strings.Contains(err.Error(), x.why)) {
			t.Errorf("%s: %v, want %q", x.name, err, x.why)
		}
	}
}

func TestGroupID(t *testing.T) {
	file := filepath.Join(t.TempDir(), "group")
	if err := os.WriteFile(file, []byte("root:x:0:\nserialhb:x:977:joe\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]uint32{"serialhb": 977, "root": 0, "12": 12} {
		if gid, err := groupID(file, name); err != nil || gid != want {
			t.Errorf("%s: %d, %v", name, gid, err)
		}
	}
	for _, name := range []string{"none", "-1", "4294967296"} {
		if _, err := groupID(file, name); err == nil || !strings.Contains(err.Error(), "groupadd") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
