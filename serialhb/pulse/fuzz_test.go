package pulse

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"
)

// again encodes what a frame says.
func again(k *Keyring, f *Frame) []byte {
	if f.Kind == FrameSide {
		return k.AppendSide(nil, &f.Side)
	}
	return k.AppendPulse(nil, &f.Pulse)
}

// rightful judges a body of this version by the words of the README.
func rightful(b []byte) Verdict {
	number := func(from, bits int) (n uint64) { // from and bits count from the top bit of the body
		for i := from; i < from+bits; i++ {
			n = n<<1 | uint64(b[i/8]>>(7-i%8)&1)
		}
		return n
	}
	if len(b) < 14 {
		return Short
	}
	pulse, side := b[0]&15 == 1, b[0]&15 == 2
	groups, payload := (len(b)-26)/7, len(b)-14
	if pulse && (len(b) < 26 || (len(b)-26)%7 != 0 || groups > 16) || side && payload > 64 {
		return Short
	}
	ok := (pulse || side) && number(16, 4) < 4 && number(20, 4) < 4 && number(24, 32) != 0 && number(88, 24) != 0
	if side {
		ids, digests := payload == 4 || payload == 8 || payload == 12, payload == 16
		ok = ok && (b[1] == 1 && ids || b[1] == 2 && digests || b[1] == 3 || b[1] == 4)
	}
	if pulse {
		ok = ok && (b[1]&2 == 0 || number(136, 12) <= 600)
		for g := range groups {
			at := 208 + 56*g
			to, id := number(at+6, 3), number(at+9, 3)
			ok = ok && number(at, 2) <= 2 && number(at+2, 4) <= 9 && to <= 4 && (to == 0) == (id == 0)
		}
	}
	if !ok {
		return Malformed
	}
	return Good
}

// FuzzOpen: no bytes make Open panic, a frame that it accepts says every bit of its bytes, and it accepts what the README
// says. Since nobody guesses a MAC, the same bytes are tried as a body that is signed, too.
func FuzzOpen(f *testing.F) {
	k := ring(f, testCluster, testKey(1))
	for _, frame := range frameSet(f) {
		f.Add(frame)
		f.Add(frame[:max(0, len(frame)-tailSize)])
	}
	f.Add(append(bytes.Clone(frameSet(f)[MaxGroups]), run(groupSize)...))
	// Every bit of a body is turned over, every field is 0 once, and the bytes that hold narrow ones are everything.
	one, news := onePulse(), fullSide()
	for _, frame := range [][]byte{k.AppendPulse(nil, &one), k.AppendSide(nil, &news)} {
		body := frame[:len(frame)-tailSize]
		for i := range body {
			for bit := range 8 {
				odd := bytes.Clone(body)
				odd[i] ^= 1 << bit
				f.Add(odd)
			}
			for width := 1; width <= 4; width++ {
				odd := bytes.Clone(body)
				clear(odd[i:min(i+width, len(odd))])
				f.Add(odd)
			}
		}
		for _, i := range []int{0, 1, 2, pulseHead, pulseHead + 1} {
			for b := range 256 {
				odd := bytes.Clone(body)
				odd[min(i, len(odd)-1)] = byte(b)
				f.Add(odd)
			}
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		tries := [][]byte{raw}
		if len(raw) <= MaxFrame-tailSize {
			tries = append(tries, k.sealed(raw))
		}
		for i, raw := range tries {
			frame, v := open(k, raw)
			if i == 1 && v != Good && v != Short && v != NewerVersion && v != Malformed {
				t.Fatalf("signed bytes are %v", v)
			}
			if i == 1 && raw[0]>>4 == version && v != rightful(raw[:len(raw)-tailSize]) {
				t.Fatalf("% x is %v", raw, v)
			}
			switch {
			case v == Good && !bytes.Equal(again(k, &frame), raw):
				t.Fatalf("% x\nsays %+v\nwhich is % x", raw, frame, again(k, &frame))
			case v != Good && v != NewerVersion && frame != Frame{}:
				t.Fatalf("%v, and yet %+v", v, frame)
			}
		}
	})
}

