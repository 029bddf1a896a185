package pulse

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

func run(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i%255) + 1
	}
	return b
}

func TestCOBS(t *testing.T) {
	long := run(600)
	join := func(parts ...[]byte) []byte { return slices.Concat(parts...) }
	for _, c := range []struct{ plain, stuffed []byte }{
		{[]byte{}, []byte{1}},
		{[]byte{0}, []byte{1, 1}},
		{[]byte{0, 0}, []byte{1, 1, 1}},
		{[]byte{5}, []byte{2, 5}},
		{[]byte{5, 0}, []byte{2, 5, 1}},
		{[]byte{0, 5}, []byte{1, 2, 5}},
		{[]byte{1, 2, 0, 3}, []byte{3, 1, 2, 2, 3}},
		{long[:253], join([]byte{254}, long[:253])},
		{long[:254], join([]byte{255}, long[:254])},
		{long[:255], join([]byte{255}, long[:254], []byte{2}, long[254:255])},
		{join(long[:254], []byte{0}), join([]byte{255}, long[:254], []byte{1, 1})},
		{join([]byte{0}, long[:254]), join([]byte{1, 255}, long[:254])},
		{long[:508], join([]byte{255}, long[:254], []byte{255}, long[254:508])},
	} {
		got := appendStuffed(nil, c.plain)
		if !bytes.Equal(got, c.stuffed) {
			t.Errorf("% x is stuffed to % x, want % x", c.plain, got, c.stuffed)
		}
		if len(got) > len(c.plain)+stuffing(len(c.plain)) {
			t.Errorf("%d bytes grew to %d", len(c.plain), len(got))
		}
		n, ok := unstuff(got)
		if !ok || !bytes.Equal(got[:n], c.plain) {
			t.Errorf("% x comes back as % x", c.plain, got[:n])
		}
	}
	for _, bad := range [][]byte{{2}, {3, 1}, {1, 3, 9}, {255, 1}, {0}, {2, 7, 0}} {
		if _, ok := unstuff(bytes.Clone(bad)); ok {
			t.Errorf("% x passes as stuffed bytes", bad)
		}
	}
}

// decode gives a decoder the stream in the chunks that sizes ask for, over and over; zero means one byte.
func decode(stream []byte, sizes ...int) (frames [][]byte, counters LineCounters) {
	var d Decoder
	for i := 0; len(stream) > 0; i++ {
		n := min(max(sizes[i%len(sizes)], 1), len(stream))
		for b := stream[:n]; len(b) > 0; {
			var frame []byte
			if frame, b = d.Next(b); frame != nil {
				frames = append(frames, bytes.Clone(frame))
			}
		}
		stream = stream[n:]
	}
	return frames, d.Counters
}

// frameSet is frames of all sorts, as they come from a keyring.
func frameSet(t testing.TB) (frames [][]byte) {
	k := ring(t, testCluster, testKey(1))
	for n := range uint8(MaxGroups + 1) {
		p := fullPulse()
		p.N, p.Seq = n, uint32(n)+1
		frames = append(frames, k.AppendPulse(nil, &p))
	}
	s := fullSide()
	return append(frames, k.AppendSide(nil, &s), []byte{0}, []byte{7})
}

func TestDecoderAnyChunking(t *testing.T) {
	want := frameSet(t)
	var stream []byte
	for i, f := range want {
		stream = AppendLine(stream, f)
		stream = append(stream, run(i*40)...) // noise, short and overlong
	}
	_, whole := decode(stream, len(stream))
	// The noise behind the last frame has no delimiter yet: it is overlong by itself.
	if whole.Frames != uint64(len(want)) || whole.Resyncs != uint64(len(want)-1) {
		t.Fatalf("%+v of %d frames", whole, len(want))
	}
	for size := 1; size <= len(stream); size++ {
		got, counters := decode(stream, size)
		if !reflect.DeepEqual(got, want) || counters != whole {
			t.Fatalf("chunks of %d: %d frames, %+v; want %d, %+v", size, len(got), counters, len(want), whole)
		}
	}
	for cut := 1; cut < 100; cut++ {
		if got, _ := decode(stream[:100], cut, 100); len(got) != 2 {
			t.Fatalf("cut at %d: %d frames", cut, len(got))
		}
	}
}

