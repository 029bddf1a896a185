package daemon

import (
	"context"
	"time"

	"github.com/serialhb/serialhb/fencing"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/pulse"
)

// Clock is the boot-time clock: it never runs backwards and counts suspend.
type Clock func() time.Duration

// Bell tells when something is due. Set lets it ring once at that time of the [Clock], at once if that is past, in place
// of what was set before; any goroutine may call it. Wait is called by one, and returns true when it rings, which may be
// of an earlier setting, and false when it never will again.
type Bell interface {
	Set(at time.Duration)
	Wait() bool
}

// Link is one way to the other members. Its Run hands what arrives to [Daemon.Frame], [Daemon.Change] and [Daemon.Noise]
// until ctx is done, and joins its goroutines. Send never blocks: the newest frame wins.
type Link interface {
	Run(ctx context.Context) error
	Send(to uint8, frame []byte)
	SendSide(to uint8, frame []byte)
	SetKeys(k *pulse.Keyring)
	// Pending is how many bytes the driver has that were not handed over yet; 0 where nobody can tell.
	Pending() int
	Counters() map[string]uint64
}

// LinkInfo says what a link is.
type LinkInfo struct {
	Link   Link
	Name   string
	Kind   string
	Device string
	Peers  uint16 // members at its other end, bits
	Serial bool   // one peer on a wire of its own
}

// Power is the power of one peer as this member can cut it. Every call may take long and ends with its context, which
// is a failure. At most one runs at a time, but for Status and for a Health whose context has ended.
type Power interface {
	// Off opens the cuts and proves the peer off. trusted are the senses that may prove, as bits.
	Off(ctx context.Context, trusted uint32, tell func(string)) (fencing.Proof, error)
	// Secure opens the cuts only where the fail-safe senses already read off.
	Secure(ctx context.Context, trusted uint32, tell func(string)) (fencing.Proof, error)
	// Open opens every cut and proves nothing.
	Open(ctx context.Context) error
	// Restore closes every cut.
	Restore(ctx context.Context) error
	// Status tells each device in a sentence, without touching it.
	Status(ctx context.Context) []string
	// Health looks whether each device would work if it had to. It drives nothing and never delays an act.
	Health(ctx context.Context) []Health
	// Senses are the power senses, by the index that the decision knows.
	Senses() []Sense
}

// Health is what a look at one device has found.
type Health struct {
	Device string
	Level  int     // all devices of one level are needed
	Ill    []error // what is wrong, one thing each; nothing is good order
	Off    bool    // it reports the peer off by itself: a sense is read elsewhere
	// NeedsSense: it proves nothing without the sense that stands at Sense among the peer's.
	NeedsSense bool
	Sense      uint8
}

// Sense is one power sense. An error is no reading.
type Sense interface {
	Name() string
	FailSafe() bool
	Read() (fencing.SenseState, error)
}

// Services are the resources of one group. A call ends with its context, which is a failure.
type Services interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	Probe(ctx context.Context) (failover.Found, error)
	Names() []string
}

// What [Services] may be able to do besides. A group's calls come one at a time and in the order of their causes; none of
// them is waited for by the decision.
type (
	// Prober asks whether anybody still has what the services need, while the one who had it is being cut off.
	Prober interface {
		// BeginProbe begins to ask and returns; the asking ends with ctx, with Start or with Stop.
		BeginProbe(ctx context.Context) error
		// Proven tells that from now on nobody has it by right.
		Proven()
	}
	// Announcer tells the network where the services are. Announce does nothing where they do not run.
	Announcer interface{ Announce() }
	// Keeper goes on with services that ran before this daemon did.
	Keeper interface {
		Keep(ctx context.Context) error
	}
	// Closer ends what runs beside the services when the daemon ends, and leaves them.
	Closer interface{ Close() }
)

// Facts keeps one kind of facts. Save returns when they are as safe as that kind is meant to be.
type Facts interface {
	Save(v any) error
	// Try says whether facts could be saved now. It takes as long as Save and changes nothing.
	Try() error
}

// Recorder keeps the record. One goroutine calls it, and a deed waits for its line for a quarter of a second at most; so it
// should not wait for a disk.
type Recorder interface {
	Append(kind string, v any) (uint64, error)
	// Behind says why lines do not get to the disk, or not even to the run directory; nil if all do, also what an Append
	// that failed left waiting.
	Behind() error
}

// Reloaded is a configuration that was read again.
type Reloaded struct {
	Decision failover.Config
	Keys     *pulse.Keyring
	Digests  [2]uint64
	Prefer   [][]string // as in [Options]
	Failback []string
	Fixed    []string // what differs and needs a restart, in words
	Taken    func()   // called once, when the rest is taken over; nil is nothing
}
