package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/serialhb/serialhb/serialhb/daemon"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/journal"
)

// Whoever may use the control socket must get through to it; the files beside it are the daemon's own.
const (
	runMode   os.FileMode = 0o755
	stateMode os.FileMode = 0o700
)

// facts is one kind of kept facts, in the form that the journal writes.
type facts struct {
	dir  string
	mode os.FileMode
	save func(kind string, v any) error
}

const factsKind = "decision"

// Save makes the directory again if somebody removed it. Each write is the whole of the facts, so nothing is missing.
func (f facts) Save(v any) error {
	err := f.save(factsKind, v)
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if made := os.MkdirAll(f.dir, f.mode); made != nil {
		return errors.Join(err, made)
	}
	return f.save(factsKind, v)
}

// kept loads what outlived the last daemon. Damaged facts are told and not trusted.
func kept(v *journal.Volatile, d *journal.Durable, o *daemon.Options) error {
	r, err := v.Load(factsKind, &o.Volatile)
	if err != nil {
		return err
	}
	o.SameBoot = r.Trusted()
	if !r.Trusted() {
		o.Volatile = failover.Volatile{}
		if damaged(r) {
			o.Damage = append(o.Damage, r.String())
		}
	}
	if r, err = d.Load(factsKind, &o.Durable); err != nil {
		return err
	}
	if !r.Trusted() {
		o.Durable = failover.Durable{}
		if damaged(r) {
			o.Damage = append(o.Damage, r.String())
		}
	}
	return nil
}

// damaged says whether facts were there and could not be trusted. None, or those of an earlier boot, are as expected.
func damaged(r journal.Report) bool {
	return r.Finding != journal.Missing && r.Finding != journal.OtherBoot
}

// recorder is the record as the daemon wants it.
type recorder struct{ *journal.Log }

// stalledLong is how long a disk may take for the record before it counts as one that does not answer.
const stalledLong = 30 * time.Second

// Behind implements [daemon.Recorder].
func (r recorder) Behind() error {
	s := r.Stats()
	if s.Err == nil && s.Stalled > stalledLong {
		return fmt.Errorf("the state directory has not answered for %s; look at its disk", s.Stalled.Round(time.Second))
	}
	return s.Err
}
