package pulse

import (
	"bytes"
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

// FuzzOpen: no bytes make Open panic, and a frame that it accepts says every bit of its bytes. Since nobody guesses a
// MAC, the same bytes are tried as a body that is signed, too.
func FuzzOpen(f *testing.F) {
	k := ring(f, testCluster, testKey(1))
	for _, frame := range frameSet(f) {
		f.Add(frame)
		f.Add(frame[:max(0, len(frame)-tailSize)])
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
			switch {
			case v == Good && !bytes.Equal(again(k, &frame), raw):
				t.Fatalf("% x\nsays %+v\nwhich is % x", raw, frame, again(k, &frame))
			case v != Good && v != NewerVersion && frame != Frame{}:
				t.Fatalf("%v, and yet %+v", v, frame)
			}
		}
	})
}

// FuzzForge: whatever is done to the line of an authentic frame, nothing but that frame is accepted behind it.
func FuzzForge(f *testing.F) {
	k := ring(f, testCluster, testKey(1), testKey(2))
	frames := frameSet(f)[:MaxGroups+2]
	f.Add(uint8(1), uint16(5), []byte{1}, uint16(0))
	f.Add(uint8(17), uint16(30), []byte{0, 0, 255}, uint16(1))
	f.Add(uint8(3), uint16(0), []byte{}, uint16(7))
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

// FuzzDecoder: the chunking of a stream changes nothing.
func FuzzDecoder(f *testing.F) {
	var stream []byte
	for _, frame := range frameSet(f) {
		stream = append(AppendLine(stream, frame), run(len(frame))...)
	}
	f.Add(stream, []byte{1, 40, 200})
	f.Add([]byte{0, 1, 0, 2, 2, 0, 3}, []byte{0})
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
		for _, frame := range whole {
			if len(frame) < 1 || len(frame) > MaxFrame {
				t.Fatalf("frame of %d bytes", len(frame))
			}
		}
	})
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
