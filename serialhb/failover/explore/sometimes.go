package explore

import "github.com/serialhb/serialhb/serialhb/failover"

// Sometimes is what must be reached somewhere in the scopes together: demands on what never happens hold of themselves.
var Sometimes = []failover.Code{
	failover.NoteOwns, failover.NoteActive, failover.NoteStopped, failover.NoteGranted, failover.NoteGaveWay, failover.NoteAdopted,
	failover.NoteProvenOff, failover.NoteFenceFailed, failover.NoteFenceGivenUp, failover.NoteFenceCalledOff, failover.NoteFenceDelayed,
	failover.NoteBlocked, failover.NoteRestored, failover.NoteContradiction, failover.NoteTwoOwners,
	failover.NoteQuestion, failover.NoteApproved, failover.NoteApprovalExpired, failover.NoteDenied, failover.NoteLockedOut,
	failover.NoteConfirmed, failover.NoteWithdrawn, failover.NoteWithdrawalEnded, failover.NoteReleasing, failover.NoteWishes,
	failover.NoteLeft, failover.NoteSaysLeaving, failover.NoteStray, failover.NoteFenceMe, failover.NoteStartFailed, failover.NoteServiceFailed,
	failover.NoteStandstill, failover.NoteIncidentOpen, failover.NoteIncidentClosed, failover.NoteSaveFailed, failover.NoteKeepFailed,
	failover.NoteDoubt, failover.NoteWordAlone, failover.NoteRestoreFailed,
}
