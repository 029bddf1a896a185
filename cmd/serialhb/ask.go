package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/serialhb/serialhb/serialhb/control"
)

// asking is what every command has that asks the daemon for something.
type asking struct {
	JSON   bool   `help:"Print the answer as JSON."`
	Reason string `help:"Why, for the record." placeholder:"TEXT"`
}

// ask dials, sends one request and prints the answer.
func (a *asking) ask(t *terminal, w *where, r control.Request) error {
	c, err := w.dial(t)
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = a.send(t.ctx, t, c, r)
	return err
}

// send sends one request to a daemon that was dialled and prints the answer.
func (a *asking) send(ctx context.Context, t *terminal, c *control.Client, r control.Request) (control.Result, error) {
	r.Reason = a.Reason
	res, err := c.Command(ctx, r)
	if err != nil {
		return res, err
	}
	if a.JSON {
		if err := t.json(res); err != nil {
			return res, err
		}
		return res, verdict(res)
	}
	if err := verdict(res); err != nil {
		for _, line := range res.Lines {
			fmt.Fprintln(t.err, line)
		}
		return res, err
	}
	lines := res.Lines
	if res.Text != strings.Join(lines, "\n") {
		lines = append([]string{res.Text}, lines...)
	}
	return res, t.say(strings.Join(lines, "\n"))
}

// progress tells how a thing goes on, apart from JSON that a program reads.
func (a *asking) progress(t *terminal, line string) {
	if a.JSON {
		fmt.Fprintln(t.err, line)
		return
	}
	fmt.Fprintln(t.out, line)
}

// sure is what every command has that a person should think about.
type sure struct {
	Yes bool `help:"Do not ask; say that you are sure."`
}

// about shows what is known of a node and has a person confirm what is to be done to it.
func (s *sure) about(t *terminal, c *control.Client, node, question string) error {
	if !s.Yes && !t.answers {
		return refused(fmt.Errorf("nobody can be asked here about %s; add --yes if you are sure", node))
	}
	status, err := c.Status(t.ctx)
	if err != nil {
		return err
	}
	if _, err := peer(status, node); err != nil {
		return err
	}
	if err := control.WriteMember(t.err, status, node); err != nil || s.Yes {
		return err
	}
	return t.confirm(question, node)
}

// peer finds another node by its name.
func peer(s control.Status, name string) (control.Member, error) {
	var others []string
	for _, m := range s.Members {
		if m.Name == name && !m.Me {
			return m, nil
		}
		if !m.Me {
			others = append(others, m.Name)
		}
	}
	return control.Member{}, refused(fmt.Errorf("there is no other node %q; name one of: %s", name, strings.Join(others, ", ")))
}

// group finds a group by its name, which may be left out if there is only one.
func group(s control.Status, name string) (control.Group, error) {
	if name == "" && len(s.Groups) == 1 {
		return s.Groups[0], nil
	}
	if i := slices.IndexFunc(s.Groups, func(g control.Group) bool { return g.Name == name }); i >= 0 {
		return s.Groups[i], nil
	}
	var names []string
	for _, g := range s.Groups {
		names = append(names, g.Name)
	}
	if name == "" {
		return control.Group{}, usage(fmt.Errorf("there are several groups; name one of: %s", strings.Join(names, ", ")))
	}
	return control.Group{}, refused(fmt.Errorf("there is no group %q; name one of: %s", name, strings.Join(names, ", ")))
}
