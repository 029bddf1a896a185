package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// secret is a key, or what somebody wrote into a key file that is none.
type secret struct {
	name  string
	bytes []byte
}

// window is how many bytes of a secret in a row are too many.
const window = 6

// in names the form in which a part of the secret stands in a text, "" if it does not.
func (s secret) in(text []byte) string {
	lower := bytes.ToLower(text)
	for i := range len(s.bytes) - window + 1 {
		part := s.bytes[i : i+window]
		decimal := strings.Trim(fmt.Sprint(part), "[]")
		for form, needle := range map[string]string{
			"raw": string(part), "base64": base64.StdEncoding.EncodeToString(part), "base64 for names": base64.URLEncoding.EncodeToString(part),
			"decimal": decimal, "decimal with commas": strings.ReplaceAll(decimal, " ", ", "),
		} {
			if bytes.Contains(text, []byte(needle)) {
				return form
			}
		}
		if bytes.Contains(lower, []byte(hex.EncodeToString(part))) {
			return "hex"
		}
	}
	return ""
}

func newSecret(name string, n int) secret {
	s := secret{name, make([]byte, n)}
	rand.Read(s.bytes)
	return s
}

// The search itself must find what it looks for.
func TestSecretsAreFound(t *testing.T) {
	s := newSecret("key", 32)
	for form, text := range map[string]string{
		"raw": "a" + string(s.bytes[7:14]) + "b", "hex": fmt.Sprintf("%X", s.bytes[3:9]), "base64": base64.StdEncoding.EncodeToString(s.bytes),
		"decimal": fmt.Sprint(s.bytes), "decimal with commas": strings.ReplaceAll(fmt.Sprint(s.bytes), " ", ", "),
	} {
		if s.in([]byte(text)) == "" {
			t.Errorf("%s is not found", form)
		}
	}
	if form := s.in(newSecret("another", 1<<16).bytes); form != "" {
		t.Errorf("found as %s in noise", form)
	}
}

// No byte of a key may reach anything that a person or a program reads, whatever goes wrong with it.
func TestNoKeyIsTold(t *testing.T) {
	p := newProcess(t)
	first, second, short, mixed := newSecret("first key", 32), newSecret("second key", 32), newSecret("short key", 9), newSecret("half a key", 16)
	all := []secret{first, second, short, mixed}
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(p.dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file("key", fmt.Sprintf("%x\n", first.bytes), 0o600)
	plain := strings.Replace(p.text, "[[node]]", "[log]\nlevel = \"debug\"\n[[node]]", 1)
	p.configure(plain)
	var told, log bytes.Buffer
	p.start(&log)
	p.up()

	say := func(args ...string) {
		h := &person{}
		h.run(append(args, "--config", p.file, "--node", "alpha")...)
		told.Write(h.out.Bytes())
		told.Write(h.err.Bytes())
	}
	reload := func(keys ...string) string {
		p.configure(strings.Replace(plain, fmt.Sprintf("key_file = %q", p.key), `key_files = ["`+strings.Join(keys, `", "`)+`"]`, 1))
		res, err := p.command("reload")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&told, "%+v\n", res)
		say("check")
		return res.Text
	}
	two := file("two", fmt.Sprintf("%x\n", second.bytes), 0o600)
	for _, x := range []struct{ keys, want string }{
		{p.key + "," + two, "reloaded"},
		{file("short", fmt.Sprintf("%x\n", short.bytes), 0o600), "it has 9 bytes"},
		{file("mixed", fmt.Sprintf("%x, or so\n", mixed.bytes), 0o600), "does not hold one line of hexadecimal digits"},
		{file("open", fmt.Sprintf("%x\n", second.bytes), 0o644), "others than its owner may use it"},
		{p.dir, "it is no ordinary file"},
		{filepath.Join(p.dir, "none"), "no such file"},
		{two + "," + p.key, "reloaded"},
	} {
		if got := reload(strings.Split(x.keys, ",")...); !strings.Contains(got, x.want) {
			t.Errorf("reload with %s: %q, want %q", x.keys, got, x.want)
		}
	}
	p.cmd.Process.Signal(syscall.SIGHUP)
	for _, line := range []string{"status", "status --json", "status --quiet", "why", "why 1", "why --json", "events", "events --json", "fence status", "arm",
		"approve 7", "switchover", "failback web", "standby on", "clear", "keygen " + p.key, "example", "version", "leave --wait --timeout 20s"} {
		say(strings.Fields(line)...)
	}
	p.ends(long)

	for what, text := range map[string][]byte{"an answer": told.Bytes(), "the log": log.Bytes()} {
		if len(text) < 2000 {
			t.Errorf("%s has %d bytes only", what, len(text))
		}
		for _, s := range all {
			if form := s.in(text); form != "" {
				t.Errorf("%s tells the %s (%s)", what, s.name, form)
			}
		}
	}
	files := 0
	for _, dir := range []string{p.run, p.state} {
		if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			text, err := os.ReadFile(path)
			for _, s := range all {
				if form := s.in(text); form != "" {
					t.Errorf("%s holds the %s (%s)", path, s.name, form)
				}
			}
			files++
			return err
		}); err != nil {
			t.Error(err)
		}
	}
	if files < 4 {
		t.Errorf("%d files were looked at", files)
	}
}
