package fencing

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The times of an [AgentConfig] that leaves them 0.
const (
	DefaultAgentOff     = 60 * time.Second
	DefaultAgentOn      = 60 * time.Second
	DefaultAgentStatus  = 20 * time.Second
	DefaultAgentMonitor = 30 * time.Second
	DefaultAgentPoll    = 500 * time.Millisecond
	// DefaultAgentPower is how long a board may go on reporting on after it was told to cut.
	DefaultAgentPower = 20 * time.Second
	// AgentEnd is how long an agent that did not end in time may take to be ended.
	AgentEnd = 4 * time.Second
)

// maxOptions bounds what an agent is told, in bytes.
const maxOptions = 32 << 10

// AgentConfig describes a fence device that is an external fence agent. The package fencing/agent runs it. A duration of
// zero takes its default.
type AgentConfig struct {
	Name string
	// Path of the agent, absolute.
	Path string
	// Params are the agent's options. The action is none of them.
	Params   map[string]string
	Timeouts AgentTimeouts
	// Poll is from the end of one status to the beginning of the next.
	Poll time.Duration
	// PowerTimeout is how long after a good off, or on, the status may still say otherwise.
	PowerTimeout time.Duration
	// HoldOff is for how long the status has to say off without a break. An agent may be looking at an outlet, and the
	// supply behind it may carry its host for a while.
	HoldOff time.Duration
}

// String names the agent and its options, and shows no value.
func (c AgentConfig) String() string {
	return fmt.Sprintf("%s: %s with the options %s", c.Name, c.Path, strings.Join(slices.Sorted(maps.Keys(c.Params)), ", "))
}

// GoString is the same, for whoever prints a whole configuration.
func (c AgentConfig) GoString() string { return c.String() }

// AgentTimeouts bound one run of the agent by its action.
type AgentTimeouts struct{ Off, On, Status, Monitor time.Duration }

// Complete fills in the defaults and refuses what could not work, in one sentence.
func (c AgentConfig) Complete() (AgentConfig, error) {
	for _, d := range []struct {
		value *time.Duration
		usual time.Duration
		name  string
	}{
		{&c.Timeouts.Off, DefaultAgentOff, "off_timeout"},
		{&c.Timeouts.On, DefaultAgentOn, "on_timeout"},
		{&c.Timeouts.Status, DefaultAgentStatus, "status_timeout"},
		{&c.Timeouts.Monitor, DefaultAgentMonitor, "monitor_timeout"},
		{&c.Poll, DefaultAgentPoll, "poll"},
		{&c.PowerTimeout, DefaultAgentPower, "power_timeout"},
		{&c.HoldOff, DefaultHoldOff, "hold_off"},
	} {
		if *d.value < 0 {
			return c, fmt.Errorf("%s must not be negative", d.name)
		}
		if *d.value == 0 {
			*d.value = d.usual
		}
	}
	c.Params = maps.Clone(c.Params)
	return c, c.check()
}

func (c AgentConfig) check() error {
	switch {
	case c.Name == "":
		return errors.New("give the device a name")
	case c.Path == "":
		return errors.New("name the fence agent")
	case !filepath.IsAbs(c.Path):
		return fmt.Errorf("the agent %s has no absolute path: write it whole", c.Path)
	}
	size := 0
	for _, name := range slices.Sorted(maps.Keys(c.Params)) {
		if err := checkOption(name, c.Params[name]); err != nil {
			return err
		}
		size += len(name) + len(c.Params[name]) + 2
	}
	if size > maxOptions {
		return fmt.Errorf("the options of the agent have %d bytes: use at most %d", size, maxOptions)
	}
	return nil
}

var optionName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// checkOption refuses what would not reach the agent as it stands here. It never says a value: that may be a password.
func checkOption(name, value string) error {
	quoted := len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"'
	switch {
	case !optionName.MatchString(name):
		return fmt.Errorf("%q cannot be the name of an option: use letters, digits and _", name)
	case name == "action" || name == "option":
		return fmt.Errorf("remove the option %s: which action an agent gets is not a matter of the config", name)
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		return fmt.Errorf("the value of the option %s has a line break or another character that an agent cannot be told: remove it", name)
	case strings.TrimSpace(value) != value:
		return fmt.Errorf("the value of the option %s begins or ends with a blank, which agents drop: use another value", name)
	case quoted:
		return fmt.Errorf("the value of the option %s stands in quotation marks, which agents drop: remove them or use another value", name)
	}
	return nil
}

// Board is what the agent asks, if its options say so: an address with its port. Empty is unknown.
func (c AgentConfig) Board() string {
	for _, name := range AddressOptions {
		if at := c.Params[name]; at != "" {
			return strings.ToLower(at) + " " + c.Params["ipport"]
		}
	}
	return ""
}

// AddressOptions are the options by which agents are told where their board is.
var AddressOptions = []string{"ip", "ipaddr"}

// OffTime bounds a whole fence with this device, also if every run of the agent hangs. The config has to be complete.
func (c AgentConfig) OffTime() time.Duration {
	// The status before, the one that finds off at the last moment, the one that ends the hold-off; and before all that a
	// check that has to make room.
	runs := 3*c.Timeouts.Status + c.Timeouts.Off + 4*AgentEnd
	return runs + c.Poll + c.PowerTimeout + c.HoldOff
}

// OnTime bounds giving the power back with this device, also if every run of the agent hangs. The config has to be complete.
func (c AgentConfig) OnTime() time.Duration {
	return c.Timeouts.On + c.PowerTimeout + c.Poll + c.Timeouts.Status + 2*AgentEnd
}

// CheckTime bounds a check with this device while nothing else asks it, also if every run of the agent hangs: a monitor
// and a status, behind a status that a person asked for. The config has to be complete.
func (c AgentConfig) CheckTime() time.Duration {
	return c.Timeouts.Monitor + 2*c.Timeouts.Status + 3*AgentEnd
}

// SecretOption says whether the value of an option must not be shown, by the name of the option.
func SecretOption(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, "script") || slices.ContainsFunc([]string{"pass", "pwd", "secret", "token", "key", "community", "credential"},
		func(word string) bool { return strings.Contains(name, word) })
}
