package main

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/serialhb/serialhb/fencing/agent"
	"github.com/serialhb/serialhb/gpio"
	"github.com/serialhb/serialhb/gpio/cdev"
	"github.com/serialhb/serialhb/serialhb/config"
	"github.com/serialhb/serialhb/serialhb/resource/address"
)

// machine is what check looks at besides what the configuration itself can look at: programs, interfaces, adapters.
type machine struct {
	sys  string                             // where sysfs is
	chip func(label string) (string, error) // the kernel's name of a gpio chip

	wayTo  func(netip.Addr) (address.Way, error)
	lookUp func(context.Context, string) ([]netip.Addr, error)
}

func thisMachine() machine {
	return machine{sys: "/sys", chip: cdev.New().Chip, wayTo: address.WayTo, lookUp: lookUp}
}

func (m machine) check(ctx context.Context, c *config.Config) (found []config.Finding) {
	for i := range c.Fences {
		if f := &c.Fences[i]; f.Agent != nil {
			found = append(found, m.checkAgent(ctx, c, f)...)
		} else {
			found = append(found, m.checkAdapter(c, f)...)
		}
	}
	for _, g := range c.Groups {
		for i := range g.Resources {
			if r := &g.Resources[i]; r.Kind == "address" {
				found = append(found, checkAddress(ctx, r)...)
			}
		}
	}
	return found
}

// apart splits a sentence of the form "what: what to do".
func apart(said string) (text, fix string) {
	if cut := strings.LastIndex(said, ": "); cut >= 0 {
		return said[:cut], said[cut+2:]
	}
	return said, "correct it"
}

// checkAgent has the agent tell what it can do, and whether it takes its options. It touches no board.
func (m machine) checkAgent(ctx context.Context, c *config.Config, f *config.Fence) (found []config.Finding) {
	bad := func(key, said string) {
		text, fix := apart(said)
		found = append(found, f.Finding(config.Error, key, text, fix))
	}
	if _, err := agent.Find(f.Agent.Path); err != nil {
		bad("agent", strings.TrimPrefix(err.Error(), "agent: "))
		return found
	}
	a, err := openAgent(&agent.Boards{}, f)
	if err != nil {
		return nil // the configuration's own look at its options tells it
	}
	found = m.checkPath(ctx, c, f)
	can, err := a.Metadata(ctx)
	if err != nil {
		text, _ := strings.CutPrefix(err.Error(), "agent: ")
		return append(found, f.Finding(config.Error, "agent", "cannot "+text, "name a fence agent that can be run here"))
	}
	problems := a.CheckParams(can)
	for _, problem := range problems {
		bad(keyOf(f, problem), problem)
	}
	if len(problems) > 0 {
		return found // it would only say the same again
	}
	if err := a.Validate(ctx, can); err != nil {
		found = append(found, f.Finding(config.Error, "options", "the agent refuses its options: "+strings.TrimPrefix(err.Error(), "agent: "), "correct them"))
	}
	return found
}

// keyOf is the key that a problem of an agent's options is about.
func keyOf(f *config.Fence, problem string) string {
	for _, name := range slices.Sorted(maps.Keys(f.Agent.Params)) {
		if strings.HasPrefix(problem, name+" of ") || strings.Contains(problem, " no option "+name+":") {
			return "options." + name
		}
	}
	if strings.Contains(problem, "option") {
		return "options"
	}
	return "agent"
}

func checkAddress(ctx context.Context, r *config.Resource) (found []config.Finding) {
	a, err := address.New(addressConfig(*r, 0, nil))
	if err == nil {
		err = a.Check(ctx)
	}
	var doubts []string
	if err == nil {
		doubts, err = a.Doubts(ctx)
	}
	if err != nil {
		text, fix := apart(strings.TrimPrefix(err.Error(), "address: check "))
		return []config.Finding{r.Finding(config.Error, "the address "+text, fix)}
	}
	for _, d := range doubts {
		text, fix := apart(d)
		found = append(found, r.Finding(config.Warning, text, fix))
	}
	return found
}

// checkAdapter warns of a relay and a heartbeat that hang on one USB adapter: pulled or reset, it takes the pulses and
// the means to cut at the same moment.
func (m machine) checkAdapter(c *config.Config, f *config.Fence) (found []config.Finding) {
	at := m.adapterOfLine(f.Wiring.Coil)
	if at == "" {
		return nil
	}
	for _, l := range c.Links {
		if l.Kind == config.Serial && m.adapterOfPort(l.Device) == at {
			found = append(found, f.Finding(config.Warning, "line",
				fmt.Sprintf("the relay for %s and the port of link %s hang on one USB adapter (%s), so one fault of it takes the heartbeat and the means to cut", c.Nodes[f.Target].Name, l.Name, filepath.Base(at)),
				"connect one of the two to another adapter"))
		}
	}
	return found
}

func (m machine) adapterOfLine(l gpio.Line) string {
	switch l.Backend {
	case "cdev":
		label, _, _ := strings.Cut(l.Name, "/")
		chip, err := m.chip(label)
		if err != nil {
			return "" // a chip that may come later
		}
		return usbDevice(filepath.Join(m.sys, "bus/gpio/devices", chip))
	case "modem":
		return m.adapterOfPort(filepath.Dir(l.Name))
	}
	return ""
}

func (m machine) adapterOfPort(device string) string {
	if real, err := filepath.EvalSymlinks(device); err == nil {
		device = real
	}
	return usbDevice(filepath.Join(m.sys, "class/tty", filepath.Base(device)))
}

// usbDevice is the folder of the USB device that a device of the kernel hangs on, empty if it hangs on none.
func usbDevice(path string) string {
	dir, err := filepath.EvalSymlinks(path)
	for ; err == nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if exists(filepath.Join(dir, "idVendor")) && exists(filepath.Join(dir, "busnum")) {
			return dir
		}
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
