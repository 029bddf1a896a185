package pulse

import (
	"bytes"
	"testing"
)

func TestPulseRoundTripPerField(t *testing.T) {
	k := ring(t, testCluster, testKey(1))
	all := map[string]func(*Pulse){
		"as it is":       func(*Pulse) {},
		"no groups":      func(p *Pulse) { p.N, p.Groups = 0, [MaxGroups]GroupClaim{} },
		"all groups":     func(p *Pulse) { p.N = MaxGroups; p.Groups[15].Term = MaxTerm },
		"flags none":     func(p *Pulse) { p.Flags = 0 },
		"flags all":      func(p *Pulse) { p.Flags = 0xFF; p.IntervalMS = 100 },
		"from":           func(p *Pulse) { p.From = MaxMembers - 1 },
		"to":             func(p *Pulse) { p.To = MaxMembers - 1 },
		"session":        func(p *Pulse) { p.Session = 1 },
		"session top":    func(p *Pulse) { p.Session = 1<<32 - 1 },
		"peer none":      func(p *Pulse) { p.PeerSession = 0 },
		"peer top":       func(p *Pulse) { p.PeerSession = 1<<32 - 1 },
		"seq first":      func(p *Pulse) { p.Seq = 1 },
		"seq last":       func(p *Pulse) { p.Seq = MaxSeq },
		"echo none":      func(p *Pulse) { p.Echo, p.EchoAge = 0, 15 },
		"echo last":      func(p *Pulse) { p.Echo = MaxSeq },
		"interval 0":     func(p *Pulse) { p.IntervalMS = 0 },
		"interval top":   func(p *Pulse) { p.IntervalMS = MaxIntervalMS },
		"quiet":          func(p *Pulse) { p.Flags |= Quiet; p.IntervalMS = 4300 },
		"quiet top":      func(p *Pulse) { p.Flags |= Quiet; p.IntervalMS = MaxQuietMS },
		"boot":           func(p *Pulse) { p.Boot = 1<<24 - 1 },
		"health":         func(p *Pulse) { p.Health = 255 },
		"core":           func(p *Pulse) { p.Core = 0xFFFF },
		"rest":           func(p *Pulse) { p.Rest = 0xFF },
		"holds unknown":  func(p *Pulse) { p.Groups[1].Holds = HoldsUnknown },
		"phase last":     func(p *Pulse) { p.Groups[1].Phase = phaseEnd - 1 },
		"wish":           func(p *Pulse) { p.Groups[1].Wish = Wish{MaxMembers, MaxWish} },
		"request none":   func(p *Pulse) { p.Groups[0].Request = 0 },
		"request top":    func(p *Pulse) { p.Groups[0].Request = MaxRequest },
		"grant none":     func(p *Pulse) { p.Groups[1].Grant = 0 },
		"term none":      func(p *Pulse) { p.Groups[0].Term = 0 },
		"term last":      func(p *Pulse) { p.Groups[1].Term = MaxTerm },
		"second group 0": func(p *Pulse) { p.Groups[1] = GroupClaim{} },
	}
	for name, change := range all {
		want := fullPulse()
		change(&want)
		raw := k.AppendPulse(nil, &want)
		got, v := open(k, raw)
		if v != Good || got.Kind != FramePulse || got.Version != 1 || got.Key != 0 {
			t.Fatalf("%s: opened as %v, kind %v, version %d, key %d", name, v, got.Kind, got.Version, got.Key)
		}
		if got.Pulse != want {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got.Pulse, want)
		}
		if got.Side != (Side{}) {
			t.Errorf("%s: side frame of a frame before is left", name)
		}
	}
}

func TestPulseLayout(t *testing.T) {
	k := ring(t, testCluster, testKey(1))
	p := onePulse()
	got := k.AppendPulse(nil, &p)[:pulseHead+groupSize]
	want := []byte{
		0x11, 0x58, 0x21,
		0xA1, 0xB2, 0xC3, 0xD4, 0x01, 0x02, 0x03, 0x04,
		0x00, 0xF0, 0x0D, 0xFE, 0xED, 0x01,
		0x4D, 0x27, 0xB0, 0x07, 0x00, 201, 0xC0, 0x4E, 0x9E,
		// holds 10, phase 0110, wish to 011, wish id 101, request 1010100101, grant 0101011010, term
		0b10_0110_01, 0b1_101_1010, 0b100101_01, 0b01011010, 0xAB, 0xCD, 0xEF,
	}
	if !bytes.Equal(got, want) {
		t.Errorf("\n got % x\nwant % x", got, want)
	}
}

