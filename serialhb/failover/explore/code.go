package explore

import "encoding/binary"

// codec holds a cluster and writes it in few bytes: what is yes or no, eight to a byte, then the numbers, of eight at a time
// those that are not 0. Renamed ones are small. What lies outside the scope it leaves out; that has to be 0.
//
// It knows its own cluster by its place in memory, so it must not be copied.
type codec struct {
	s     *Scope
	c     Cluster
	hosts eights
	ways  []uint8 // that there are
	flies [maxWays][maxWire]eights
}

func newCodec(s *Scope) *codec {
	k := &codec{s: s}
	var all leaves
	all.small = append(all.small, &k.c.Crashes, &k.c.Faults, &k.c.Words, &k.c.Lies)
	all.flags = append(all.flags, &k.c.Lied)
	for i := range s.Members {
		all.host(s, &k.c.Hosts[i])
	}
	k.hosts = all.eights()
	for w := range uint8(maxWays) {
		if a, b := ends(w); a >= s.Members || b >= s.Members {
			continue
		}
		k.ways = append(k.ways, w)
		for f := range s.Wire {
			var all leaves
			all.flight(s, &k.c.Ways[w].Pulses[f])
			k.flies[w][f] = all.eights()
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

// eights are the same eight by eight, the last ones filled up with what is always 0: so to write them takes few branches.
type eights struct {
	flags  [][8]*bool
	small  [][8]*uint8
	middle [][8]*uint16
	wide   [][8]*uint32
}

func (l *leaves) eights() eights {
	return eights{byEight(l.flags), byEight(l.small), byEight(l.middle), byEight(l.wide)}
}

func byEight[T any](all []*T) [][8]*T {
	out, none := make([][8]*T, (len(all)+7)/8), new(T)
	for i := range 8 * len(out) {
		out[i/8][i%8] = none
		if i < len(all) {
			out[i/8][i%8] = all[i]
		}
	}
	return out
}

func (e *eights) put(out []byte) []byte {
	for i := range e.flags {
		f := &e.flags[i]
		out = append(out, b2u(*f[0])|b2u(*f[1])<<1|b2u(*f[2])<<2|b2u(*f[3])<<3|b2u(*f[4])<<4|b2u(*f[5])<<5|b2u(*f[6])<<6|b2u(*f[7])<<7)
	}
	return putAll(putAll(putAll(out, e.small), e.middle), e.wide)
}

func (e *eights) take(in []byte) []byte {
	for k := range e.flags {
		for i, f := range e.flags[k] {
			*f = in[0]>>i&1 != 0
		}
		in = in[1:]
	}
	return takeAll(takeAll(takeAll(in, e.small), e.middle), e.wide)
}

type number interface{ uint8 | uint16 | uint32 }

func putAll[T number](out []byte, all [][8]*T) []byte {
	for k := range all {
		n := &all[k]
		mask := len(out)
		out = append(out, 0)
		if *n[0]|*n[1]|*n[2]|*n[3]|*n[4]|*n[5]|*n[6]|*n[7] == 0 {
			continue
		}
		for i, n := range n {
			if *n != 0 {
				out[mask] |= 1 << i
				out = putNumber(out, uint32(*n))
			}
		}
	}
	return out
}

func takeAll[T number](in []byte, all [][8]*T) []byte {
	for k := range all {
		mask := in[0]
		in = in[1:]
		for i, n := range all[k] {
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
