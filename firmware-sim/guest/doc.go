// Package guest runs one command in a machine of its own: a Debian kernel under plain emulation, with nothing in it but
// the command, its files and a first process. What is done there, to the clock above all, is done to no machine that
// others use.
//
// The first process is this program again, as `hbsim guest-init`: [Init]. The rest runs outside: [Kernel] fetches a
// kernel, [Zones] the files of the time zones, and [Run] makes the initramfs, boots it and gives back what was said.
//
// Left out: disks, a network but loopback, more than one guest, hardware acceleration.
package guest
