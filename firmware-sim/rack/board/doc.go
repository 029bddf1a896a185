// Package board is the electrical side of an installation, in real time: relays, contacts, feeds, power supplies with
// their hold-up, senses, and the ledger that witnesses which service runs where. It runs as a process of its own
// ([Main]), so that it outlives every node and every daemon, and speaks lines of text on a unix socket.
//
// # Programs
//
// One reply line per request, in order: "ok", "ok VALUE" or "error SENTENCE". A line belongs to one connection; when
// the connection ends its lines are freed, and an output then keeps its level or reverts to 0, as its AfterExit says.
//
//	out NAME HOLDER low|high|adopt   request an output with its initial level  -> ok LEVEL
//	in NAME HOLDER none|up|down      request an input with its bias            -> ok LEVEL
//	set NAME 0|1 · get NAME · free NAME
//	ledger begin SERVICE NODE        a run begins; it lasts until "ledger end" or the end of the connection -> ok ID
//
// # Supervisors
//
//	host NODE                        -> ok, then "power on" and "power off" lines as the DC comes and goes
//	dead                             the answer to "power off": no process of the host is left; no reply
//	event TEXT                       passed on to the watchers; no reply
//
// # The rack
//
//	ctl mains NODE on|off · ctl holdup NODE DURATION
//	ctl weld RELAY · ctl free RELAY · ctl slow RELAY DURATION      (slow sets the operate time)
//	ctl sense NAME stuck-on|stuck-off|float|ok · ctl sense NAME lie DURATION   (lie: reads off for so long)
//	ctl edges · ctl ledger · ctl state   -> ok JSON
//	ctl watch                            -> ok, then one JSON [Event] per line
//
// # Physics
//
// A relay's contact follows its coil after the operate or release time; a welded contact stays closed. A host has DC
// while its mains are on and the feed of at least one supply is closed, and for its hold-up time after that. When the
// hold-up is over its supervisor is told; only when it has answered that every process is dead does the DC sense fall.
// If the supervisor has gone away nobody can say so, and the sense stays on.
//
// Left out: bounce, inrush, coil current, active-low outputs, interlocks between coils, voltage between on and off,
// sense delay, edges as interrupts, a board that loses its own power.
package board
