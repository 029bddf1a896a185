package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/serialhb/serialhb/serialhb/config"
	"github.com/serialhb/serialhb/serialhb/daemon"
	"github.com/serialhb/serialhb/serialhb/failover"
	"github.com/serialhb/serialhb/serialhb/journal"
)

// places are the directories of a node with what the daemon keeps there: its lock, its facts, its record.
type places struct {
	lock     *journal.Held
	lost     *lost
	volatile *facts
	durable  *facts
	record   *journal.Log
}

// openPlaces takes the directories of this node for this process and loads what outlived the last one.
func openPlaces(c *config.Config, o *daemon.Options) (p *places, err error) {
	for dir, mode := range map[string]os.FileMode{c.NodeRunDir(): runMode, c.NodeStateDir(): stateMode} {
		if err := os.MkdirAll(dir, mode); err != nil {
			return nil, fmt.Errorf("%s cannot be made: %w; make it, or set run_dir and state_dir in [cluster]", dir, err)
		}
	}
	p = &places{lost: &lost{}}
	if p.lock, err = journal.Lock(c.NodeRunDir(), c.Node()); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	volatile, err := journal.NewVolatile(c.NodeRunDir(), o.BootID)
	if err != nil {
		return nil, err
	}
	durable, err := journal.NewDurable(c.NodeStateDir(), o.BootID)
	if err != nil {
		return nil, err
	}
	if err = kept(volatile, durable, o); err != nil {
		return nil, err
	}
	p.volatile = &facts{dir: c.NodeRunDir(), mode: runMode, store: volatile, lost: p.lost}
	if o.SameBoot {
		p.volatile.last = o.Volatile
	}
	p.durable = &facts{dir: c.NodeStateDir(), mode: stateMode, store: durable, lost: p.lost}
	p.record, err = journal.OpenLog(journal.LogConfig{RunDir: filepath.Join(c.NodeRunDir(), "record"), StateDir: filepath.Join(c.NodeStateDir(), "record"), BootID: o.BootID})
	if err != nil {
		return nil, err
	}
	o.SaveFacts, o.KeepFacts, o.Record = p.volatile, p.durable, recorder{p.record, p.lost}
	return p, nil
}

// recordTime bounds the wait for the record at the end. What is not carried then, the next daemon of this boot carries.
const recordTime = 2 * time.Second

// close gives everything back. If the lock is another daemon's by now, so is the record.
func (p *places) close() {
	if p.record != nil && p.lost.why() == nil {
		ctx, cancel := context.WithTimeout(context.Background(), recordTime)
		defer cancel()
		p.record.Close(ctx)
	}
	p.lock.Release()
}

// owned says whether this node had a group when the last daemon of this boot ended.
func owned(o *daemon.Options) bool {
	if !o.SameBoot {
		return false
	}
	for _, g := range o.Volatile.Groups {
		if g.Held {
			return true
		}
	}
	return false
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
type recorder struct {
	*journal.Log
	lost *lost
}

// Append implements [daemon.Recorder].
func (r recorder) Append(kind string, v any) (uint64, error) {
	if err := r.lost.why(); err != nil {
		return 0, err
	}
	return r.Log.Append(kind, v)
}

// stalledLong is how long a disk may take for the record before it counts as one that does not answer.
const stalledLong = 30 * time.Second

// Behind implements [daemon.Recorder].
func (r recorder) Behind() error {
	if err := r.lost.why(); err != nil {
		return err
	}
	s := r.Stats()
	switch {
	case s.Err != nil:
		return s.Err
	case s.Stalled > stalledLong:
		return fmt.Errorf("the state directory has not answered for %s; look at its disk", s.Stalled.Round(time.Second))
	case s.Waiting > 0:
		return fmt.Errorf("%d lines wait in memory for the run directory; look whether it is full or gone", s.Waiting)
	}
	return nil
}
