package world

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// laterVersion is the protocol of a program that is not written yet.
const laterVersion = 2

// dialect is that protocol, as far as anybody can know it: its frames bear another version, and keep what no version changes
// (serialhb/pulse/README.md). What else they say is as it is now, and who speaks it understands what is spoken now.
type dialect struct {
	macs []hash.Hash // by key, the one that signs first
}

// Where things stand in a frame of every version.
const (
	versionShift = 4
	macSize      = 8
	tailSize     = macSize + 2
)

func secret(name string) []byte { return []byte("a key of a simulated cluster: " + name) }

func newDialect(names []string) *dialect {
	t := &dialect{}
	for _, n := range names {
		t.macs = append(t.macs, hmac.New(sha256.New, secret(n)))
	}
	return t
}

// say makes a frame of today one of the later version, in place. A nil dialect says it as it is.
func (t *dialect) say(frame []byte) []byte {
	if t != nil {
		seal(frame, laterVersion, t.macs[0])
	}
	return frame
}

// hear gives what a frame of the later version is in today's. What is another one, or under no key of the reader, stays as it is.
func (t *dialect) hear(raw []byte) []byte {
	if t == nil || len(raw) < tailSize || raw[0]>>versionShift != laterVersion {
		return raw
	}
	body := raw[:len(raw)-tailSize]
	for _, m := range t.macs {
		if hmac.Equal(sum(m, body, cluster(raw)), raw[len(body):len(body)+macSize]) {
			now := append([]byte(nil), raw...)
			seal(now, 1, m)
			return now
		}
	}
	return raw
}

// seal gives a whole frame another version, and the MAC and the check that belong to it.
func seal(frame []byte, version byte, m hash.Hash) {
	where := cluster(frame)
	frame[0] = frame[0]&(1<<versionShift-1) | version<<versionShift
	n := len(frame) - tailSize
	n += copy(frame[n:], sum(m, frame[:n], where))
	binary.BigEndian.PutUint16(frame[n:], crc(frame[:n])^where)
}

// cluster is the id that a whole frame was checked with: the check exclusive-or the CRC.
func cluster(frame []byte) uint16 {
	n := len(frame) - 2
	return crc(frame[:n]) ^ binary.BigEndian.Uint16(frame[n:])
}

func sum(m hash.Hash, body []byte, where uint16) []byte {
	m.Reset()
	m.Write(body)
	m.Write(binary.BigEndian.AppendUint16(nil, where))
	return m.Sum(nil)[:macSize]
}

// crc is CRC-16/CCITT-FALSE.
func crc(b []byte) uint16 {
	c := uint16(0xFFFF)
	for _, x := range b {
		c ^= uint16(x) << 8
		for range 8 {
			c = c<<1 ^ c>>15*0x1021
		}
	}
	return c
}