// FuzzForge: whatever is done to the line of an authentic frame, nothing but that frame is accepted behind it. Its check is
// no secret, so the frame is tried with one that fits what was done, too.
func FuzzForge(f *testing.F) {
	k := ring(f, testCluster, testKey(1), testKey(2))
	frames := frameSet(f)[:MaxGroups+2]
	f.Add(uint8(1), uint16(5), []byte{1}, uint16(0))
	f.Add(uint8(17), uint16(30), []byte{0, 0, 255}, uint16(1))
	f.Add(uint8(3), uint16(0), []byte{}, uint16(7))
	for at := range uint16(len(frames[1])) {
		f.Add(uint8(1), at, []byte{0x10}, uint16(0))
	}
	f.Fuzz(func(t *testing.T, which uint8, at uint16, mask []byte, cut uint16) {
		authentic := frames[int(which)%len(frames)]
		for _, bare := range []bool{true, false} {
			forged := bytes.Clone(authentic)
			if !bare {
				forged = AppendLine(nil, authentic)
			}
			start := int(at) % len(forged)
			for i := range min(len(mask), len(forged)-start) {
				forged[start+i] ^= mask[i]
			}
			forged = forged[:len(forged)-int(cut)%len(forged)]
			found := [][]byte{forged}
			if !bare {
				found, _ = decode(forged, len(forged))
			} else if n := len(forged) - checkSize; n > 0 {
				found = append(found, binary.BigEndian.AppendUint16(forged[:n:n], crc16(forged[:n])^k.cluster))
			}
			for _, raw := range found {
				frame, v := open(k, raw)
				if (v == Good || v == NewerVersion || v == Malformed || v == WrongCluster) && !bytes.Equal(raw, authentic) {
					t.Fatalf("% x was never signed and is %v: %+v", raw, v, frame)
				}
			}
		}
	})
}

// FuzzDecoder: the chunking of a stream changes nothing, and every run between two zeros is a frame or noise.
func FuzzDecoder(f *testing.F) {
	var stream []byte
	for _, frame := range frameSet(f) {
		stream = append(AppendLine(stream, frame), run(len(frame))...)
	}
	f.Add(stream, []byte{1, 40, 200})
	f.Add([]byte{0, 1, 0, 2, 2, 0, 3}, []byte{0})
	f.Add([]byte{0, 2, 0, 5, 5, 0, 255, 0, 1, 1, 0}, []byte{0})
	for _, n := range []int{1, MaxFrame, MaxFrame + 1} {
		f.Add(AppendLine([]byte{9, 9}, run(n)), []byte{7})
		f.Add(append(make([]byte, 3), run(n+1)...), []byte{150})
	}
	f.Fuzz(func(t *testing.T, stream, chunks []byte) {
		sizes := []int{1}
		for _, c := range chunks {
			sizes = append(sizes, int(c))
		}
		whole, wholeCounters := decode(stream, max(1, len(stream)))
		parts, partsCounters := decode(stream, sizes...)
		if !reflect.DeepEqual(whole, parts) || wholeCounters != partsCounters {
			t.Fatalf("%d frames %+v at once, %d frames %+v in chunks", len(whole), wholeCounters, len(parts), partsCounters)
		}
		if want, wantCounters := runs(stream); !reflect.DeepEqual(whole, want) || wholeCounters != wantCounters {
			t.Fatalf("% x\nis %d frames %+v, want %d frames %+v", stream, len(whole), wholeCounters, len(want), wantCounters)
		}
	})
}

// runs is what a decoder finds, by the words of the README.
func runs(stream []byte) (frames [][]byte, c LineCounters) {
	all := bytes.Split(stream, []byte{0})
	for i, run := range all {
		const longest = MaxFrame + 1
		ended := i < len(all)-1
		if len(run) == 0 || !ended && len(run) <= longest {
			continue
		}
		var frame []byte
		rest := run
		for len(rest) > 0 && int(rest[0]) <= len(rest) {
			code := rest[0]
			frame, rest = append(frame, rest[1:code]...), rest[code:]
			if code != 255 && len(rest) > 0 {
				frame = append(frame, 0)
			}
		}
		if len(run) > longest || len(rest) > 0 || len(frame) == 0 {
			c.Resyncs++
			c.NoiseBytes += uint64(len(run))
			continue
		}
		c.Frames++
		frames = append(frames, frame)
	}
	return frames, c
}

// FuzzCOBS: any bytes come back, stuffed bytes have no zero and the announced size, and nothing makes unstuff panic.
func FuzzCOBS(f *testing.F) {
	for _, b := range [][]byte{{}, {0}, run(253), run(254), run(255), append(run(254), 0), make([]byte, 600)} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, plain []byte) {
		stuffed := appendStuffed(nil, plain)
		if bytes.IndexByte(stuffed, 0) >= 0 || len(stuffed) > len(plain)+stuffing(len(plain)) {
			t.Fatalf("% x is stuffed to % x", plain, stuffed)
		}
		n, ok := unstuff(stuffed)
		if !ok || !bytes.Equal(stuffed[:n], plain) {
			t.Fatalf("% x comes back as % x", plain, stuffed[:n])
		}
		unstuff(bytes.Clone(plain))
	})
}
