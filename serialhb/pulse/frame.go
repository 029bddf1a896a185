package pulse

// The layout of a frame. README.md in this folder is the specification; these are its numbers.
const (
	version = 1

	headSize  = 14 // version and type to sequence: the same in every frame
	echoEnd   = 17 // end of the part of a pulse that every version keeps
	pulseHead = 26 // bytes of a pulse before its first group
	groupSize = 7
	checkSize = 2
	macSize   = 8
	tailSize  = checkSize + macSize

	minFrame = headSize + tailSize

	// MaxFrame is the length in bytes of the largest bare frame, of this version and of every later one.
	MaxFrame = pulseHead + MaxGroups*groupSize + tailSize

	// MaxPayload is the length in bytes of the largest payload of a side frame.
	MaxPayload = 64
)

// LineBytes is the length in bytes of a pulse with that many groups (0..[MaxGroups]) on a serial line, with the worst
// stuffing and both delimiters.
func LineBytes(groups int) int {
	return lineSize(pulseHead + groups*groupSize + tailSize)
}

// SideLineBytes is the same for a side frame with a payload of that many bytes (0..[MaxPayload]).
func SideLineBytes(payload int) int {
	return lineSize(headSize + payload + tailSize)
}

// FrameKind is the type of a frame: four bits on the wire. Append only.
type FrameKind uint8

// The types of frames.
const (
	FramePulse FrameKind = 1
	FrameSide  FrameKind = 2
)

func (k FrameKind) String() string {
	switch k {
	case FramePulse:
		return "pulse"
	case FrameSide:
		return "side"
	}
	return "unknown"
}

// Frame is what [Keyring.Open] found. Kind says which of Pulse and Side counts; the other is zero.
type Frame struct {
	Kind    FrameKind
	Pulse   Pulse
	Side    Side
	Key     uint8 // index in the keyring of the key that verified it
	Version uint8
}

// Verdict is what the bytes of a frame are worth, before anybody asks what it says.
type Verdict uint8

// The verdicts.
const (
	// Good: authentic, whole and within every range.
	Good Verdict = iota
	// Short: no frame has this length.
	Short
	// BadCheck: neither check nor MAC fits. Noise.
	BadCheck
	// WrongCluster: signed with a key of ours, for another cluster.
	WrongCluster
	// WrongKey: the check is right and the MAC is of none of our keys. Noise comes to this once in 65536 frames.
	WrongKey
	// NewerVersion: authentic, of a version above ours. A pulse is life and no claim; only its addresses, sessions,
	// sequence and echo are known.
	NewerVersion
	// Malformed: authentic, and out of range: its sender has an error.
	Malformed

	verdictEnd
)

var verdictNames = [verdictEnd]string{"good", "short", "bad-check", "wrong-cluster", "wrong-key", "newer-version", "malformed"}

func (v Verdict) String() string {
	if v < verdictEnd {
		return verdictNames[v]
	}
	return "invalid"
}

// possibleLength says whether a frame that begins like raw can be as long as raw. It costs nothing, and keeps most
// noise away from the MAC.
func possibleLength(raw []byte) bool {
	n := len(raw)
	if n < minFrame || n > MaxFrame {
		return false
	}
	kind := FrameKind(raw[0] & 15)
	switch {
	case raw[0]>>4 > version:
		return kind != FramePulse || n >= echoEnd+tailSize
	case raw[0]>>4 < version:
		return true
	case kind == FramePulse:
		return n >= pulseHead+tailSize && (n-pulseHead-tailSize)%groupSize == 0
	case kind == FrameSide:
		return n <= headSize+MaxPayload+tailSize
	}
	return true
}
