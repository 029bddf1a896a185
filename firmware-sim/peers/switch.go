package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
)

// network is a bridge in a namespace of its own, with one port a node. The nodes' ends are called eth0.
type network struct{ helper *helper }

func newNetwork(self string) (network, error) {
	h, err := enlist(unix.CLONE_NEWNET, self, argSwitch)
	return network{h}, err
}

// join gives a node an eth0 that leads to the bridge.
func (n network) join(name string, node *helper) error {
	_, err := n.helper.ask("join", name, fmt.Sprint(node.cmd.Process.Pid))
	return err
}

// unplug takes a node's port down: its cable is out.
func (n network) unplug(name string) (time.Duration, error) { return n.helper.ask("unplug", name) }

// deafen drops everything on its way to a node, which can still be heard; hear ends it.
func (n network) deafen(name string) (time.Duration, error) { return n.helper.ask("deafen", name) }

func (n network) hear(name string) (time.Duration, error) { return n.helper.ask("hear", name) }

// switchMain is the process in whose namespace the bridge is.
func switchMain(args []string) int {
	if len(args) > 0 {
		fmt.Println("error the switch takes no arguments")
		return 2
	}
	answer(mono.Now(), inTurn("ip link add name switch type bridge", "ip link set switch up"))
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		answer(mono.Now(), switchObey(strings.Fields(orders.Text())))
	}
	return 0
}

func switchObey(words []string) error {
	if len(words) < 2 {
		return fmt.Errorf("%q is not an order", words)
	}
	port := "port-" + words[1]
	switch {
	case words[0] == "join" && len(words) == 3:
		return inTurn(
			"ip link add name "+port+" type veth peer name eth0 netns "+words[2],
			"ip link set "+port+" master switch",
			"ip link set "+port+" up",
		)
	case words[0] == "unplug":
		return inTurn("ip link set " + port + " down")
	case words[0] == "deafen":
		return inTurn("tc qdisc add dev " + port + " root blackhole")
	case words[0] == "hear":
		return inTurn("tc qdisc del dev " + port + " root")
	}
	return fmt.Errorf("%q is not an order", words)
}

func inTurn(commands ...string) error {
	for _, c := range commands {
		if err := carryOut(strings.Fields(c)...); err != nil {
			return err
		}
	}
	return nil
}
