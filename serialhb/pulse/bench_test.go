package pulse

import "testing"

func BenchmarkAppendPulse(b *testing.B) {
	k := ring(b, testCluster, testKey(1))
	p := onePulse()
	dst := make([]byte, 0, MaxFrame)
	b.ReportAllocs()
	for b.Loop() {
		dst = k.AppendPulse(dst[:0], &p)
	}
}

func BenchmarkOpen(b *testing.B) {
	for name, k := range map[string]*Keyring{
		"first key": ring(b, testCluster, testKey(1)),
		"third key": ring(b, testCluster, testKey(2), testKey(3), testKey(1)),
		"wrong key": ring(b, testCluster, testKey(2)),
	} {
		b.Run(name, func(b *testing.B) {
			p := onePulse()
			raw := ring(b, testCluster, testKey(1)).AppendPulse(nil, &p)
			var f Frame
			b.ReportAllocs()
			for b.Loop() {
				k.Open(raw, &f)
			}
		})
	}
}

// BenchmarkLine is the whole way of a pulse of one group: encode, sign, stuff, find in the stream, verify, decode.
func BenchmarkLine(b *testing.B) {
	k := ring(b, testCluster, testKey(1))
	p := onePulse()
	var raw [MaxFrame]byte
	line := make([]byte, 0, LineBytes(MaxGroups))
	var d Decoder
	var f Frame
	b.ReportAllocs()
	for b.Loop() {
		line = AppendLine(line[:0], k.AppendPulse(raw[:0], &p))
		frame, _ := d.Next(line)
		if k.Open(frame, &f) != Good {
			b.Fatal("lost on the way")
		}
	}
}

func BenchmarkDecoder(b *testing.B) {
	k := ring(b, testCluster, testKey(1))
	p := onePulse()
	line := AppendLine(nil, k.AppendPulse(nil, &p))
	var d Decoder
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		d.Next(line)
	}
}
