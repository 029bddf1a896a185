// Package control is the local door to a running daemon: a small HTTP API on a unix socket, its client, and the words
// in which state is told. It knows nothing of how decisions are made; the daemon hands it snapshots and takes commands.
//
//	GET  /v1/status             Status
//	POST /v1/command            Request -> Result
//	GET  /v1/events?from=N      Event, one JSON object a line, from sequence N on; with follow=1 it goes on for ever, with
//	                            an empty line every two seconds that says that the daemon is there
//	GET  /v1/why?incident=N     Why; incident 0 is the last one
//
// A request that fails is answered by {"error": "one sentence"}; so ends a stream of events that fails half way.
//
// Who may connect is decided by the socket's mode (0660) and checked again by the peer's credentials: root, the
// daemon's own user, or a member of the socket's group.
package control

import "time"

// Status is everything that a person may want to know now. JSON keys are snake_case and stable; fields are only added.
type Status struct {
	Cluster     string    `json:"cluster"`
	Node        string    `json:"node"`
	Version     string    `json:"version"`
	Headline    string    `json:"headline"` // one line: what matters most
	Taken       time.Time `json:"taken"`
	Armed       bool      `json:"armed"`
	Maintenance bool      `json:"maintenance"`
	Standby     bool      `json:"standby"`
	LockedOut   bool      `json:"locked_out"`
	Leaving     bool      `json:"leaving"`
	FenceMe     bool      `json:"fence_me"`
	Moves       int       `json:"moves"`
	MaxMoves    int       `json:"max_moves"`
	Fences      int       `json:"fences"`
	MaxFences   int       `json:"max_fences"`
	Session     string    `json:"session"`
	Boot        string    `json:"boot"`
	UptimeMS    int64     `json:"uptime_ms"`
	LatenessMS  float64   `json:"worst_lateness_ms"`
	PID         int       `json:"pid,omitempty"`
	StartMS     float64   `json:"start_ms,omitempty"` // from the beginning of the process to its first pulse; 0 is not measured
	Goroutines  int       `json:"goroutines,omitempty"`
	Members     []Member  `json:"members"`
	Links       []Link    `json:"links"`
	Groups      []Group   `json:"groups"`
	Incident    *Incident `json:"incident,omitempty"`
	Alarms      []Alarm   `json:"alarms"`
}

// Member is one member of the cluster, as this node sees it.
type Member struct {
	Name      string  `json:"name"`
	Me        bool    `json:"me"`
	Presence  string  `json:"presence"` // me, heard, silent, left, withdrawn, "not judged yet"
	Seen      bool    `json:"seen_this_boot"`
	Armed     bool    `json:"armed"`
	Mode      string  `json:"mode"` // "", maintenance, standby, leaving
	Fence     string  `json:"fence"`
	Proof     string  `json:"proof,omitempty"` // why it is known to be off
	CutOpen   bool    `json:"cut_open"`
	CanFence  bool    `json:"can_fence"`
	WhyNot    string  `json:"why_not,omitempty"` // why it could not be fenced now
	Senses    []Sense `json:"senses"`
	DetectMS  float64 `json:"detect_ms"`
	LastLife  float64 `json:"last_life_ms"` // age; -1 never
	DigestsOK bool    `json:"digests_agree"`
}

// Sense is one power sense.
type Sense struct {
	Name     string `json:"name"`
	Reading  string `json:"reading"` // on, off, unknown
	FailSafe bool   `json:"fail_safe"`
	Broken   bool   `json:"broken"`
}

// Link is one link to one peer, both directions.
type Link struct {
	Name     string  `json:"name"`
	Kind     string  `json:"kind"` // serial, udp
	Peer     string  `json:"peer"`
	Device   string  `json:"device"`
	Up       bool    `json:"up"` // my device works
	Reason   string  `json:"reason,omitempty"`
	Receives string  `json:"receives"` // ok, late, down, never
	Sends    string  `json:"sends"`    // ok, down, unknown: does the peer hear me here?
	AgeMS    float64 `json:"age_ms"`   // since life was heard here; -1 never
	Noisy    bool    `json:"noisy"`
	// NoisePerS and Lost are over the last five to ten seconds: bytes a second that made no frame, and the share, from 0 to
	// 1, of the pulses of everybody on the link that did not come.
	NoisePerS float64 `json:"noise_bytes_per_s"`
	Lost      float64 `json:"lost_share"`
	// Counters count since the daemon began, or are figures of it; serialhb/link says what each is. own_frames are those
	// of this run that came back, which are in received too.
	Counters map[string]uint64 `json:"counters"`
}

