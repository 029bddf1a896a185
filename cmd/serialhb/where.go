package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/serialhb/serialhb/serialhb/config"
	"github.com/serialhb/serialhb/serialhb/control"
)

// where says which daemon is meant.
type where struct {
	Config string `help:"The configuration." default:"/etc/serialhb/serialhb.toml"`
	Node   string `help:"This node, instead of the host name." placeholder:"NAME"`
	Socket string `help:"The control socket, instead of that of the configuration." placeholder:"PATH"`
}

// dial makes a client of the daemon. A file that somebody is just editing, or that has errors, does not stand in the way
// as long as it still says where the daemon is.
func (w *where) dial(t *terminal) (*control.Client, error) {
	if w.Socket != "" {
		return control.Dial(w.Socket), nil
	}
	f, found := config.Load(w.Config)
	if f.Cluster == "" {
		why := "it names no cluster"
		if len(found) > 0 {
			why = found[0].Text
		}
		return nil, refused(fmt.Errorf("%s does not say which daemon is meant (%s); name the configuration with --config, or name its socket with --socket", w.Config, why))
	}
	node, err := w.thisNode(t, f)
	if err != nil {
		return nil, err
	}
	return control.Dial(filepath.Join(f.RunDir, f.Cluster, node+".sock")), nil
}

// thisNode is the node that is meant: as given, or the host's name, with or without its domain.
func (w *where) thisNode(t *terminal, f *config.File) (string, error) {
	names := []string{w.Node}
	if w.Node == "" {
		host, err := t.hostname()
		if err != nil {
			return "", refused(fmt.Errorf("the host name cannot be read (%w); name this node with --node", err))
		}
		short, _, _ := strings.Cut(host, ".")
		names = []string{host, short}
	}
	for _, name := range names {
		if slices.Contains(f.Nodes, name) {
			return name, nil
		}
	}
	if len(f.Nodes) == 0 {
		return "", refused(errors.New(w.Config + " names no node; run `serialhb check`"))
	}
	return "", usage(fmt.Errorf("%s has no node named %q; give --node one of %s", w.Config, names[0], strings.Join(f.Nodes, ", ")))
}
