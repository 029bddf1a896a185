package failover

import (
	"strconv"
	"strings"
)

// Code names a reason, a rule or a piece of news. Append only: codes are kept in records.
type Code uint8

// None is no reason.
const None Code = 0

// The codes. [Code.Sentence] says what each means.
const (
	// Why this member does not act by itself, or refuses a command.
	WhyNotListed Code = iota + 1
	WhyLeaving
	WhyProbing
	WhyFenceMe
	WhyFailed
	WhyStandby
	WhyMaintenance
	WhyRenewing
	WhyWaiting
	WhyNoClaim
	WhyCoreDiffers
	WhyRestDiffers
	WhyHeldByPeer
	WhyReleased
	WhyBetterPeer
	WhyNoFence
	WhyDisarmed
	WhyLocked
	WhyDeaf
	WhyFenceFailed
	WhyNeverSeen
	WhyDenied
	WhyBudget
	WhyNoOwner
	WhyOwnsAlready
	WhyTwoOwners
	WhyIncident
	WhyNotAllHeard
	WhyInFlux
	WhyTargetNotReady
	WhyFailbackOff
	WhyNoIncident
	WhyNoQuestion
	WhyAnswered
	WhyHeard
	WhyDoubted
	WhySenseOn
	WhyFenceRunning
	WhyNobodyReady
	WhyUnknownCommand

	// By which rule an action is taken.
	CodeStart
	CodeGrantProbe
	CodeOwns
	CodeWish
	CodeStray
	CodeCleanUp
	CodeServiceFailed
	CodeContradicted
	CodeAsked
	CodeAdopted
	CodeSilent
	CodePerson
	CodeAlreadyOff
	CodeFenceMe
	CodeDwellOver

	// What people are told.
	NoteHeard
	NoteSilent
	NoteLeft
	NoteDoubt
	NoteNewerVersion
	NoteWithdrawn
	NoteWithdrawalEnded
	NoteContradiction
	NoteSenseBroken
	NoteSenseNamedBroken
	NoteTwoOwners
	NoteProvenOff
	NoteFenceDelayed
	NoteFenceCalledOff
	NoteFenceFailed
	NoteFenceGivenUp
	NoteRestoreFailed
	NoteRestored
	NoteConfirmed
	NoteIncidentOpen
	NoteIncidentClosed
	NoteQuestion
	NoteApproved
	NoteApprovalExpired
	NoteDenied
	NoteLockedOut
	NoteAsks
	NoteAsksSwitchover
	NoteStandstill
	NoteGaveWay
	NoteGranted
	NoteOwns
	NoteActive
	NoteStopped
	NoteStartFailed
	NoteServiceFailed
	NoteFenceMe
	NoteBlocked
	NoteStray
	NoteProbeUnknown
	NoteAdopted
	NoteReleasing
	NoteReleaseUnused
	NoteWishes
	NoteWishExpired
	NoteWishRefused
	NoteSaysLeaving
	NoteMode
	NoteReloaded
	NoteNewSession
	NoteSaveFailed
	NoteKeepFailed
	NoteCountNotKept
	NoteWordAlone
	NoteLeaveWaits
	NoteNobodyHas

	CodeUnfinished
	NoteUnsettled
	WhyAccused
	WhyArmFirst
	WhyMaintenanceFirst

	codeEnd
)

