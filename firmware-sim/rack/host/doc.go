// Package host is a server as its firmware and its init see it: a supervisor process that boots a node, restarts its
// daemon, and takes its power away.
//
// Everything that a node runs descends from its supervisor, which is a child subreaper: a service that detached itself,
// or lost its parent, is still found. A power cut stops all of them, kills all of them, and answers "dead" to the board
// only when the kernel says that no child is left. Then the volatile run directory is emptied and the boot id changes.
// A card goes off before that answer, so that nobody answers for its addresses any more; with the power it has its own
// addresses again, and no other. Freezing does not touch it: a kernel whose processes hang still answers.
//
// The supervisor takes orders from the board (power on, power off) and verbs from the rack on standard input:
//
//	freeze         stop every process of the host, as a hung machine; the board is not told
//	thaw           continue them
//	kill-daemon    SIGKILL the daemon alone; it is restarted after the restart delay
//	hold-daemon    the same, and it stays dead until "start" or "restart-daemon"
//	restart-daemon SIGKILL the daemon if it runs, and start it at once
//	stop           SIGTERM the daemon: the orderly leave; it is not restarted
//	start          start the daemon if it does not run
//	reset          end everything and boot again while the power stays on
//	status         -> ok off | ok booting | ok running PID | ok restarting | ok stopped CODE
//
// One reply line each: "ok", "ok VALUE" or "error SENTENCE". When standard input ends, or the board goes away, the
// supervisor kills everything and ends.
//
// Restarts follow the service unit: exit 0 is the orderly leave and stays, exit 74 waits for a person and stays, exit 75 is
// the quiet restart and starts again at once, anything else starts again after the restart delay.
//
// Left out: the firmware's own time, kernel and file system start, file system damage, memory and processor limits. If a
// supervisor itself is killed, its daemon dies with it, but services that detached end only when the board does.
package host
