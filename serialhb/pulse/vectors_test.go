package pulse

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// describe is a frame in the words of testdata/vectors.txt.
func describe(f *Frame) []string {
	var d []string
	say := func(word string, value any) { d = append(d, strings.TrimSpace(fmt.Sprint(word, " ", value))) }
	say("type", f.Kind)
	say("version", f.Version)
	say("key_index", f.Key)
	h := f.Pulse.header()
	if f.Kind == FrameSide {
		h = f.Side.header()
	}
	say("from", h.from)
	say("to", h.to)
	say("session", h.session)
	say("peer_session", h.peerSession)
	say("seq", h.seq)
	if f.Kind == FrameSide {
		if f.Version == version {
			say("kind", f.Side.Kind)
			say("payload", hex.EncodeToString(f.Side.Payload[:f.Side.Len]))
		}
		return d
	}
	p := &f.Pulse
	say("echo", p.Echo)
	if f.Version != version {
		return d
	}
	say("flags", uint8(p.Flags))
	say("echo_age", p.EchoAge)
	say("interval_ms", p.IntervalMS)
	say("boot", p.Boot)
	say("health", p.Health)
	say("core", p.Core)
	say("rest", p.Rest)
	for _, g := range p.Groups[:p.N] {
		say("group", fmt.Sprintf("%v %v wish %d/%d request %d grant %d term %d",
			g.Holds, g.Phase, g.Wish.To, g.Wish.ID, g.Request, g.Grant, g.Term))
	}
	return d
}

type vector struct {
	name, cluster, verdict string
	keys                   [][]byte
	raw, line              []byte
	says                   []string
}

func vectors(t *testing.T) (all []vector) {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	bin := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for l := range strings.Lines(string(text)) {
		l = strings.TrimSpace(l)
		if l == "" || l[0] == '#' {
			continue
		}
		word, value, _ := strings.Cut(l, " ")
		if word == "vector" {
			all = append(all, vector{name: value})
			continue
		}
		if len(all) == 0 {
			t.Fatalf("%q stands before any vector", l)
		}
		v := &all[len(all)-1]
		switch word {
		case "cluster":
			v.cluster = value
		case "key":
			v.keys = append(v.keys, bin(value))
		case "raw":
			v.raw = bin(value)
		case "line":
			v.line = bin(value)
		case "verdict":
			v.verdict = value
		default:
			v.says = append(v.says, l)
		}
	}
	return all
}

func TestVectors(t *testing.T) {
	all := vectors(t)
	if len(all) < 25 {
		t.Fatalf("only %d vectors", len(all))
	}
	met := map[string]bool{}
	for _, v := range all {
		t.Run(v.name, func(t *testing.T) {
			k := ring(t, v.cluster, v.keys...)
			f, verdict := open(k, v.raw)
			met[v.verdict] = true
			if verdict.String() != v.verdict {
				t.Fatalf("%v, want %s", verdict, v.verdict)
			}
			if verdict == Good || verdict == NewerVersion {
				if got := describe(&f); !slices.Equal(got, v.says) {
					t.Errorf("\n got %q\nwant %q", got, v.says)
				}
			} else if v.says != nil {
				t.Errorf("a frame that is %s says nothing, but here it says %q", v.verdict, v.says)
			}
			if got := AppendLine(nil, v.raw); !bytes.Equal(got, v.line) {
				t.Errorf("line\n got %x\nwant %x", got, v.line)
			}
			if got, _ := decode(v.line, len(v.line)); len(got) != 1 || !bytes.Equal(got[0], v.raw) {
				t.Errorf("the line is decoded to %x", got)
			}
			if verdict == Good {
				signer := ring(t, v.cluster, v.keys[f.Key])
				if got := again(signer, &f); !bytes.Equal(got, v.raw) {
					t.Errorf("encoded again\n got %x\nwant %x", got, v.raw)
				}
			}
		})
	}
	for v := range verdictEnd {
		if !met[v.String()] {
			t.Errorf("no vector is %v", v)
		}
	}
}

// The side frame of key ids lists what Keyring.IDs says.
func TestKeyIDsInVectors(t *testing.T) {
	for _, v := range vectors(t) {
		if v.name != "side-keys" {
			continue
		}
		k := ring(t, v.cluster, v.keys...)
		f, _ := open(k, v.raw)
		var ids []byte
		for _, id := range k.IDs() {
			ids = append(ids, id[:]...)
		}
		if !bytes.Equal(ids, f.Side.Payload[:f.Side.Len]) {
			t.Errorf("ids %x, the frame lists %x", ids, f.Side.Payload[:f.Side.Len])
		}
		return
	}
	t.Error("no vector lists key ids")
}
