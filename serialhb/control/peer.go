package control

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// door decides who may come in. Names and groups are read from files, never from a name service: one that waits for a
// dead network must not stand between a person and the daemon.
type door struct {
	own    uint32 // the daemon's uid
	gid    uint32 // the socket's group
	proc   string
	passwd string
}

func newDoor(gid uint32) door {
	return door{own: uint32(os.Geteuid()), gid: gid, proc: "/proc", passwd: "/etc/passwd"}
}

// credentials are those of the process that connected, or that listens on the other end.
func credentials(conn *net.UnixConn) (*unix.Ucred, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var cred *unix.Ucred
	var fault error
	if err := raw.Control(func(fd uintptr) {
		cred, fault = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return nil, err
	}
	return cred, fault
}

// admit gives the name of a visitor for the record, or the sentence with which it is turned away.
func (d door) admit(cred *unix.Ucred) (who string, err error) {
	who = d.who(cred.Uid)
	if cred.Uid == 0 || cred.Uid == d.own || cred.Gid == d.gid {
		return who, nil
	}
	groups, err := d.groups(cred)
	if err != nil {
		return who, fmt.Errorf("%s may not talk to this daemon: its groups cannot be read (%w)", who, err)
	}
	if !slices.Contains(groups, d.gid) {
		return who, fmt.Errorf("%s may not talk to this daemon: become root, or join the group with gid %d", who, d.gid)
	}
	return who, nil
}

func (d door) who(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	name, ok := field(d.passwd, 2, id, 0)
	if !ok {
		name = id
	}
	return fmt.Sprintf("user %s (uid %s)", name, id)
}

// groups are the supplementary groups of a process. Its uid is compared because the number of a process that has ended
// may be another's by now.
func (d door) groups(cred *unix.Ucred) ([]uint32, error) {
	text, err := os.ReadFile(filepath.Join(d.proc, strconv.Itoa(int(cred.Pid)), "status"))
	if err != nil {
		return nil, err
	}
	var groups []uint32
	sameUser := false
	for line := range bytes.Lines(text) {
		key, value, _ := strings.Cut(string(line), ":")
		words := strings.Fields(value)
		switch key {
		case "Uid": // real, effective, saved, file system
			sameUser = len(words) > 1 && words[1] == strconv.FormatUint(uint64(cred.Uid), 10)
		case "Groups":
			for _, word := range words {
				gid, err := strconv.ParseUint(word, 10, 32)
				if err != nil {
					return nil, err
				}
				groups = append(groups, uint32(gid))
			}
		}
	}
	if !sameUser {
		return nil, errors.New("the process that connected has ended or changed its user")
	}
	return groups, nil
}

// groupID finds the gid of a group's name, which may also be the number itself.
func groupID(file, name string) (uint32, error) {
	text, ok := field(file, 0, name, 2)
	if !ok {
		text = name
	}
	gid, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("there is no group %q; create it with `groupadd --system %s`", name, name)
	}
	return uint32(gid), nil
}

// field looks in a file of colon-separated lines for the first one whose field at holds value, and gives field want.
func field(file string, at int, value string, want int) (string, bool) {
	f, err := os.Open(file)
	if err != nil {
		return "", false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Split(lines.Text(), ":")
		if len(fields) > max(at, want) && fields[at] == value {
			return fields[want], true
		}
	}
	return "", false
}