func TestQuietTimeIsRoundedUp(t *testing.T) {
	k := ring(t, testCluster, testKey(1))
	for ms, want := range map[uint32]uint32{0: 0, 1: 100, 99: 100, 100: 100, 101: 200, 59_901: 60_000, 60_000: 60_000} {
		p := fullPulse()
		p.Flags, p.IntervalMS = Quiet, ms
		f, v := open(k, k.AppendPulse(nil, &p))
		if v != Good || f.Pulse.IntervalMS != want {
			t.Errorf("%d ms: %v, %d ms; want %d", ms, v, f.Pulse.IntervalMS, want)
		}
	}
}

func TestPulseOutOfRangePanics(t *testing.T) {
	k := ring(t, testCluster, testKey(1))
	for name, change := range map[string]func(*Pulse){
		"from":       func(p *Pulse) { p.From = MaxMembers },
		"to":         func(p *Pulse) { p.To = MaxMembers },
		"session 0":  func(p *Pulse) { p.Session = 0 },
		"seq 0":      func(p *Pulse) { p.Seq = 0 },
		"seq":        func(p *Pulse) { p.Seq = MaxSeq + 1 },
		"echo":       func(p *Pulse) { p.Echo = MaxSeq + 1 },
		"echo age":   func(p *Pulse) { p.EchoAge = 16 },
		"interval":   func(p *Pulse) { p.IntervalMS = MaxIntervalMS + 1 },
		"quiet":      func(p *Pulse) { p.Flags = Quiet; p.IntervalMS = MaxQuietMS + 1 },
		"boot":       func(p *Pulse) { p.Boot = 1 << 24 },
		"groups":     func(p *Pulse) { p.N = MaxGroups + 1 },
		"holds":      func(p *Pulse) { p.Groups[1].Holds = 3 },
		"phase":      func(p *Pulse) { p.Groups[1].Phase = phaseEnd },
		"wish to":    func(p *Pulse) { p.Groups[1].Wish = Wish{MaxMembers + 1, 1} },
		"wish id":    func(p *Pulse) { p.Groups[1].Wish = Wish{1, MaxWish + 1} },
		"wish no id": func(p *Pulse) { p.Groups[1].Wish = Wish{1, 0} },
		"wish no to": func(p *Pulse) { p.Groups[1].Wish = Wish{0, 1} },
		"request":    func(p *Pulse) { p.Groups[1].Request = MaxRequest + 1 },
		"grant":      func(p *Pulse) { p.Groups[1].Grant = MaxRequest + 1 },
		"term":       func(p *Pulse) { p.Groups[1].Term = MaxTerm + 1 },
	} {
		p := fullPulse()
		change(&p)
		if why := panics(func() { k.AppendPulse(nil, &p) }); !explains(why, "pulse: append pulse: ") {
			t.Errorf("%s: a value that the wire cannot carry: %v", name, why)
		}
	}
	// Groups that are not sent may hold anything.
	p := fullPulse()
	p.Groups[2].Holds = 3
	if why := panics(func() { k.AppendPulse(nil, &p) }); why != nil {
		t.Errorf("a group beyond N was looked at: %v", why)
	}
}

