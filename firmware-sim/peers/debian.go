package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// needs says what is missing to run a program of a Debian package.
func needs(name string, paths ...string) string {
	for _, path := range paths {
		if _, err := os.Stat(path); err == nil {
			if os.Geteuid() != 0 {
				return name + " is left out: its nodes need namespaces of their own, which root can make"
			}
			return ""
		}
	}
	return fmt.Sprintf("%s is left out: it is not installed; install Debian's package %s", name, name)
}

func packaged(name string) string {
	said, err := exec.Command("dpkg-query", "--show", "--showformat=${Version}", name).Output()
	if err != nil {
		return "of no Debian package"
	}
	return "Debian's package " + strings.TrimSpace(string(said))
}

// cutPower is what a power cut is to the others: every process stops at the same time, the wire is dead, and nobody
// comes to say goodbye. Processes that are merely killed one after the other still see each other die.
func cutPower(nodes helpers, name string, unplug func() error) (at time.Duration, err error) {
	n := nodes[name]
	delete(nodes, name)
	at, err = n.ask("freeze")
	return at, errors.Join(err, unplug(), n.dismiss())
}

func allAlive(nodes helpers) (err error) {
	for name, n := range nodes {
		if _, died := n.ask("alive"); died != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", name, died))
		}
	}
	return err
}

// keep copies what a pair wrote to where the person wants it.
func (b *bench) keep(dir string, p program, s scenario) error {
	if b.logs == "" {
		return nil
	}
	return carryOut("cp", "-r", "--no-target-directory", dir, filepath.Join(b.logs, strings.NewReplacer(" ", "-", ",", "").Replace(p.name()+"-"+p.timing()+"-"+s.name+"-"+filepath.Base(dir))))
}
