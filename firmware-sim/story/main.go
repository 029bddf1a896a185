package story

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
	"github.com/serialhb/serialhb/firmware-sim/rack/segment"
)

// BuiltIn is the story that `serialhb lab` tells when it is given none.
//
//go:embed lab.story
var BuiltIn string

// builtInName stands for the file's name in messages.
const builtInName = "lab.story"

// Exit codes of [Main]: the program's own.
const (
	exitFailed = 1
	exitUsage  = 2
)

// Options are those of `serialhb lab`.
type Options struct {
	Binary   string   // the path of serialhb; "" is this program
	Dir      string   // folder for temporary files; "" is the usual one
	Script   string   // a file with a story, "-" is standard input; "" is the built-in one
	JSON     bool     // one JSON object a line
	Netns    bool     // on a network segment of its own, with a service address; needs root
	OwnClock bool     // stories may set the clock and the zone of this machine, which nobody else uses; needs root
	Headless bool     // chapters, takeovers, failures and the summary only
	Verbs    bool     // print the reference of the language and do nothing else
	Measure  int      // so many takeovers are measured in place of a story; 0 is none
	By       string   // with Measure: ByMains or ByFreeze; "" is ByMains
	Set      []string // with Measure: settings as KEY=VALUE

	In       io.Reader // for the story "-"
	Out, Err io.Writer // Out takes the report; Err what kept it from being told
}

// Main is `serialhb lab`. It returns the exit code: 0 every step held, 1 one did not or the lab could not run, 2 the
// options or the script are wrong, and nothing has started then. The context's end takes everything down.
func Main(ctx context.Context, o Options) int {
	if o.Verbs {
		if err := write(o.Out, Verbs()); err != nil {
			return complain(o, exitFailed, err)
		}
		return 0
	}
	if o.Measure == 0 && (len(o.Set) > 0 || o.By != "") {
		return complain(o, exitUsage, errors.New("settings on the command line are for a measurement; a story has its own config lines"))
	}
	tell, err := o.prepare()
	if err != nil {
		return complain(o, exitUsage, err)
	}
	binary, err := o.binary()
	if err != nil {
		return complain(o, exitFailed, err)
	}
	build := Rack
	if o.Netns {
		build = Namespaces
	}
	worlds := build(binary, o.Dir)
	if o.OwnClock {
		worlds = OwnClock(worlds)
	}
	err = tell(ctx, worlds)
	if err == nil {
		return 0
	}
	// A step that did not hold stands in the report already.
	if errors.Is(err, ErrFailed) && err.Error() == ErrFailed.Error() {
		return exitFailed
	}
	return complain(o, exitFailed, err)
}

func complain(o Options, code int, err error) int {
	fmt.Fprintln(o.Err, err)
	return code
}

// prepare reads and checks everything that can be known before something starts.
func (o Options) prepare() (func(context.Context, Builder) error, error) {
	if o.Netns {
		if err := segment.Possible(); err != nil {
			return nil, err
		}
	}
	sink := o.sink()
	if o.Measure != 0 {
		if o.Script != "" {
			return nil, errors.New("give a script or a number of cuts to measure, not both")
		}
		m := Measurement{Cuts: o.Measure, By: o.By}
		if m.By == "" {
			m.By = ByMains
		}
		var err error
		if m.Settings, err = settingsFrom(o.Set); err == nil {
			_, err = m.Script()
		}
		return func(ctx context.Context, b Builder) error { return Measure(ctx, m, b, mono.Now, sink) }, err
	}
	name, text, err := o.read()
	if err != nil {
		return nil, err
	}
	script, err := Parse(name, text)
	if step, needs := script.needs(netOnly); err == nil && needs && !o.Netns {
		err = fmt.Errorf("%s:%d: %w", name, step.Line, errNoNet)
	}
	if step, needs := script.needs(clockOnly); err == nil && needs && !o.OwnClock {
		err = fmt.Errorf("%s:%d: %w", name, step.Line, errNotOwn)
	}
	if o.OwnClock && os.Geteuid() != 0 {
		err = errors.Join(err, errors.New("only root may set the clock of a machine; run the lab as root, or leave out --own-clock"))
	}
	return func(ctx context.Context, b Builder) error { return Run(ctx, script, b, mono.Now, sink) }, err
}

func (o Options) read() (name, text string, err error) {
	var b []byte
	switch o.Script {
	case "":
		return builtInName, BuiltIn, nil
	case "-":
		name = "standard input"
		b, err = io.ReadAll(o.In)
	default:
		name = o.Script
		b, err = os.ReadFile(o.Script)
	}
	if err != nil {
		return "", "", fmt.Errorf("story: read script: %w", err)
	}
	return name, string(b), nil
}

func (o Options) sink() Sink {
	switch {
	case o.JSON:
		return JSON(o.Out)
	case o.Headless:
		return Headless(o.Out)
	}
	return Text(o.Out)
}

func (o Options) binary() (string, error) {
	path, err := o.Binary, error(nil)
	if path == "" {
		path, err = os.Executable()
	}
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return "", fmt.Errorf("story: find this program: %w", err)
	}
	return path, nil
}
