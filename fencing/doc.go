// Package fencing cuts the power of a member and proves that it is off.
//
// A [Device] cuts one supply; the one that lives here is the [Relay], a coil on a GPIO line with what looks whether it
// worked. A [Level] is a set of devices that must all be proven off at the same time, a [Target] is a member with its
// levels. The relay's rules are a value machine without clock or I/O, [Sequence], which the simulator runs as well.
//
// A [Proof] comes only out of readings that bear it out. Unknown is never off, the end of a context is a failure, and a
// cut that was made stays open until it is restored. README.md has the rules in words.
package fencing
