package pulse

import (
	"bytes"
	"strings"
	"testing"
)

const testCluster = "plant-7"

func testKey(n byte) []byte { return bytes.Repeat([]byte{n}, 32) }

func ring(t testing.TB, cluster string, keys ...[]byte) *Keyring {
	t.Helper()
	k, err := NewKeyring(cluster, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// fullPulse has a value of its own in every field.
func fullPulse() Pulse {
	p := Pulse{
		Flags: Armed | Lease | Standby, From: 2, To: 1,
		Session: 0xA1B2C3D4, PeerSession: 0x01020304, Seq: 0x00F00D, Echo: 0xFEED01,
		EchoAge: 7, IntervalMS: 1234, Boot: 0xB00700, Health: 201, Core: 0xC04E, Rest: 0x9E,
		N: 2,
	}
	p.Groups[0] = GroupClaim{HoldsYes, Active, Wish{3, 5}, 0x2A5, 0x15A, 0xABCDEF}
	p.Groups[1] = GroupClaim{HoldsNo, Requesting, Wish{}, 1, MaxRequest, 77}
	return p
}

func onePulse() Pulse {
	p := fullPulse()
	p.N = 1
	p.Groups[1] = GroupClaim{}
	return p
}

func fullSide() Side {
	s := Side{Kind: SideNews, From: 1, To: 3, Session: 0x0F1E2D3C, PeerSession: 0, Seq: MaxSeq, Len: 5}
	copy(s.Payload[:], "a\x00b\xffc")
	return s
}

// sealed signs any body, sensible or not.
func (k *Keyring) sealed(body []byte) []byte {
	return bytes.Clone(k.seal(copy(k.frame[:], body)))
}

func open(k *Keyring, raw []byte) (Frame, Verdict) {
	f := Frame{Pulse: fullPulse(), Side: fullSide(), Key: 9, Version: 9}
	v := k.Open(raw, &f)
	return f, v
}

func panics(f func()) (message any) {
	defer func() { message = recover() }()
	f()
	return nil
}

// explains says whether a panic is one of ours, with a reason, and not one of the runtime.
func explains(message any, prefix string) bool {
	text, ok := message.(string)
	return ok && strings.HasPrefix(text, prefix) && len(text) > len(prefix)
}
