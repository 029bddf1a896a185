package explore

import "encoding/binary"

// codec holds a cluster and writes it in few bytes: what is yes or no, eight to a byte, then the numbers, of eight at a time
// those that are not 0. Renamed ones are small. What lies outside the scope it leaves out; that has to be 0.
//
// It knows its own cluster by its place in memory, so it must not be copied.
type codec struct {
	s     *Scope
	c     Cluster
	hosts leaves
	ways  []uint8 // that there are
	flies [maxWays][maxWire]leaves
}

func newCodec(s *Scope) *codec {
	k := &codec{s: s}
	k.hosts.small = append(k.hosts.small, &k.c.Crashes, &k.c.Faults, &k.c.Words, &k.c.Lies)
	for i := range s.Members {
		k.hosts.host(s, &k.c.Hosts[i])
	}
	for w := range uint8(maxWays) {
		if a, b := ends(w); a >= s.Members || b >= s.Members {
			continue
		}
		k.ways = append(k.ways, w)
		for f := range s.Wire {
			k.flies[w][f].flight(s, &k.c.Ways[w].Pulses[f])
		}
	}
	return k
}

// encode appends the cluster.
func (k *codec) encode(out []byte) []byte {
	out = k.hosts.put(out)
	for _, w := range k.ways {
		n := k.c.Ways[w].N
		out = append(out, n)
		for f := range n {
			out = k.flies[w][f].put(out)
		}
	}
	return out
}

// decode reads it back.
func (k *codec) decode(in []byte) {
	in = k.hosts.take(in)
	for _, w := range k.ways {
		way := &k.c.Ways[w]
		for f := in[0]; f < way.N; f++ {
			way.Pulses[f] = Flight{}
		}
		way.N, in = in[0], in[1:]
		for f := range way.N {
			in = k.flies[w][f].take(in)
		}
	}
}

// leaves are the numbers of a value, where they lie.
type leaves struct {
	flags  []*bool
	small  []*uint8
	middle []*uint16
	wide   []*uint32
}

func (l *leaves) put(out []byte) []byte {
	for from := 0; from < len(l.flags); from += 8 {
		eight := byte(0)
		for i, f := range l.flags[from:min(from+8, len(l.flags))] {
			if *f {
				eight |= 1 << i
			}
		}
		out = append(out, eight)
	}
	return putAll(putAll(putAll(out, l.small), l.middle), l.wide)
}

func (l *leaves) take(in []byte) []byte {
	for from := 0; from < len(l.flags); from += 8 {
		for i, f := range l.flags[from:min(from+8, len(l.flags))] {
			*f = in[0]>>i&1 != 0
		}
		in = in[1:]
	}
	return takeAll(takeAll(takeAll(in, l.small), l.middle), l.wide)
}

type number interface{ uint8 | uint16 | uint32 }

func putAll[T number](out []byte, all []*T) []byte {
	for from := 0; from < len(all); from += 8 {
		mask := len(out)
		out = append(out, 0)
		for i, n := range all[from:min(from+8, len(all))] {
			if *n != 0 {
				out[mask] |= 1 << i
				out = putNumber(out, uint32(*n))
			}
		}
	}
	return out
}

func takeAll[T number](in []byte, all []*T) []byte {
	for from := 0; from < len(all); from += 8 {
		mask := in[0]
		in = in[1:]
		for i, n := range all[from:min(from+8, len(all))] {
			v := uint32(0)
			if mask>>i&1 != 0 {
				v, in = takeNumber(in)
			}
			*n = T(v)
		}
	}
	return in
}

// large says that four bytes follow.
const large = 255

func putNumber(out []byte, v uint32) []byte {
	if v < large {
		return append(out, byte(v))
	}
	return binary.LittleEndian.AppendUint32(append(out, large), v)
}

func takeNumber(in []byte) (uint32, []byte) {
	if in[0] < large {
		return uint32(in[0]), in[1:]
	}
	return binary.LittleEndian.Uint32(in[1:]), in[5:]
}