func TestDecoderCounts(t *testing.T) {
	whole := AppendLine(nil, []byte("frame"))
	for name, c := range map[string]struct {
		stream []byte
		want   LineCounters
	}{
		"nothing":             {nil, LineCounters{}},
		"delimiters":          {make([]byte, 1000), LineCounters{}},
		"frame":               {whole, LineCounters{Frames: 1}},
		"two frames":          {slices.Concat(whole, whole), LineCounters{Frames: 2}},
		"shared delimiter":    {slices.Concat(whole, whole[1:]), LineCounters{Frames: 2}},
		"no end yet":          {whole[:len(whole)-1], LineCounters{}},
		"not stuffed":         {[]byte{0, 9, 9, 0}, LineCounters{Resyncs: 1, NoiseBytes: 2}},
		"stuffed nothing":     {[]byte{0, 1, 0}, LineCounters{Resyncs: 1, NoiseBytes: 1}},
		"noise, frame":        {slices.Concat([]byte{9, 9, 9}, whole), LineCounters{Frames: 1, Resyncs: 1, NoiseBytes: 3}},
		"overlong, no end":    {run(1000), LineCounters{Resyncs: 1, NoiseBytes: 1000}},
		"overlong, frame":     {slices.Concat(run(1000), whole), LineCounters{Frames: 1, Resyncs: 1, NoiseBytes: 1000}},
		"overlong twice":      {slices.Concat(run(200), []byte{0}, run(150), whole), LineCounters{Frames: 1, Resyncs: 2, NoiseBytes: 350}},
		"largest":             {AppendLine(nil, run(MaxFrame)), LineCounters{Frames: 1}},
		"one byte too large":  {AppendLine(nil, run(MaxFrame+1)), LineCounters{Resyncs: 1, NoiseBytes: MaxFrame + 2}},
		"largest of zeros":    {AppendLine(nil, make([]byte, MaxFrame)), LineCounters{Frames: 1}},
		"zeros, one too many": {AppendLine(nil, make([]byte, MaxFrame+1)), LineCounters{Resyncs: 1, NoiseBytes: MaxFrame + 2}},
	} {
		for _, size := range []int{1, 2, 3, 64, 149, 150, 5000} {
			if _, got := decode(c.stream, size); got != c.want {
				t.Errorf("%s in chunks of %d: %+v, want %+v", name, size, got, c.want)
			}
		}
	}
}

func TestNoiseBetweenFramesLosesNone(t *testing.T) {
	want := frameSet(t)
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var stream []byte
		for _, f := range want {
			for range random.IntN(300) {
				stream = append(stream, byte(random.Uint32()))
			}
			stream = AppendLine(stream, f)
		}
		got, _ := decode(stream, random.IntN(50), random.IntN(50), random.IntN(400))
		// Noise may have the form of a frame; the frames that were sent must all be there, in order.
		i := 0
		for _, f := range got {
			if i < len(want) && bytes.Equal(f, want[i]) {
				i++
			}
		}
		if i != len(want) {
			t.Fatalf("noise cost frame %d of %d", i+1, len(want))
		}
	}
}

func TestBeginInMidFrameCostsThatFrame(t *testing.T) {
	frames := frameSet(t)[:3]
	var stream []byte
	for _, f := range frames {
		stream = AppendLine(stream, f)
	}
	first := len(AppendLine(nil, frames[0]))
	for from := 1; from <= first; from++ {
		got, _ := decode(stream[from:], 5)
		if len(got) < 2 || !reflect.DeepEqual(got[len(got)-2:], frames[1:]) {
			t.Fatalf("begin at byte %d: the frames behind the first are not whole", from)
		}
	}
}

func TestOneDamagedByteCostsOneFrame(t *testing.T) {
	frames := frameSet(t)[:3]
	first := AppendLine(nil, frames[0])
	middle := AppendLine(nil, frames[1])
	last := AppendLine(nil, frames[2])
	for at := range middle {
		for value := range 256 {
			damaged := bytes.Clone(middle)
			damaged[at] = byte(value)
			got, _ := decode(slices.Concat(first, damaged, last), 1000)
			if len(got) < 2 || !bytes.Equal(got[0], frames[0]) || !bytes.Equal(got[len(got)-1], frames[2]) {
				t.Fatalf("byte %d turned into %#x costs a neighbour", at, value)
			}
		}
	}
}

func TestNextReturnsTheRest(t *testing.T) {
	var d Decoder
	stream := slices.Concat(AppendLine(nil, []byte("one")), AppendLine(nil, []byte("two")), []byte{4, 'x'})
	frame, rest := d.Next(stream)
	if string(frame) != "one" || len(rest) != len(stream)-6 {
		t.Fatalf("%q, %d bytes left", frame, len(rest))
	}
	frame, rest = d.Next(rest)
	if string(frame) != "two" || len(rest) != 2 {
		t.Fatalf("%q, %d bytes left", frame, len(rest))
	}
	if frame, rest = d.Next(rest); frame != nil || rest != nil {
		t.Fatalf("%q, %q where nothing is whole", frame, rest)
	}
	if frame, rest = d.Next([]byte{'y', 'z', 0}); string(frame) != "xyz" || len(rest) != 0 {
		t.Fatalf("%q, %d bytes left", frame, len(rest))
	}
}

func TestDecoderMemoryIsFixed(t *testing.T) {
	if size := reflect.TypeFor[Decoder]().Size(); size > 256 {
		t.Errorf("a decoder has %d bytes", size)
	}
	var d Decoder
	noise := run(1 << 16)
	if n := testing.AllocsPerRun(20, func() { d.Next(noise) }); n != 0 {
		t.Errorf("noise without an end allocates %v times", n)
	}
}
