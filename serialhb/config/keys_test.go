package config

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestWriteKeyThenReadKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	defer syscall.Umask(syscall.Umask(0o277)) // a strange umask takes nothing away
	if err := WriteKey(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Fatal(info.Mode(), err)
	}
	key, err := ReadKey(path)
	if err != nil || len(key) != 32 {
		t.Fatal(key, err)
	}
	text, err := os.ReadFile(path)
	if err != nil || string(text) != hex.EncodeToString(key)+"\n" {
		t.Error("the file does not hold the key in hexadecimal")
	}
	if err := WriteKey(path); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Error(err)
	}
	if again, err := ReadKey(path); err != nil || string(again) != string(key) {
		t.Error("the key was overwritten")
	}
	other := filepath.Join(filepath.Dir(path), "key2")
	if err := WriteKey(other); err != nil {
		t.Fatal(err)
	}
	if second, _ := ReadKey(other); string(second) == string(key) {
		t.Error("two keys are the same")
	}
	if err := WriteKey(filepath.Join(filepath.Dir(path), "none", "key")); err == nil || !strings.Contains(err.Error(), "make it first") {
		t.Error(err)
	}
}

func TestReadKeyRefuses(t *testing.T) {
	const good = "00112233445566778899aabbccddeeff\n"
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"good":           {good, 0o600, ""},
		"read-only":      {good, 0o400, ""},
		"group":          {good, 0o640, "others than its owner may use it (mode 0640); run chmod 600"},
		"world":          {good, 0o604, "(mode 0604)"},
		"group writes":   {good, 0o620, "(mode 0620)"},
		"short":          {good[2:], 0o600, "it has 15 bytes, and 16 are the least; make a new one with serialhb keygen"},
		"empty":          {"", 0o600, "it has 0 bytes"},
		"odd digits":     {good[1:], 0o600, "does not hold one line of hexadecimal digits"},
		"no digits":      {"this is my very secret passphrase\n", 0o600, "does not hold one line of hexadecimal digits"},
		"two lines":      {good + good, 0o600, "does not hold one line"},
		"much too large": {strings.Repeat("00", maxKeyFile), 0o600, "does not hold one line"},
	} {
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		key, err := ReadKey(path)
		if c.want == "" {
			if err != nil || len(key) != 16 || key[15] != 0xff {
				t.Errorf("%s: %x %v", name, key, err)
			}
			continue
		}
		if err == nil || key != nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "config: read key "+path+": ") {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error tells the key: %v", name, err)
		}
	}
}

func TestReadKeyDoesNotWaitForAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadKey(path); err == nil || !strings.Contains(err.Error(), "no ordinary file") {
		t.Error(err)
	}
}

func TestCheckKeys(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	text := "[cluster]\nname = 'p'\nkey_files = [\n '" + first + "',\n '" + second + "' ]\n" + complete("", "node", "link", "fence", "group")
	c := mustFor(t, text, "alpha")
	if err := WriteKey(first); err != nil {
		t.Fatal(err)
	}
	found := c.CheckKeys()
	if len(found) != 1 || found[0].Line != 5 || found[0].Severity != Error || found[0].Key != "cluster.key_files" ||
		!strings.Contains(found[0].Text, second+": no such file") || !strings.Contains(found[0].Fix, "serialhb keygen") {
		t.Fatal(found)
	}
	key, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(second, key, 0o600); err != nil {
		t.Fatal(err)
	}
	if found := c.CheckKeys(); len(found) != 1 || found[0].Text != "keys 1 and 2 are the same" || found[0].Fix != "remove one" || found[0].Line != 4 {
		t.Fatal(found)
	}
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	if err := WriteKey(second); err != nil {
		t.Fatal(err)
	}
	if found := c.CheckKeys(); len(found) > 0 {
		t.Error(found)
	}
}