// One property of an authentic pulse is broken on the wire; the sender's own check is out of the way.
func TestMalformedPulse(t *testing.T) {
	k := ring(t, testCluster, testKey(1))
	const group = pulseHead + groupSize
	for name, change := range map[string]func(b []byte){
		"version 0":      func(b []byte) { b[0] = 0x01 },
		"type 0":         func(b []byte) { b[0] = 0x10 },
		"type 3":         func(b []byte) { b[0] = 0x13 },
		"from":           func(b []byte) { b[2] = MaxMembers<<4 | 1 },
		"to":             func(b []byte) { b[2] = 1<<4 | MaxMembers },
		"session":        func(b []byte) { clear(b[3:7]) },
		"seq":            func(b []byte) { clear(b[11:14]) },
		"quiet too long": func(b []byte) { b[1] |= byte(Quiet); b[17], b[18] = 601>>4, 601&15<<4 },
		"holds":          func(b []byte) { b[group] |= 3 << 6 },
		"phase":          func(b []byte) { b[group] = 1<<6 | byte(phaseEnd)<<2 },
		"wish to":        func(b []byte) { b[group] |= 2; b[group+1] |= 0x90 },
		"wish no id":     func(b []byte) { b[group+1] |= 0x80 },
		"wish no to":     func(b []byte) { b[group+1] |= 0x10 },
	} {
		p := fullPulse()
		raw := k.AppendPulse(nil, &p)
		body := raw[:len(raw)-tailSize]
		change(body)
		f, v := open(k, k.sealed(body))
		if v != Malformed {
			t.Errorf("%s: %v", name, v)
		}
		if f != (Frame{}) {
			t.Errorf("%s: something of a malformed frame is left", name)
		}
	}
}

func TestSideRoundTripAndRanges(t *testing.T) {
	k := ring(t, testCluster, testKey(1))
	for name, c := range map[string]struct {
		change func(*Side)
		sent   bool
	}{
		"as it is":         {func(*Side) {}, true},
		"empty":            {func(s *Side) { s.Len, s.Payload = 0, [MaxPayload]byte{} }, true},
		"full":             {func(s *Side) { s.Len = MaxPayload; s.Payload[63] = 1 }, true},
		"vitals":           {func(s *Side) { s.Kind = SideVitals }, true},
		"peer session":     {func(s *Side) { s.PeerSession = 5 }, true},
		"one key":          {func(s *Side) { s.Kind, s.Len = SideKeys, 4; s.Payload[4] = 0 }, true},
		"three keys":       {func(s *Side) { s.Kind, s.Len = SideKeys, 12 }, true},
		"digests":          {func(s *Side) { s.Kind, s.Len = SideDigests, 16 }, true},
		"too long":         {func(s *Side) { s.Len = MaxPayload + 1 }, false},
		"kind 0":           {func(s *Side) { s.Kind = 0 }, false},
		"kind unknown":     {func(s *Side) { s.Kind = sideKindEnd }, false},
		"no key":           {func(s *Side) { s.Kind, s.Len = SideKeys, 0 }, false},
		"half a key":       {func(s *Side) { s.Kind, s.Len = SideKeys, 6 }, false},
		"four keys":        {func(s *Side) { s.Kind, s.Len = SideKeys, 16 }, false},
		"one digest":       {func(s *Side) { s.Kind, s.Len = SideDigests, 8 }, false},
		"too much digest":  {func(s *Side) { s.Kind, s.Len = SideDigests, 17 }, false},
		"from":             {func(s *Side) { s.From = MaxMembers }, false},
		"to":               {func(s *Side) { s.To = MaxMembers }, false},
		"session 0":        {func(s *Side) { s.Session = 0 }, false},
		"seq 0":            {func(s *Side) { s.Seq = 0 }, false},
		"seq out of range": {func(s *Side) { s.Seq = MaxSeq + 1 }, false},
	} {
		want := fullSide()
		c.change(&want)
		var raw []byte
		if why := panics(func() { raw = k.AppendSide(nil, &want) }); c.sent != (why == nil) || !c.sent && !explains(why, "pulse: append side frame: ") {
			t.Errorf("%s: panic %v", name, why)
			continue
		}
		if !c.sent {
			continue
		}
		if len(raw) != headSize+int(want.Len)+tailSize {
			t.Errorf("%s: %d bytes", name, len(raw))
		}
		got, v := open(k, raw)
		if v != Good || got.Kind != FrameSide || got.Side != want || got.Pulse != (Pulse{}) {
			t.Errorf("%s: %v\n got %+v\nwant %+v", name, v, got.Side, want)
		}
	}
}

