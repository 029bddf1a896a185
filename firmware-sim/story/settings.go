package story

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Settings shape a rack and the configuration of its nodes. [Defaults] gives usable ones.
type Settings struct {
	Interval   time.Duration // of the pulses, 1 ms to 4095 ms
	Multiplier int           // detection time in intervals, 2 to 255
	Stretch    string        // factor by which a babbling cable lengthens it, 1.0 to 4.0
	Baud       int           // of the cable
	Network    string        // on or off: whether pulses go by the network too
	HoldUp     time.Duration // for which a supply carries its host without feed
	BootDelay  time.Duration // from power to the daemon's start
	Operate    time.Duration // from current in a coil to its open contact
	Settle     time.Duration // for which a contact may bounce
	Prove      time.Duration // for which a sense has to read off without a break
	Dwell      time.Duration // from the proof until power is given back
	Approval   time.Duration // for which an approval stays good unused
	Starting   time.Duration // that the service takes before it starts
	Stopping   time.Duration // that it takes before it stops
	StartLimit time.Duration // that it may take to start
	ProbeWait  time.Duration // for which nobody may answer for the service address before it is taken
	Takeover   string        // auto or approve
	Sense      string        // fail-safe or plain
	Level2     string        // on or off: a second relay in series with a mirror contact, tried when the first fails
	Agent      string        // on or off: a fence agent that switches the mains, tried when all relays fail
	Failback   string        // off, manual or auto
	Restore    time.Duration // for which the preferred node must have been well before an automatic failback
	Retries    int           // of a fence that failed, 0 to 10
	Retry      time.Duration // before the first of them; it doubles with each
	LookEvery  time.Duration // from one look at the devices that cut power to the next
	Moves      int           // automatic moves in an hour before a node locks itself out, 1 to 250
	Fences     int           // fences likewise
}

// Defaults are the settings of a rack for which a story sets none. The limits are wide on purpose: a story cuts power
// several times in a minute, and a real pair would lock itself out.
func Defaults() Settings {
	return Settings{
		Interval: 20 * time.Millisecond, Multiplier: 5, Stretch: "1.5", Baud: 115200, Network: "on",
		HoldUp: 5 * time.Millisecond, BootDelay: 50 * time.Millisecond, Operate: 8 * time.Millisecond,
		Settle: 10 * time.Millisecond, Prove: 20 * time.Millisecond, Dwell: 300 * time.Millisecond,
		Approval: 5 * time.Minute, StartLimit: time.Minute, ProbeWait: 200 * time.Millisecond,
		Takeover: "auto", Sense: "fail-safe", Level2: "off", Agent: "off", Failback: "manual", Restore: 5 * time.Minute,
		Retries: 1, Retry: 300 * time.Millisecond, LookEvery: 5 * time.Minute, Moves: 200, Fences: 200,
	}
}

// setting is one key of the verb config.
type setting struct {
	key, usage, doc string
	set             func(*Settings, string) error
	get             func(Settings) string
}

