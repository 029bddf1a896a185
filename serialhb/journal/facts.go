package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"sync"
)

// Volatile keeps facts of the running boot in the run directory. A fact of another boot is never believed. It may be
// used from any goroutine, by one process at a time (see [Lock]).
type Volatile struct{ store store }

// Durable keeps facts in the state directory for good. Saving waits for the disk, for as long as the disk takes. It
// may be used from any goroutine, by one process at a time (see [Lock]).
type Durable struct{ store store }

// Save replaces the fact of that kind (letters, digits, - and _) by v, without waiting for a disk. If it fails, the fact
// on file is the old one or the new one, never a mixture.
func (f *Volatile) Save(kind string, v any) error { return f.store.save(kind, v) }

// Load reads the fact of that kind into v, a pointer. Unless the report is Trusted, v is untouched; a file that is
// there but not to be trusted, one of another boot too, is renamed to end in .bad, over an earlier one. The error is
// for a directory that does not work.
func (f *Volatile) Load(kind string, v any) (Report, error) { return f.store.load(kind, v) }

// Save replaces the fact of that kind (letters, digits, - and _) by v. When it returns nil, the fact survives a power
// cut. If it fails, the fact on file is the old one or the new one, never a mixture, and which of them a power cut
// leaves is open.
func (f *Durable) Save(kind string, v any) error { return f.store.save(kind, v) }

// Load is as for [Volatile], except that a fact of any boot is trusted; the report says of which.
func (f *Durable) Load(kind string, v any) (Report, error) { return f.store.load(kind, v) }

// Probe says whether a fact could be saved now. It writes as Save does, waits as long, and changes no fact.
func (f *Volatile) Probe() error { return f.store.probe() }

// Probe is as for [Volatile].
func (f *Durable) Probe() error { return f.store.probe() }

// NewVolatile keeps facts in dir, which is made if it does not exist. bootID is that of the running boot.
func NewVolatile(dir, bootID string) (*Volatile, error) {
	if bootID == noBoot || !isWord(bootID) {
		return nil, fmt.Errorf("journal: open %s: %q is no boot id", dir, bootID)
	}
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	return &Volatile{store: store{dir: dir, boot: bootID, files: realFiles{}, thisBootOnly: true}}, nil
}

// NewDurable keeps facts in dir, which is made if it does not exist. bootID is noted in each fact for the record; it
// may be empty.
func NewDurable(dir, bootID string) (*Durable, error) {
	if bootID == "" {
		bootID = noBoot
	}
	if !isWord(bootID) {
		return nil, fmt.Errorf("journal: open %s: %q is no boot id", dir, bootID)
	}
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	return &Durable{store: store{dir: dir, boot: bootID, files: realFiles{}, durable: true}}, nil
}

func makeDir(dir string) error {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return fmt.Errorf("journal: make directory: %w", explain(err, dir))
	}
	return nil
}

type store struct {
	dir, boot    string
	files        files
	thisBootOnly bool
	durable      bool
	mu           sync.Mutex
}

// path is where a fact lives. The suffix keeps facts apart from the logs and sockets beside them.
func (s *store) path(kind string) string { return filepath.Join(s.dir, kind+".facts") }

func (s *store) save(kind string, v any) error {
	if !isWord(kind) {
		return fmt.Errorf("journal: save fact: %q is no name for a fact", kind)
	}
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("journal: save %s: %w", kind, err)
	}
	if len(body) > maxBody {
		return fmt.Errorf("journal: save %s: %d bytes are more than the %d that a fact may have", kind, len(body), maxBody)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.replace(s.path(kind), encode(kind, s.boot, body)); err != nil {
		return fmt.Errorf("journal: save %s: %w", kind, explain(err, s.dir))
	}
	return nil
}

// replace is the order that a power cut at any point cannot spoil: content, content on disk, name, name on disk. In
// the run directory, which a power cut wipes anyway, the two waits are left out.
func (s *store) replace(path string, data []byte) error {
	temp := path + ".tmp"
	f, err := s.files.Open(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil && s.durable {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = s.files.Rename(temp, path)
	}
	if err != nil {
		_ = s.files.Remove(temp)
		return err
	}
	if s.durable {
		return s.files.SyncDir(s.dir)
	}
	return nil
}

// probeSize is more than the facts of the largest cluster take, in bytes: a disk may have room for less.
const probeSize = 16 << 10

func (s *store) probe() error {
	temp := filepath.Join(s.dir, "probe.tmp")
	f, err := s.files.Open(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err == nil {
		_, err = f.Write(make([]byte, probeSize))
		if err == nil && s.durable {
			err = f.Sync()
		}
		err = errors.Join(err, f.Close(), s.files.Remove(temp))
	}
	if err != nil {
		return fmt.Errorf("journal: try to save: %w", explain(err, s.dir))
	}
	return nil
}

func (s *store) load(kind string, v any) (Report, error) {
	r := Report{Kind: kind, Path: s.path(kind)}
	if !isWord(kind) {
		return r, fmt.Errorf("journal: load fact: %q is no name for a fact", kind)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	data, err := read(r.Path)
	if errors.Is(err, os.ErrNotExist) {
		r.Finding = Missing
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("journal: load %s: %w", kind, err)
	}
	s.judge(&r, data, v)
	if r.Trusted() {
		return r, nil
	}
	bad := r.Path + ".bad"
	if err := s.files.Rename(r.Path, bad); err != nil {
		return r, fmt.Errorf("journal: put aside %s: %w", r.Path, explain(err, s.dir))
	}
	r.KeptAs = bad
	return r, nil
}

// judge fills in the report and, only if everything is right, v.
func (s *store) judge(r *Report, data []byte, v any) {
	d := decode(data)
	r.Finding, r.Version = d.finding, d.version
	if d.finding != Intact {
		return
	}
	if d.boot != noBoot {
		r.Boot = d.boot
	}
	switch {
	case d.kind != r.Kind:
		r.Finding, r.Detail = Misplaced, "it is "+d.kind
	case s.thisBootOnly && d.boot != s.boot:
		r.Finding = OtherBoot
	default:
		if err := decodeInto(d.body, v); err != nil {
			r.Finding, r.Detail = Undecodable, err.Error()
		}
	}
}

// decodeInto sets v all or not at all. A field that this release does not know makes the fact undecodable: half of
// what was meant may be the unsafe half.
func decodeInto(body []byte, v any) error {
	target := reflect.ValueOf(v)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return fmt.Errorf("%T is no pointer to a value", v)
	}
	fresh := reflect.New(target.Type().Elem())
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(fresh.Interface()); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("more than one value")
	}
	target.Elem().Set(fresh.Elem())
	return nil
}

// read reads a file up to just beyond the size that a fact can have.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxHeader+maxBody+1))
}
