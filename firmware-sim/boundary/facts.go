package boundary

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/serialhb/serialhb/firmware-sim/story"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/journal"
)

// left is what a dead daemon of the survivor left on file, before the next one has touched it.
type left struct {
	at       time.Duration // of the death
	volatile failover.Volatile
	durable  failover.Durable
	codes    []string // of the record
	errs     []error
}

const factsKind = "decision"

// died keeps what is on file before the supervisor starts the next daemon, and judges it.
func (w *rig) died() error {
	if w.out.killed == 0 {
		return errors.New("boundary: the daemon ended by itself")
	}
	copied, err := os.MkdirTemp(filepath.Dir(w.dir), "left")
	if err != nil {
		return fmt.Errorf("boundary: make folder: %w", err)
	}
	if err := copyFiles(copied, filepath.Join(w.dir, survivor)); err != nil {
		return err
	}
	boot, err := journal.BootID(filepath.Join(copied, "boot_id"))
	if err != nil {
		return err
	}
	l := readLeft(copied, boot)
	l.at = w.out.killed
	w.out.left = append(w.out.left, l)
	w.out.broken = append(w.out.broken, l.errs...)
	return nil
}

func copyFiles(to, from string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		case !d.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), text, 0o600)
	})
}

// readLeft reads the facts and the record as the next daemon will, and finds whatever is not whole.
func readLeft(dir, boot string) *left {
	l := &left{}
	note := func(err error) {
		if err != nil {
			l.errs = append(l.errs, fmt.Errorf("left on file by the dead daemon: %w", err))
		}
	}
	whole := func(r journal.Report, err error) {
		if err == nil && !r.Trusted() {
			err = errors.New(r.String())
		}
		note(err)
	}
	run, state := filepath.Join(dir, "run", "lab", survivor), filepath.Join(dir, "state", "lab", survivor)
	if v, err := journal.NewVolatile(run, boot); err != nil {
		note(err)
	} else {
		whole(v.Load(factsKind, &l.volatile))
	}
	if d, err := journal.NewDurable(state, boot); err != nil {
		note(err)
	} else {
		whole(d.Load(factsKind, &l.durable))
	}
	for r, err := range journal.ReadLog(filepath.Join(run, "record"), filepath.Join(state, "record"), 0) {
		note(err)
		if m := recordKind.FindSubmatch(r.Data); m != nil {
			l.codes = append(l.codes, string(m[1]))
		}
	}
	return l
}

// mourn waits for the next daemon, and judges what the dead one had done. It gives the process id of the new one.
func (w *rig) mourn(ctx context.Context, old int) (int, error) {
	pid, err := w.daemon(ctx, old)
	if err != nil {
		return 0, err
	}
	v, err := w.Look(ctx, nil)
	if err == nil {
		w.out.broken = append(w.out.broken, w.judge(w.out.left[len(w.out.left)-1], v)...)
	}
	return pid, err
}

// judge sets what was on file at a death against what physically happened until the next daemon began: nothing may have been
// done of which the file did not say so before.
func (w *rig) judge(l *left, v story.View) (wrong []error) {
	coil, driven, runs, back := false, false, false, false
	relay := "RELAY_" + strings.ToUpper(owner)
	for _, e := range v.Board {
		switch {
		case e.At < w.out.lostAt:
		case e.Kind == "coil" && e.Name == relay && e.Value == "on":
			coil, driven, w.out.Coil = true, true, true
		case e.Kind == "coil" && e.Name == relay && e.At >= l.at:
			w.out.Released = true // the board let go of it: at the death it was driven
		case e.Kind == "coil" && e.Name == relay:
			coil = false
		case e.Kind == "host" && e.Name == owner && strings.HasPrefix(e.Value, "daemon started "):
			back = true // and says itself that it does not have the group: no proof is needed any more
		case e.Kind == "run" && e.Value == "begin "+survivor:
			runs = true
		case e.Kind == "run" && e.Value == "end "+survivor:
			runs = false
		}
	}
	peer, group := l.volatile.Peers[slices.Index(story.Nodes, owner)], l.volatile.Groups[0]
	leave := group.Permits[slices.Index(story.Nodes, owner)] != failover.NoPermit || group.Rests != 0
	for _, law := range []struct {
		done, told bool
		words      string
	}{
		{coil, peer.Open || group.Held, "the relay is driven, and the facts do not say that the cut is or may be open"},
		{driven, l.volatile.Fences > 0, "the relay was driven, and the fence is not counted"},
		{driven, slices.Contains(l.codes, "cut"), "the relay was driven, and the record does not say why"},
		{runs, group.Held, "the service runs, and the facts do not say that the group is held"},
		{runs && !back, leave, "the service runs, and the facts do not say that the other is off"},
		{runs, slices.Contains(l.codes, "start"), "the service runs, and the record does not say why"},
	} {
		if law.done && !law.told {
			wrong = append(wrong, errors.New("at the death: "+law.words))
		}
	}
	return wrong
}
