package fencing

// Proof says on what the claim rests that a member is off. The zero value is none: no proof.
type Proof uint8

// The proofs. Append only: they are kept in records.
const (
	None      Proof = iota
	Assumed         // nothing was read back: allowed in so many words, and the hold-off was waited out
	Lease           // its watchdog must have fired
	Agent           // a fence agent read its state back as off
	Mirror          // a mirror contact of the relay shows the feed open, and the hold-off was waited out
	Sense           // its sense fell after the coil and stayed off
	FailSafe        // its fail-safe sense reads off while the relay keeps the feed cut
	Operator        // a person confirmed it
	Withdrawn       // a person said that it is away for repair
)
