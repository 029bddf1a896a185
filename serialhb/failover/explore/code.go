package explore

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// codec writes clusters as few bytes: of 64 values at a time which are not 0, then those. Renamed ones are small.
type codec struct {
	s           *Scope
	host, flies plan
}

// plan is where the numbers of a flat value lie: by words of eight bytes, so that those that are 0 cost one look.
type plan []word

type word struct {
	at     uintptr
	leaves []leaf
}

type leaf struct {
	at   uintptr
	size uintptr
}

func newCodec(s *Scope) *codec {
	k := &codec{s: s}
	k.host = k.plan(reflect.TypeFor[Host]())
	k.flies = k.plan(reflect.TypeFor[Flight]())
	return k
}

func (k *codec) plan(t reflect.Type) plan {
	var out plan
	for _, l := range k.leaves(nil, t, 0) {
		at := l.at &^ 7
		if n := len(out); n == 0 || out[n-1].at != at {
			out = append(out, word{at: at})
		}
		w := &out[len(out)-1]
		w.leaves = append(w.leaves, l)
	}
	if t.Size()%8 != 0 { // a word is read as a whole
		panic(fmt.Sprintf("explore: a %s is no whole number of words", t))
	}
	return out
}

// leaves adds the numbers of a type. Of arrays that stand for members, groups and links it takes those that there are, of senses
// the first. What it leaves out must be 0: a test holds every kind of cluster against its own bytes.
func (k *codec) leaves(to []leaf, t reflect.Type, at uintptr) []leaf {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			to = k.leaves(to, t.Field(i).Type, at+t.Field(i).Offset)
		}
	case reflect.Array:
		for i := range k.length(t) {
			to = k.leaves(to, t.Elem(), at+uintptr(i)*t.Elem().Size())
		}
	case reflect.Bool, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		to = append(to, leaf{at, t.Size()})
	default:
		panic(fmt.Sprintf("explore: a %s is no flat number", t))
	}
	return to
}

func (k *codec) length(t reflect.Type) int {
	switch n := t.Len(); {
	case n == failover.MaxMembers:
		return int(k.s.Members)
	case n == failover.MaxGroups && t.Elem().Kind() == reflect.Struct:
		return int(k.s.Groups)
	case n == pulse.MaxLinks && t.Elem().Kind() == reflect.Uint32:
		return int(k.s.links())
	case n == failover.MaxSenses && t.Elem().Kind() == reflect.Struct:
		return 1
	default:
		return n
	}
}

// put appends the numbers of the value at a place: for eight words which are not 0, for each of those which of its numbers, and
// then these.
func (p plan) put(out []byte, base unsafe.Pointer) []byte {
	for from := 0; from < len(p); from += 8 {
		head := len(out)
		out = append(out, 0)
		for i, w := range p[from:min(from+8, len(p))] {
			if *(*uint64)(unsafe.Add(base, w.at)) == 0 {
				continue
			}
			mask := len(out)
			out = append(out, 0)
			for b, l := range w.leaves {
				if v := l.get(base); v != 0 {
					out[mask] |= 1 << b
					out = putNumber(out, v)
				}
			}
			if out[mask] == 0 { // between its numbers lies what is none
				out = out[:mask]
				continue
			}
			out[head] |= 1 << i
		}
	}
	return out
}

// take reads them back, into a value that is 0.
func (p plan) take(in []byte, base unsafe.Pointer) []byte {
	for from := 0; from < len(p); from += 8 {
		head := in[0]
		in = in[1:]
		for i := 0; head>>i != 0; i++ {
			if head>>i&1 == 0 {
				continue
			}
			mask := in[0]
			in = in[1:]
			for b := 0; mask>>b != 0; b++ {
				if mask>>b&1 != 0 {
					var v uint32
					v, in = takeNumber(in)
					p[from+i].leaves[b].set(base, v)
				}
			}
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

func (l leaf) get(base unsafe.Pointer) uint32 {
	switch at := unsafe.Add(base, l.at); l.size {
	case 1:
		return uint32(*(*uint8)(at))
	case 2:
		return uint32(*(*uint16)(at))
	default:
		return *(*uint32)(at)
	}
}

func (l leaf) set(base unsafe.Pointer, v uint32) {
	switch at := unsafe.Add(base, l.at); l.size {
	case 1:
		*(*uint8)(at) = uint8(v)
	case 2:
		*(*uint16)(at) = uint16(v)
	default:
		*(*uint32)(at) = v
	}
}

func (k *codec) flight(out []byte, f *Flight) []byte { return k.flies.put(out, unsafe.Pointer(f)) }

func (k *codec) encode(out []byte, c *Cluster) []byte {
	out = append(out, c.Crashes, c.Faults, c.Words, c.Lies)
	for i := range k.s.Members {
		out = k.host.put(out, unsafe.Pointer(&c.Hosts[i]))
	}
	k.eachWay(func(i uint8) {
		w := &c.Ways[i]
		out = append(out, w.N)
		for f := range w.N {
			out = k.flight(out, &w.Pulses[f])
		}
	})
	return out
}

func (k *codec) decode(in []byte, c *Cluster) {
	c.clear(k.s)
	c.Crashes, c.Faults, c.Words, c.Lies = in[0], in[1], in[2], in[3]
	in = in[4:]
	for i := range k.s.Members {
		in = k.host.take(in, unsafe.Pointer(&c.Hosts[i]))
	}
	k.eachWay(func(i uint8) {
		w := &c.Ways[i]
		w.N, in = in[0], in[1:]
		for f := range w.N {
			in = k.flies.take(in, unsafe.Pointer(&w.Pulses[f]))
		}
	})
}

func (k *codec) eachWay(f func(uint8)) {
	for i := range uint8(maxWays) {
		if a, b := ends(i); a < k.s.Members && b < k.s.Members {
			f(i)
		}
	}
}
