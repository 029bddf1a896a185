package pulse

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"
)

// MinKey is the length in bytes of the shortest key that is accepted.
const MinKey = 16

// KeyID names a key without telling it.
type KeyID [keyIDSize]byte

// String is the id in hexadecimal.
func (id KeyID) String() string { return fmt.Sprintf("%x", id[:]) }

// Keyring signs frames and opens them. It is not safe for concurrent use: each goroutine takes a [Keyring.Clone].
type Keyring struct {
	cluster uint16
	keys    []key
	// Frames are built and verified here: what is handed to a hash.Hash escapes, and the caller's bytes must not.
	frame [MaxFrame]byte
	sum   [sha256.Size]byte
	where [2]byte // the cluster id of a MAC
}

type key struct {
	secret []byte
	id     KeyID
	mac    hash.Hash
}

// NewKeyring makes a keyring of one to three different keys of at least [MinKey] bytes each. The first signs, any
// verifies. The keys are copied.
func NewKeyring(cluster string, keys ...[]byte) (*Keyring, error) {
	if len(keys) < 1 || len(keys) > maxKeys {
		return nil, fmt.Errorf("pulse: make keyring: there are %d keys; give 1 to %d", len(keys), maxKeys)
	}
	k := &Keyring{cluster: clusterID(cluster)}
	for i, secret := range keys {
		if len(secret) < MinKey {
			return nil, fmt.Errorf("pulse: make keyring: key %d has %d bytes; make one of at least %d", i+1, len(secret), MinKey)
		}
		for j, other := range keys[:i] {
			if sameKey(secret, other) {
				return nil, fmt.Errorf("pulse: make keyring: keys %d and %d are the same; remove one", j+1, i+1)
			}
		}
		k.keys = append(k.keys, newKey(slices.Clone(secret)))
	}
	return k, nil
}

// sameKey says whether two keys sign alike. HMAC fills a key up with zeros, so zeros at its end make no other key.
func sameKey(a, b []byte) bool {
	return bytes.Equal(bytes.TrimRight(a, "\x00"), bytes.TrimRight(b, "\x00"))
}

func newKey(secret []byte) key {
	sum := sha256.Sum256(slices.Concat([]byte("serialhb key id\x00"), secret))
	k := key{secret: secret, id: KeyID(sum[:keyIDSize]), mac: hmac.New(sha256.New, secret)}
	// The first Reset keeps the hashed key for the later ones: what it allocates must not fall on a pulse.
	k.mac.Reset()
	return k
}

func clusterID(name string) uint16 {
	sum := sha256.Sum256([]byte("serialhb cluster\x00" + name))
	return binary.BigEndian.Uint16(sum[:])
}

// IDs are the ids of the keys, the signing one first.
func (k *Keyring) IDs() []KeyID {
	ids := make([]KeyID, len(k.keys))
	for i := range k.keys {
		ids[i] = k.keys[i].id
	}
	return ids
}

// Clone is a keyring of the same keys that shares nothing that changes.
func (k *Keyring) Clone() *Keyring {
	c := &Keyring{cluster: k.cluster, keys: make([]key, len(k.keys))}
	for i := range k.keys {
		c.keys[i] = newKey(k.keys[i].secret)
	}
	return c
}

// AppendPulse appends the bare frame of a pulse: [MaxFrame] bytes at most. A value that the wire cannot carry is an
// error of the program, and panics.
func (k *Keyring) AppendPulse(dst []byte, p *Pulse) []byte {
	if why := p.fault(); why != "" {
		panic("pulse: append pulse: " + why)
	}
	return append(dst, k.seal(p.put(k.frame[:]))...)
}

// AppendSide does the same for a side frame.
func (k *Keyring) AppendSide(dst []byte, s *Side) []byte {
	if why := s.fault(); why != "" {
		panic("pulse: append side frame: " + why)
	}
	return append(dst, k.seal(s.put(k.frame[:]))...)
}

// seal puts MAC and check behind the n bytes of a body that stand in k.frame.
func (k *Keyring) seal(n int) []byte {
	n += copy(k.frame[n:], k.mac(0, n, k.cluster))
	binary.BigEndian.PutUint16(k.frame[n:], crc16(k.frame[:n])^k.cluster)
	return k.frame[:n+checkSize]
}

// mac is the MAC of the first n bytes of k.frame in a cluster under one key. It is valid until the next call.
func (k *Keyring) mac(key, n int, cluster uint16) []byte {
	binary.BigEndian.PutUint16(k.where[:], cluster)
	m := k.keys[key].mac
	m.Reset()
	m.Write(k.frame[:n])
	m.Write(k.where[:])
	return m.Sum(k.sum[:0])[:macSize]
}

// verify finds the key under which the MAC behind the first n bytes of k.frame is right in a cluster.
func (k *Keyring) verify(n int, cluster uint16) (key uint8, ok bool) {
	for i := range k.keys {
		if hmac.Equal(k.mac(i, n, cluster), k.frame[n:n+macSize]) {
			return uint8(i), true
		}
	}
	return 0, false
}

// Open judges the bytes of one bare frame. f is overwritten whole: with what was found if the verdict is [Good] or
// [NewerVersion], else with zeros. raw is not kept.
func (k *Keyring) Open(raw []byte, f *Frame) Verdict {
	*f = Frame{}
	if !possibleLength(raw) {
		return Short
	}
	n := copy(k.frame[:], raw) - tailSize
	cluster := crc16(k.frame[:n+macSize]) ^ binary.BigEndian.Uint16(k.frame[n+macSize:])
	key, signed := k.verify(n, cluster)
	switch ours := cluster == k.cluster; {
	case !ours && !signed:
		return BadCheck
	case !ours:
		return WrongCluster
	case !signed:
		return WrongKey
	}
	v := f.parse(k.frame[:n])
	if v == Malformed {
		*f = Frame{}
		return v
	}
	f.Key = key
	return v
}

// parse reads the body of an authentic frame of possible length.
func (f *Frame) parse(body []byte) Verdict {
	f.Version = body[0] >> 4
	f.Kind = FrameKind(body[0] & 15)
	if f.Version > version {
		return f.parseNewer(body)
	}
	why := "version or type is unknown"
	switch {
	case f.Version < version:
	case f.Kind == FramePulse:
		f.Pulse.get(body)
		why = f.Pulse.fault()
	case f.Kind == FrameSide:
		f.Side.get(body)
		why = f.Side.fault()
	}
	if why != "" {
		return Malformed
	}
	return Good
}

// parseNewer reads what no version changes. The ranges hold there too: members and sessions are used as indexes and
// names long before anybody asks for the version.
func (f *Frame) parseNewer(body []byte) Verdict {
	h := getHeader(body)
	if h.fault() != "" {
		return Malformed
	}
	switch f.Kind {
	case FramePulse:
		f.Pulse.setHeader(h)
		f.Pulse.Echo = get24(body[headSize:])
	case FrameSide:
		f.Side.setHeader(h)
	}
	return NewerVersion
}