func TestSideLayout(t *testing.T) {
	k := ring(t, testCluster, testKey(1))
	s := fullSide()
	raw := k.AppendSide(nil, &s)
	want := []byte{0x12, 4, 0x13, 0x0F, 0x1E, 0x2D, 0x3C, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 'a', 0, 'b', 0xFF, 'c'}
	if got := raw[:len(raw)-tailSize]; !bytes.Equal(got, want) {
		t.Errorf("\n got % x\nwant % x", got, want)
	}
}

func TestMalformedSide(t *testing.T) {
	k := ring(t, testCluster, testKey(1))
	for name, change := range map[string]func(b []byte){
		"kind 0":       func(b []byte) { b[1] = 0 },
		"kind unknown": func(b []byte) { b[1] = byte(sideKindEnd) },
		"keys":         func(b []byte) { b[1] = byte(SideKeys) },
		"digests":      func(b []byte) { b[1] = byte(SideDigests) },
		"from":         func(b []byte) { b[2] = 0xF1 },
		"session":      func(b []byte) { clear(b[3:7]) },
		"seq":          func(b []byte) { clear(b[11:14]) },
	} {
		s := fullSide()
		raw := k.AppendSide(nil, &s)
		body := raw[:len(raw)-tailSize]
		change(body)
		if f, v := open(k, k.sealed(body)); v != Malformed || f != (Frame{}) {
			t.Errorf("%s: %v, %+v", name, v, f)
		}
	}
}

func TestSizes(t *testing.T) {
	k := ring(t, testCluster, testKey(1))
	p := onePulse()
	if n := len(AppendLine(nil, k.AppendPulse(nil, &p))); n != 46 || LineBytes(1) != 46 {
		t.Errorf("a pulse of one group takes %d bytes on a line, LineBytes says %d; the design says 46", n, LineBytes(1))
	}
	for n := range uint8(MaxGroups + 1) {
		p.N = n
		raw := k.AppendPulse(nil, &p)
		if got := len(AppendLine(nil, raw)); got != LineBytes(int(n)) {
			t.Errorf("%d groups: %d bytes on a line, LineBytes says %d", n, got, LineBytes(int(n)))
		}
		if n == MaxGroups && len(raw) != MaxFrame {
			t.Errorf("largest frame has %d bytes, MaxFrame says %d", len(raw), MaxFrame)
		}
	}
	for _, n := range []uint8{0, 1, MaxPayload} {
		s := fullSide()
		s.Len = n
		if got := len(AppendLine(nil, k.AppendSide(nil, &s))); got != SideLineBytes(int(n)) {
			t.Errorf("payload of %d: %d bytes on a line, SideLineBytes says %d", n, got, SideLineBytes(int(n)))
		}
	}
}

func TestEchoAge(t *testing.T) {
	for _, c := range []struct {
		ms   uint32
		step uint8
	}{
		{0, 0}, {1, 1}, {2, 2}, {3, 2}, {4, 3}, {7, 3}, {8, 4}, {1023, 10}, {1024, 11},
		{8191, 13}, {8192, 14}, {16383, 14}, {16384, 15}, {1 << 31, 15}, {1<<32 - 1, 15},
	} {
		if got := EchoAgeStep(c.ms); got != c.step {
			t.Errorf("age %d ms is step %d, want %d", c.ms, got, c.step)
		}
	}
	for step := range uint8(16) {
		if got := EchoAgeStep(EchoAgeMS(step)); got != step {
			t.Errorf("step %d begins at %d ms, which is step %d", step, EchoAgeMS(step), got)
		}
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Good.String(), "good"}, {Malformed.String(), "malformed"}, {verdictEnd.String(), "invalid"},
		{FramePulse.String(), "pulse"}, {FrameSide.String(), "side"}, {FrameKind(0).String(), "unknown"},
		{SideKeys.String(), "keys"}, {SideNews.String(), "news"}, {SideKind(0).String(), "invalid"}, {sideKindEnd.String(), "invalid"},
		{HoldsUnknown.String(), "unknown"}, {HoldsYes.String(), "yes"}, {Holds(3).String(), "invalid"},
		{Blocked.String(), "blocked"}, {phaseEnd.String(), "invalid"}, {Claimed.String(), "claimed"}, {Own.String(), "own"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
