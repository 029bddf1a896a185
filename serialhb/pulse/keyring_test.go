package pulse

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

func TestNewKeyringRefuses(t *testing.T) {
	a, b := testKey(1), testKey(2)
	for name, c := range map[string]struct {
		keys [][]byte
		says string
	}{
		"none":          {nil, "there are 0 keys; give 1 to 3"},
		"four":          {[][]byte{a, b, testKey(3), testKey(4)}, "there are 4 keys"},
		"short":         {[][]byte{a, make([]byte, MinKey-1)}, "key 2 has 15 bytes"},
		"same":          {[][]byte{b, a, b}, "keys 1 and 3 are the same"},
		"same for HMAC": {[][]byte{a, append(testKey(1), 0)}, "keys 1 and 2 are the same"},
	} {
		k, err := NewKeyring(testCluster, c.keys...)
		if k != nil || err == nil || !strings.HasPrefix(err.Error(), "pulse: make keyring: ") || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewKeyring(testCluster, bytes.Repeat([]byte{9}, MinKey)); err != nil {
		t.Errorf("shortest key: %v", err)
	}
}

func TestFirstKeySignsAnyVerifies(t *testing.T) {
	a, b, c := testKey(1), testKey(2), testKey(3)
	p := onePulse()
	for i, signer := range [][]byte{a, b, c} {
		raw := ring(t, testCluster, signer, testKey(9)).AppendPulse(nil, &p)
		f, v := open(ring(t, testCluster, a, b, c), raw)
		if v != Good || int(f.Key) != i || f.Pulse != p {
			t.Errorf("signed with key %d: %v under key %d", i, v, f.Key)
		}
	}
	raw := ring(t, testCluster, a, b, c).AppendPulse(nil, &p)
	if _, v := open(ring(t, testCluster, a), raw); v != Good {
		t.Errorf("the first key does not sign: %v", v)
	}
	if _, v := open(ring(t, testCluster, b, c), raw); v != WrongKey {
		t.Errorf("another key than the first signs: %v", v)
	}
}

func TestKeyringKeepsItsOwnKeys(t *testing.T) {
	secret := testKey(1)
	k := ring(t, testCluster, secret)
	clear(secret)
	p := onePulse()
	if _, v := open(ring(t, testCluster, testKey(1)), k.Clone().AppendPulse(nil, &p)); v != Good {
		t.Errorf("a clone signs with what the caller made of the key: %v", v)
	}
}

func TestKeyIDs(t *testing.T) {
	k := ring(t, testCluster, testKey(1), testKey(2))
	other := ring(t, "other", testKey(2)).Clone()
	ids := k.IDs()
	if len(ids) != 2 || ids[0] == ids[1] || ids[1] != other.IDs()[0] {
		t.Errorf("ids %v and %v", ids, other.IDs())
	}
	// SHA-256 of "serialhb key id", a zero and 32 bytes of 1, from another implementation.
	if got := ids[0].String(); got != "fd9074d1" {
		t.Errorf("id %s", got)
	}
}

// A clone is for another goroutine; the race detector watches this.
func TestClonesShareNothing(t *testing.T) {
	k := ring(t, testCluster, testKey(1), testKey(2))
	done := make(chan Verdict)
	for range 2 {
		c := k.Clone()
		go func() {
			p, f := onePulse(), Frame{}
			worst := Good
			for i := range uint32(200) {
				p.Seq = i + 1
				if v := c.Open(c.AppendPulse(nil, &p), &f); v != Good || f.Pulse != p {
					worst = v
				}
			}
			done <- worst
		}()
	}
	for range 2 {
		if v := <-done; v != Good {
			t.Error(v)
		}
	}
}

func TestVerdicts(t *testing.T) {
	k := ring(t, testCluster, testKey(1), testKey(2))
	p, s := onePulse(), fullSide()
	pulse, side := k.AppendPulse(nil, &p), k.AppendSide(nil, &s)
	flip := func(raw []byte, at int) []byte {
		raw = bytes.Clone(raw)
		raw[at] ^= 0x40
		return raw
	}
	body := pulse[:len(pulse)-tailSize]
	for _, c := range []struct {
		name string
		raw  []byte
		want Verdict
	}{
		{"pulse", pulse, Good},
		{"side", side, Good},
		{"nothing", nil, Short},
		{"one byte less than a pulse", pulse[:len(pulse)-1], Short},
		{"one byte more than a pulse", append(bytes.Clone(pulse), 0), Short},
		{"seven bytes more, unsigned", append(bytes.Clone(pulse), make([]byte, groupSize)...), BadCheck},
		{"one byte less than any frame", side[:minFrame-1], Short},
		{"side too long", k.sealed(append([]byte{0x12}, make([]byte, headSize+MaxPayload)...)), Short},
		{"longer than any frame", make([]byte, MaxFrame+1), Short},
		{"pulse without room for its fields", k.sealed(body[:pulseHead-7]), Short},
		{"damaged body", flip(pulse, 12), BadCheck},
		{"damaged check", flip(pulse, len(pulse)-1), BadCheck},
		{"damaged MAC, first byte", flip(pulse, len(body)), BadCheck},
		{"damaged MAC, last byte", flip(pulse, len(body)+macSize-1), BadCheck},
		{"strange key", ring(t, testCluster, testKey(3)).AppendPulse(nil, &p), WrongKey},
		{"strange cluster", ring(t, "plant-8", testKey(2)).AppendPulse(nil, &p), WrongCluster},
		{"strange cluster, side", ring(t, "plant-8", testKey(1)).AppendSide(nil, &s), WrongCluster},
		{"strange cluster, strange key", ring(t, "plant-8", testKey(3)).AppendPulse(nil, &p), BadCheck},
		{"noise", bytes.Repeat([]byte{0x55}, 46), BadCheck},
		{"unknown type", k.sealed(append([]byte{0x1F}, body[1:]...)), Malformed},
		{"no version", k.sealed(append([]byte{0x01}, body[1:]...)), Malformed},
		{"newer version", k.sealed(append([]byte{0x21}, body[1:]...)), NewerVersion},
	} {
		f, v := open(k, c.raw)
		if v != c.want {
			t.Errorf("%s: %v, want %v", c.name, v, c.want)
		}
		if v != Good && v != NewerVersion && f != (Frame{}) {
			t.Errorf("%s: %v, and yet the frame says %+v", c.name, v, f)
		}
	}
}

// The 8 bytes of the MAC are all compared. Whoever forges one knows how to make the check.
func TestWholeMACCounts(t *testing.T) {
	k := ring(t, testCluster, testKey(1))
	p := onePulse()
	raw := k.AppendPulse(nil, &p)
	for bit := range macSize * 8 {
		forged := bytes.Clone(raw)
		n := len(raw) - checkSize
		forged[n-macSize+bit/8] ^= 1 << (bit % 8)
		binary.BigEndian.PutUint16(forged[n:], crc16(forged[:n])^clusterID(testCluster))
		if _, v := open(k, forged); v != WrongKey {
			t.Errorf("bit %d of the MAC: %v", bit, v)
		}
	}
}

// A frame that noise has damaged must not look like one of another key or cluster: that would turn a fence into a question.
func TestOneDamagedByteIsNoise(t *testing.T) {
	k := ring(t, testCluster, testKey(1), testKey(2))
	p, s := onePulse(), fullSide()
	for _, raw := range [][]byte{k.AppendPulse(nil, &p), k.AppendSide(nil, &s)} {
		for at := 1; at < len(raw); at++ { // the first byte says what lengths are possible
			for mask := 1; mask < 256; mask++ {
				damaged := bytes.Clone(raw)
				damaged[at] ^= byte(mask)
				if _, v := open(k, damaged); v != BadCheck {
					t.Fatalf("byte %d of %d changed by %#x: %v", at, len(raw), mask, v)
				}
			}
		}
	}
}

func TestNewerVersion(t *testing.T) {
	k := ring(t, testCluster, testKey(1), testKey(2))
	signer := ring(t, testCluster, testKey(2))
	p, s := onePulse(), fullSide()
	newer := func(raw []byte, version byte, size int) []byte {
		body := append(raw[:len(raw)-tailSize], make([]byte, MaxFrame)...)[:size]
		body[0] = version<<4 | body[0]&15
		return signer.sealed(body)
	}
	seen := Pulse{From: p.From, To: p.To, Session: p.Session, PeerSession: p.PeerSession, Seq: p.Seq, Echo: p.Echo}
	for _, size := range []int{echoEnd, echoEnd + 1, pulseHead + 3, MaxFrame - tailSize} {
		f, v := open(k, newer(signer.AppendPulse(nil, &p), 2, size))
		if want := (Frame{Kind: FramePulse, Pulse: seen, Key: 1, Version: 2}); v != NewerVersion || f != want {
			t.Errorf("pulse of %d bytes: %v, %+v", size, v, f)
		}
	}
	if _, v := open(k, newer(signer.AppendPulse(nil, &p), 2, echoEnd-1)); v != Short {
		t.Errorf("pulse without an echo: %v", v)
	}

	side := Side{From: s.From, To: s.To, Session: s.Session, PeerSession: s.PeerSession, Seq: s.Seq}
	f, v := open(k, newer(signer.AppendSide(nil, &s), 15, headSize))
	if want := (Frame{Kind: FrameSide, Side: side, Key: 1, Version: 15}); v != NewerVersion || f != want {
		t.Errorf("side frame: %v, %+v", v, f)
	}

	raw := newer(signer.AppendPulse(nil, &p), 3, headSize)
	raw[0] = 0x3A
	f, v = open(k, signer.sealed(raw[:headSize]))
	if want := (Frame{Kind: 10, Key: 1, Version: 3}); v != NewerVersion || f != want {
		t.Errorf("type of the future: %v, %+v", v, f)
	}

	for name, change := range map[string]func(b []byte){
		"from":    func(b []byte) { b[2] = 0x41 },
		"session": func(b []byte) { clear(b[3:7]) },
		"seq":     func(b []byte) { clear(b[11:14]) },
	} {
		raw := newer(signer.AppendPulse(nil, &p), 2, pulseHead)
		change(raw)
		if f, v := open(k, signer.sealed(raw[:pulseHead])); v != Malformed || f != (Frame{}) {
			t.Errorf("%s out of range in a newer version: %v, %+v", name, v, f)
		}
	}
}

func TestCheckIsCCITTFalse(t *testing.T) {
	// The check value of the catalogue of CRC algorithms.
	if got := crc16([]byte("123456789")); got != 0x29B1 {
		t.Errorf("%#x", got)
	}
	k := ring(t, testCluster, testKey(1))
	p := onePulse()
	raw := k.AppendPulse(nil, &p)
	n := len(raw) - checkSize
	if got := binary.BigEndian.Uint16(raw[n:]); got != crc16(raw[:n])^clusterID(testCluster) {
		t.Errorf("check %#x does not name the cluster", got)
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	k := ring(t, testCluster, testKey(1))
	p, s := onePulse(), fullSide()
	got := k.AppendSide(k.AppendPulse([]byte("front"), &p), &s)
	want := append(append([]byte("front"), k.AppendPulse(nil, &p)...), k.AppendSide(nil, &s)...)
	if !bytes.Equal(got, want) {
		t.Error("appending to bytes does not append")
	}
}

func TestNoAllocations(t *testing.T) {
	k := ring(t, testCluster, testKey(1), testKey(2), testKey(3))
	p, s := fullPulse(), fullSide()
	frame := make([]byte, 0, MaxFrame)
	line := make([]byte, 0, LineBytes(MaxGroups))
	last := ring(t, testCluster, testKey(3)).AppendPulse(nil, &p)
	strange := ring(t, testCluster, testKey(4)).AppendPulse(nil, &p)
	noise := bytes.Repeat([]byte{0x55}, 46)
	stream := AppendLine(bytes.Repeat([]byte{7}, 300), last)
	var f Frame
	var d Decoder
	for name, work := range map[string]func(){
		"append pulse":    func() { frame = k.AppendPulse(frame[:0], &p) },
		"append side":     func() { frame = k.AppendSide(frame[:0], &s) },
		"append line":     func() { line = AppendLine(line[:0], last) },
		"open":            func() { k.Open(last, &f) },
		"open wrong key":  func() { k.Open(strange, &f) },
		"open noise":      func() { k.Open(noise, &f) },
		"decode":          func() { d.Next(stream) },
		"frames on stack": func() { var b [MaxFrame]byte; var f Frame; k.Open(k.AppendPulse(b[:0], &p), &f) },
	} {
		if n := testing.AllocsPerRun(100, work); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// The first frame of a new keyring is a pulse too: nothing is put off to it.
func TestFirstFrameAllocatesNothing(t *testing.T) {
	const runs = 20
	k := ring(t, testCluster, testKey(1), testKey(2))
	var clones []*Keyring
	for range runs + 1 { // AllocsPerRun calls once more, to warm up
		clones = append(clones, k.Clone())
	}
	p := onePulse()
	noise := bytes.Repeat([]byte{0x55}, 46)
	frame := make([]byte, 0, MaxFrame)
	var f Frame
	n := testing.AllocsPerRun(runs, func() {
		clones[0].Open(noise, &f)
		frame = clones[0].AppendPulse(frame[:0], &p)
		clones = clones[1:]
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