// Group is one resource group.
type Group struct {
	Name  string `json:"name"`
	Owner string `json:"owner"` // node name, or "" if nobody heard holds it
	// OwnerPhase is the owner's phase as it claims it, "" if not known. Only "active" says that the services
	// were started and not stopped since; nobody looks whether they still run.
	OwnerPhase string `json:"owner_phase,omitempty"`
	// Peers are the phases of the other nodes that are heard, by name, as they claim them.
	Peers map[string]string `json:"peers,omitempty"`
	Phase string            `json:"phase"` // of this node: idle, requesting, awaiting-approval, fencing, starting, active, stopping, failed, blocked, ineligible
	Holds string            `json:"holds"` // of this node: yes, no, unknown
	Why   string            `json:"why,omitempty"`
	Code  string            `json:"code,omitempty"`
	// Cause is what the service itself said when it last failed here, "" while nothing is wrong with it.
	Cause     string   `json:"cause,omitempty"`
	Term      uint32   `json:"term"`
	Prefer    []string `json:"prefer"`
	Failback  string   `json:"failback"`
	Frozen    bool     `json:"frozen"`
	Resources []string `json:"resources"`
}

// Incident is what is going on.
type Incident struct {
	ID        uint32   `json:"id"`
	Open      bool     `json:"open"`
	Asks      bool     `json:"asks"` // a person must decide
	Question  []string `json:"question,omitempty"`
	Approved  bool     `json:"approved"`
	Denied    bool     `json:"denied"`
	SinceWall string   `json:"since,omitempty"`
}

// Alarm is something that a person should mend. Its times are by the wall clock as it is at the moment of the status: it
// may have been set since.
type Alarm struct {
	Code  string    `json:"code"`
	Text  string    `json:"text"`
	Since time.Time `json:"since"`
	Last  time.Time `json:"last_seen"` // some alarms stay a while after what they are about was last seen
}

// Event is one line of the record.
type Event struct {
	Seq      uint64    `json:"seq"`
	Wall     time.Time `json:"wall"`    // as the clock showed it then
	MonoNS   int64     `json:"mono_ns"` // boot-time clock
	Boot     string    `json:"boot"`
	Kind     string    `json:"kind"` // note, action, alarm, command, daemon
	Code     string    `json:"code"`
	Text     string    `json:"text"`
	Incident uint32    `json:"incident,omitempty"`
	Peer     string    `json:"peer,omitempty"`
	Group    string    `json:"group,omitempty"`
	Who      string    `json:"who,omitempty"`
	Evidence []string  `json:"evidence,omitempty"`
}

// Why tells an incident in order.
type Why struct {
	Incident uint32    `json:"incident"` // 0: there was none
	Open     bool      `json:"open"`
	Since    time.Time `json:"since,omitzero"` // where none is on record: from when on the record was looked at
	Now      []string  `json:"now"`            // sentences: what stands in the way now
	Events   []Event   `json:"events"`
}

// Request is what a person asks for.
type Request struct {
	Command  string   `json:"command"` // switchover, failback, approve, deny, confirm-off, withdraw, standby-on, …-off, maintenance-on, …, arm, disarm, clear, fence-off, fence-on, fence-test, fence-status, restart, leave
	Group    string   `json:"group,omitempty"`
	Node     string   `json:"node,omitempty"`
	Incident uint32   `json:"incident,omitempty"`
	Broken   []string `json:"broken_senses,omitempty"`
	Reason   string   `json:"reason,omitempty"`
}

// Result answers a request.
type Result struct {
	OK    bool     `json:"ok"`
	Exit  int      `json:"exit"` // 0 done, 1 refused or failed, 4 not allowed now, 5 not answered in time
	Code  string   `json:"code,omitempty"`
	Text  string   `json:"text"`
	Node  string   `json:"node,omitempty"`  // the node that it is about, such as the chosen target of a switchover
	Lines []string `json:"lines,omitempty"` // details of fence status and fence test
}