var settings = []setting{
	duration("interval", "interval of the pulses", time.Millisecond, 4095*time.Millisecond, func(s *Settings) *time.Duration { return &s.Interval }),
	number("multiplier", "detection time in intervals", 2, 255, func(s *Settings) *int { return &s.Multiplier }),
	decimal("noise-stretch", "by how much a babbling cable lengthens the detection time", 1, 4, func(s *Settings) *string { return &s.Stretch }),
	number("baud", "baud rate of the cable", 300, 4_000_000, func(s *Settings) *int { return &s.Baud }),
	choice("network", "whether pulses go by the network too", func(s *Settings) *string { return &s.Network }, "on", "off"),
	duration("hold-up", "how long a supply carries its host without feed", 0, time.Minute, func(s *Settings) *time.Duration { return &s.HoldUp }),
	duration("boot-delay", "from power to the start of the daemon", 0, time.Minute, func(s *Settings) *time.Duration { return &s.BootDelay }),
	duration("operate", "from current in a coil to its open contact", time.Millisecond, time.Minute, func(s *Settings) *time.Duration { return &s.Operate }),
	duration("settle", "how long a contact may bounce", time.Millisecond, time.Minute, func(s *Settings) *time.Duration { return &s.Settle }),
	duration("prove", "how long a sense has to read off without a break", time.Millisecond, time.Minute, func(s *Settings) *time.Duration { return &s.Prove }),
	duration("dwell", "from the proof until power is given back", time.Millisecond, time.Minute, func(s *Settings) *time.Duration { return &s.Dwell }),
	choice("takeover", "whether a takeover needs a person's approval", func(s *Settings) *string { return &s.Takeover }, "auto", "approve"),
	duration("approval-time", "how long an approval stays good unused", time.Second, time.Hour, func(s *Settings) *time.Duration { return &s.Approval }),
	duration("start-time", "what the service takes to start, besides a moment", 0, time.Minute, func(s *Settings) *time.Duration { return &s.Starting }),
	duration("stop-time", "what the service takes to stop, besides a moment; it answers meanwhile", 0, time.Minute, func(s *Settings) *time.Duration { return &s.Stopping }),
	duration("start-limit", "what the service may take to start; a start whose daemon died before it knew the process counts as under way for so long", time.Second, time.Hour, func(s *Settings) *time.Duration { return &s.StartLimit }),
	duration("probe-wait", "with --netns: for how long nobody may answer for the service address before it is taken", 20*time.Millisecond, 10*time.Second, func(s *Settings) *time.Duration { return &s.ProbeWait }),
	choice("sense", "what the power senses are declared as", func(s *Settings) *string { return &s.Sense }, "fail-safe", "plain"),
	choice("level2", "whether there is a second relay in series, tried when the first one fails", func(s *Settings) *string { return &s.Level2 }, "on", "off"),
	choice("agent", "whether there is a fence agent that switches the mains, tried when every relay fails", func(s *Settings) *string { return &s.Agent }, "on", "off"),
	choice("failback", "how the service returns to the preferred node", func(s *Settings) *string { return &s.Failback }, "off", "manual", "auto"),
	duration("wait-to-restore", "how long the preferred node must have been well before an automatic failback", time.Millisecond, time.Hour, func(s *Settings) *time.Duration { return &s.Restore }),
	number("retries", "how often a fence that failed is tried again", 0, 10, func(s *Settings) *int { return &s.Retries }),
	duration("retry", "how long after the first failure; the wait doubles with each", time.Millisecond, time.Hour, func(s *Settings) *time.Duration { return &s.Retry }),
	duration("look-every", "how often the devices that cut power are looked at", 10*time.Second, 24*time.Hour, func(s *Settings) *time.Duration { return &s.LookEvery }),
	number("moves", "automatic moves in an hour before a node locks itself out", 1, 250, func(s *Settings) *int { return &s.Moves }),
	number("fences", "fences in an hour before a node locks itself out", 1, 250, func(s *Settings) *int { return &s.Fences }),
}

func duration(key, doc string, low, high time.Duration, at func(*Settings) *time.Duration) setting {
	return setting{key, "DURATION", doc, func(s *Settings, text string) error {
		d, err := parseDuration(text)
		if err == nil && (d < low || d > high) {
			err = fmt.Errorf("%s must be %s to %s, not %s", key, low, high, text)
		}
		*at(s) = d
		return err
	}, func(s Settings) string { return at(&s).String() }}
}

func number(key, doc string, low, high int, at func(*Settings) *int) setting {
	return setting{key, "N", doc, func(s *Settings, text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < low || n > high {
			return fmt.Errorf("%s must be a whole number from %d to %d, not %q", key, low, high, text)
		}
		*at(s) = n
		return nil
	}, func(s Settings) string { return strconv.Itoa(*at(&s)) }}
}

// decimal keeps the words, which go into the nodes' configuration as they are.
func decimal(key, doc string, low, high float64, at func(*Settings) *string) setting {
	return setting{key, "N", doc, func(s *Settings, text string) error {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || !(v >= low && v <= high) {
			return fmt.Errorf("%s must be a number from %.1f to %.1f, not %q", key, low, high, text)
		}
		*at(s) = strconv.FormatFloat(v, 'f', -1, 64)
		return nil
	}, func(s Settings) string { return *at(&s) }}
}

func choice(key, doc string, at func(*Settings) *string, values ...string) setting {
	return setting{key, strings.Join(values, "|"), doc, func(s *Settings, text string) error {
		for _, v := range values {
			if v == text {
				*at(s) = v
				return nil
			}
		}
		return fmt.Errorf("%s must be %s, not %q", key, orList(values), text)
	}, func(s Settings) string { return *at(&s) }}
}

// Set changes one setting by its key. The error says in one sentence what would be right.
func (s *Settings) Set(key, value string) error {
	var keys []string
	for _, k := range settings {
		if k.key == key {
			return k.set(s, value)
		}
		keys = append(keys, k.key)
	}
	return fmt.Errorf("there is no setting %q; the settings are %s", key, strings.Join(keys, ", "))
}

// String gives the settings that a reader of a report wants to know.
func (s Settings) String() string {
	return fmt.Sprintf("a pulse every %s, silent after %d of them (%s); %d baud; supplies hold up for %s; the senses are declared %s; takeover %s",
		s.Interval, s.Multiplier, time.Duration(s.Multiplier)*s.Interval, s.Baud, s.HoldUp, s.Sense, s.Takeover)
}

func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a duration; write a number with its unit, such as 20ms or 1.5s", text)
	}
	return d, nil
}

func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