// words gives each code its stable key and its sentence. {peer}, {group}, {arg}, {incident} and {mode} are filled in.
var words = [codeEnd]struct{ key, sentence string }{
	None:                 {"none", ""},
	WhyNotListed:         {"not-listed", "{peer} is not in the prefer list of {group}, so it never takes it; name another node with `serialhb switchover {group} --to NODE`"},
	WhyLeaving:           {"leaving", "this node is leaving or restarting; start it again first"},
	WhyProbing:           {"probing", "it is not known yet whether {group} runs here"},
	WhyFenceMe:           {"fence-me", "a stop failed here and this node has asked to be cut off; stop the service by hand, then run `serialhb clear`"},
	WhyFailed:            {"failed", "{group} failed here; mend it, then run `serialhb clear`"},
	WhyStandby:           {"standby", "this node is in standby mode; `serialhb standby off` ends it"},
	WhyMaintenance:       {"maintenance", "this node is in maintenance and does nothing by itself; `serialhb maintenance off` ends it"},
	WhyRenewing:          {"renewing", "this node is beginning a new session; try again in a moment"},
	WhyWaiting:           {"waiting", "the start window is not over: {peer} was neither heard nor missed long enough; try again in a few seconds"},
	WhyNoClaim:           {"no-claim", "{peer} is heard but has not answered this session yet; try again in a moment"},
	WhyCoreDiffers:       {"core-differs", "{peer} runs with other nodes or groups in its configuration; make both files agree and reload"},
	WhyRestDiffers:       {"rest-differs", "{peer} runs with a different configuration; make both files agree and reload"},
	WhyHeldByPeer:        {"held", "{peer} has {group}"},
	WhyReleased:          {"released", "{group} was just released to {peer}"},
	WhyBetterPeer:        {"better-peer", "{peer} has the better right to {group} and is given time to take it"},
	WhyNoFence:           {"no-fence", "no fence device of this node cuts {peer}; add a [[fence]] with target = \"{peer}\""},
	WhyDisarmed:          {"disarmed", "this node is disarmed and drives no relay; `serialhb arm` arms it"},
	WhyLocked:            {"locked-out", "this node is locked out after too many moves or fences; look into it, then run `serialhb clear`"},
	WhyDeaf:              {"deaf", "every link of this node has lost its device, so {peer} cannot be judged; mend the port or the network"},
	WhyFenceFailed:       {"fence-failed", "the fence of {peer} failed; make sure that it is off, then run `serialhb confirm-off {peer}`"},
	WhyNeverSeen:         {"never-seen", "{peer} was not heard since this host booted and no fail-safe sense proves it off; switch it on, or make sure that it is off and run `serialhb confirm-off {peer}`"},
	WhyDenied:            {"denied", "a person denied the takeover; `serialhb approve {incident}` changes that"},
	WhyBudget:            {"budget", "the budget of automatic moves or fences is spent; look into it, then run `serialhb clear`"},
	WhyNoOwner:           {"no-owner", "no node that is heard has {group}, so there is nothing to move; `serialhb status` says why nobody starts it and what to do"},
	WhyOwnsAlready:       {"owns-already", "{group} is already where it should be; `serialhb status` shows where"},
	WhyTwoOwners:         {"two-owners", "two nodes say that they have {group}; stop it on one of them with `serialhb standby on` there"},
	WhyIncident:          {"incident", "incident {incident} is open; wait until it is over, `serialhb status` shows what it waits for"},
	WhyNotAllHeard:       {"not-all-heard", "{peer} is not heard, and a planned move needs every node; bring it back first, `serialhb status` shows its links"},
	WhyInFlux:            {"in-flux", "{group} is being moved, started or stopped right now; try again when it is done"},
	WhyTargetNotReady:    {"target-not-ready", "{peer} is not ready to take {group}; `serialhb status` on {peer} says why"},
	WhyFailbackOff:       {"failback-off", "failback of {group} is off in the configuration; use `serialhb switchover {group}`"},
	WhyNoIncident:        {"no-incident", "there is no such open incident; `serialhb status` shows what is open"},
	WhyNoQuestion:        {"no-question", "incident {incident} asks nothing now; `serialhb status` shows what it waits for"},
	WhyAnswered:          {"answered", "the question was answered and the answer is used already; `serialhb status` shows what came of it"},
	WhyHeard:             {"heard", "{peer} is heard, so it is not off; if it must go, use `serialhb fence off {peer}`"},
	WhyDoubted:           {"doubted", "someone still sends in the name of {peer}; look at the machine, then try again"},
	WhySenseOn:           {"sense-on", "a power sense of {peer} reads on; look at the machine, and only if it is off add `--broken-sense SENSE` to the command, with the name that `serialhb status` gives the sense"},
	WhyFenceRunning:      {"fence-running", "{peer} is being cut, or gets its power back; wait for the end of it, which `serialhb fence status {peer}` shows"},
	WhyNobodyReady:       {"nobody-ready", "no other node is ready to take {group}; stop it with `serialhb leave` if that is meant"},
	WhyUnknownCommand:    {"unknown-command", "no such command, node or group; `serialhb status` names the nodes and groups"},
	CodeStart:            {"start", "the daemon started and looks what runs"},
	CodeGrantProbe:       {"grant-probe", "{peer} asks for {group}: is it stopped here?"},
	CodeOwns:             {"owns", "every other node granted {group}, left, or is proven off"},
	CodeWish:             {"wish", "a planned move of {group} was asked for"},
	CodeStray:            {"stray", "{group} must not run here without being owned"},
	CodeCleanUp:          {"clean-up", "{group} could not be started: clean up"},
	CodeServiceFailed:    {"service-failed", "{group} stopped working here"},
	CodeContradicted:     {"contradicted", "a node is alive that was proven or said to be off"},
	CodeAsked:            {"asked", "a person or an orderly leave wants {group} stopped here"},
	CodeAdopted:          {"adopted", "{group} runs here and is owned"},
	CodeSilent:           {"silent", "{peer} is silent on every link"},
	CodePerson:           {"person", "a person said so"},
	CodeAlreadyOff:       {"already-off", "the fail-safe sense of {peer} reads off already: its feed is only kept open"},
	CodeFenceMe:          {"asks-to-be-cut", "{peer} cannot stop a service and asks to be cut off"},
	CodeDwellOver:        {"dwell-over", "power of {peer} is given back"},
	NoteHeard:            {"heard-again", "{peer} is heard"},
	NoteSilent:           {"went-silent", "{peer} is silent on every link"},
	NoteLeft:             {"left", "{peer} left in order"},
	NoteDoubt:            {"doubt", "signs of life in the name of {peer} that are no pulse of its session"},
	NoteNewerVersion:     {"newer-version", "{peer} speaks a newer protocol version: it counts as alive, its claims are not read; upgrade this node"},
	NoteWithdrawn:        {"withdrawn", "{peer} is away for repair"},
	NoteWithdrawalEnded:  {"withdrawal-ended", "{peer} is back: its withdrawal is over"},
	NoteContradiction:    {"contradiction", "{peer} was proven or said to be off, and is alive: that was false"},
	NoteSenseBroken:      {"sense-broken", "sense {arg} of {peer} read off while {peer} was alive: it proves nothing until `serialhb clear`"},
	NoteSenseNamedBroken: {"sense-named-broken", "a person named sense {arg} of {peer} broken"},
	NoteTwoOwners:        {"two-owners-now", "two nodes hold {group}; nothing is started or moved until a person decides"},
	NoteProvenOff:        {"proven-off", "{peer} is proven off"},
	NoteFenceDelayed:     {"fence-delayed", "the fence of {peer} waits {arg} ms so that only one side fires"},
	NoteFenceCalledOff:   {"fence-called-off", "the fence of {peer} is called off before any relay was driven"},
	NoteFenceFailed:      {"fence-failed-now", "the fence of {peer} failed (try {arg})"},
	NoteFenceGivenUp:     {"fence-given-up", "no level can prove {peer} off; make sure that it is off, then run `serialhb confirm-off {peer}`"},
	NoteRestoreFailed:    {"restore-failed", "power of {peer} could not be given back"},
	NoteRestored:         {"restored", "power of {peer} is given back"},
	NoteConfirmed:        {"confirmed", "a person confirmed that {peer} is off"},
	NoteIncidentOpen:     {"incident-open", "incident {arg} is open"},
	NoteIncidentClosed:   {"incident-closed", "incident {arg} is over"},
	NoteQuestion:         {"question", "a person must decide about {peer}: `serialhb approve {incident}` or `serialhb deny {incident}`"},
	NoteApproved:         {"approved", "a person approved the takeover"},
	NoteApprovalExpired:  {"approval-expired", "the approval was not used in time; the question stands again"},
	NoteDenied:           {"denied-now", "a person denied the takeover"},
	NoteLockedOut:        {"locked-out-now", "too many moves or fences: locked out until `serialhb clear`"},
	NoteAsks:             {"asks", "{peer} asks for {group}"},
	NoteAsksSwitchover:   {"asks-switchover", "{peer} asks for {group} to be moved here"},
	NoteStandstill:       {"standstill", "the request for {group} got no answer and is withdrawn"},
	NoteGaveWay:          {"gave-way", "{peer} has the better right to {group}: the own request is given up"},
	NoteGranted:          {"granted", "{group} is granted to {peer}"},
	NoteOwns:             {"owns-now", "{peer} owns {group} from now on (term {arg})"},
	NoteActive:           {"active", "{group} is active on {peer}"},
	NoteStopped:          {"stopped", "{group} is stopped on {peer}"},
	NoteStartFailed:      {"start-failed", "{group} could not be started on {peer}"},
	NoteServiceFailed:    {"service-failed-now", "{group} stopped working on {peer}"},
	NoteFenceMe:          {"fence-me-now", "{group} could not be stopped on {peer}: it asks to be cut off"},
	NoteBlocked:          {"blocked", "{group} stays down: no node could be proven off"},
	NoteStray:            {"stray-now", "{group} runs on {peer} without being owned: it is stopped"},
	NoteProbeUnknown:     {"probe-unknown", "nobody can tell whether {group} runs on {peer}: it is stopped"},
	NoteAdopted:          {"adopted-now", "{group} ran on {peer} all the while and goes on"},
	NoteReleasing:        {"releasing", "{group} is stopped to be released to {peer}"},
	NoteReleaseUnused:    {"release-unused", "{peer} did not take {group} after it was released"},
	NoteWishes:           {"wishes", "{peer} is asked to take {group}"},
	NoteWishExpired:      {"wish-expired", "{peer} did not take up the switchover of {group}"},
	NoteWishRefused:      {"wish-refused", "{peer} wished {group} to move here, which cannot be"},
	NoteSaysLeaving:      {"says-leaving", "everything is stopped here; saying goodbye"},
	NoteMode:             {"mode", "a person changed the mode: {mode}"},
	NoteReloaded:         {"reloaded", "the configuration was read again"},
	NoteNewSession:       {"new-session", "a new session began"},
	NoteSaveFailed:       {"save-failed", "the run directory cannot be written, so nothing can be granted or taken over; free or mend what it is on"},
	NoteKeepFailed:       {"keep-failed", "the state directory cannot be written: after one more move this node locks itself out"},
	NoteCountNotKept:     {"count-not-kept", "the count of the last move or fence did not get to the state directory, so no further one is made: mend or free the disk, then run `serialhb clear`"},
	NoteWordAlone:        {"word-alone", "not every relay of {peer} could be opened: that it is off rests on your word alone, so keep it unplugged until it may run again"},
	NoteLeaveWaits:       {"leave-waits", "{peer} is being cut, or gets its power back: this node leaves after that; a second `serialhb leave` does not wait for it"},
	NoteNobodyHas:        {"nobody-has", "this node leaves, and no other node that is heard has {group} or can take it; start serialhb here again, or on another node"},
	WhyAccused:           {"accused", "{group} was stopped here because a node was not off that was proven or said to be; look which nodes run it, then run `serialhb clear`"},
	CodeUnfinished:       {"unfinished", "the daemon ended while {group} was to be stopped here"},
	NoteUnsettled:        {"unsettled", "the rules of this node contradict each other and do not come to rest, so it may not take over: nothing of what runs is touched; send the output of `serialhb events --json` to whoever looks after serialhb"},
	WhyArmFirst:          {"arm-first", "this node is disarmed, so approving does nothing; run `serialhb arm`, then `serialhb approve {incident}`"},
	WhyMaintenanceFirst:  {"maintenance-first", "this node is in maintenance, so approving does nothing; run `serialhb maintenance off`, then `serialhb approve {incident}`"},
}

// String is the stable key of a code.
func (c Code) String() string {
	if c < codeEnd {
		return words[c].key
	}
	return "invalid"
}

// Names gives people's names to indexes.
type Names struct {
	Members []string
	Groups  []string
}

// Sentence says in words what a code means for a peer, a group and an argument.
func (c Code) Sentence(n Names, peer, group uint8, arg, incident uint32) string {
	if c >= codeEnd {
		return "invalid"
	}
	mode := ""
	if c == NoteMode {
		mode = CommandKind(arg).String()
	}
	return strings.NewReplacer(
		"{peer}", name(n.Members, peer), "{group}", name(n.Groups, group),
		"{arg}", strconv.FormatUint(uint64(arg), 10), "{incident}", strconv.FormatUint(uint64(incident), 10), "{mode}", mode,
	).Replace(words[c].sentence)
}

func name(names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return "another node"
}

// HasPeer and HasGroup say what a code's sentence speaks of.
func (c Code) HasPeer() bool { return c < codeEnd && strings.Contains(words[c].sentence, "{peer}") }

// HasGroup says whether a code's sentence names a group.
func (c Code) HasGroup() bool { return c < codeEnd && strings.Contains(words[c].sentence, "{group}") }
