package boundary

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
)

// ArgTracer is the hidden first argument of the process that traces: PID DIR PROGRAM [BOUNDARY DELAY]. It is a process of its own
// because whoever traces waits for everything that ends below it, and because the daemon goes on when its tracer ends.
const ArgTracer = "__boundary-tracer"

// Hidden serves it. ok says whether args were for it, and then exit is the exit code. It is to be asked before anything else
// in main.
func Hidden(args []string) (exit int, ok bool) {
	if len(args) == 0 || args[0] != ArgTracer {
		return 0, false
	}
	if err := trace(args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1, true
	}
	return 0, true
}

// said is a line of the tracer.
type said struct {
	Ready    bool          `json:"ready,omitempty"`    // every call from now on is seen
	Passed   *Boundary     `json:"passed,omitempty"`   // the daemon came by here
	Held     bool          `json:"held,omitempty"`     // its thread stands still here, and is killed later
	Killed   time.Duration `json:"killed,omitempty"`   // it was killed there, then (CLOCK_MONOTONIC)
	Gone     bool          `json:"gone,omitempty"`     // and is dead
	Nameless string        `json:"nameless,omitempty"` // a call that is not in the list of calls
}

func trace(args []string) error {
	if len(args) != 3 && len(args) != 5 {
		return errors.New("boundary: give PID DIR PROGRAM [BOUNDARY DELAY]")
	}
	pid, err := strconv.Atoi(args[0])
	if err != nil {
		return fmt.Errorf("boundary: read process id: %w", err)
	}
	t := &tracer{pid: pid, dir: args[1], program: args[2], threads: map[int]*stand{}, counts: map[Boundary]int{}, sockets: map[string]string{}, out: json.NewEncoder(os.Stdout)}
	if len(args) == 5 {
		t.want = &Boundary{}
		if err := json.Unmarshal([]byte(args[3]), t.want); err != nil {
			return fmt.Errorf("boundary: read boundary: %w", err)
		}
		if t.delay, err = time.ParseDuration(args[4]); err != nil {
			return fmt.Errorf("boundary: read delay: %w", err)
		}
	}
	// The end of standard input is the end of the tracing: the kernel lets go of all that we trace, and it runs on.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	runtime.LockOSThread() // the kernel obeys only the thread that began
	return t.run()
}

// tracer follows all threads of one process.
type tracer struct {
	pid     int
	dir     string // paths below it are told without it
	program string // calls count once the process runs this
	runs    bool
	ready   bool
	want    *Boundary     // where to kill, nil is nowhere
	delay   time.Duration // for which the thread stands still there before the kill, while the others go on
	killed  bool          // or about to be
	lines   sync.Mutex
	out     *json.Encoder

	threads map[int]*stand
	counts  map[Boundary]int
	sockets map[string]string // by what the kernel calls them
}

// stand is where a thread stands: outside every call, or within the one that it named at the entry.
type stand struct {
	within  Boundary // Call is "" if it does not count
	nr      uint64
	awaited bool // the stop of our own interrupt has not come yet
	held    bool // it never goes on
}

const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEEXEC

// run attaches, says so, and follows until nothing is left of the process.
func (t *tracer) run() error {
	if err := t.attach(); err != nil {
		return err
	}
	for {
		var ws unix.WaitStatus
		tid, err := unix.Wait4(-1, &ws, unix.WALL, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.ECHILD:
			return t.say(said{Gone: true})
		case err != nil:
			return fmt.Errorf("boundary: wait: %w", err)
		case ws.Exited(), ws.Signaled():
			delete(t.threads, tid)
			if err := t.readyWhenAll(); err != nil {
				return err
			}
			continue
		}
		if err := t.stopped(tid, ws); err != nil {
			return err
		}
	}
}

// attach seizes thread after thread until a look finds no new one: those that a seized thread makes are seized by the kernel.
func (t *tracer) attach() error {
	for fresh := true; fresh; {
		fresh = false
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", t.pid))
		if err != nil || len(tasks) == 0 {
			return fmt.Errorf("boundary: no process %d: %w", t.pid, err)
		}
		for _, task := range tasks {
			tid, err := strconv.Atoi(filepath.Base(task))
			if err != nil {
				return fmt.Errorf("boundary: read %s: %w", task, err)
			}
			if t.threads[tid] != nil {
				continue
			}
			err = ptrace(unix.PTRACE_SEIZE, tid, 0, options)
			switch err {
			case nil:
				t.threads[tid] = &stand{awaited: true}
			case unix.ESRCH:
				continue // it has ended
			case unix.EPERM:
				// Made by one that is seized, it is ours already, and its first stop waits for us.
				if !tracedByMe(task) {
					return fmt.Errorf("boundary: seize thread %d: %w", tid, err)
				}
				t.threads[tid] = &stand{}
				continue
			default:
				return fmt.Errorf("boundary: seize thread %d: %w", tid, err)
			}
			fresh = true
			if err := unix.PtraceInterrupt(tid); err != nil && err != unix.ESRCH {
				return fmt.Errorf("boundary: interrupt thread %d: %w", tid, err)
			}
		}
	}
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", t.pid))
	if err != nil {
		return fmt.Errorf("boundary: what runs as %d: %w", t.pid, err)
	}
	t.runs = exe == t.program
	return t.readyWhenAll()
}

func tracedByMe(task string) bool {
	text, err := os.ReadFile(task + "/status")
	var by int
	for line := range lines(string(text)) {
		_, _ = fmt.Sscanf(line, "TracerPid: %d", &by)
	}
	return err == nil && by == os.Getpid()
}

// readyWhenAll says that it is ready once every thread has stopped for us, and so is seen at its next call.
func (t *tracer) readyWhenAll() error {
	if t.ready {
		return nil
	}
	for _, s := range t.threads {
		if s.awaited {
			return nil
		}
	}
	t.ready = true
	return t.say(said{Ready: true})
}

// stopped looks why a thread stands still, and lets it go on.
func (t *tracer) stopped(tid int, ws unix.WaitStatus) error {
	s := t.threads[tid]
	if s == nil {
		s = &stand{}
		t.threads[tid] = s
	}
	sig, event := ws.StopSignal(), int(ws)>>16
	switch {
	case event == unix.PTRACE_EVENT_STOP && sig != unix.SIGTRAP:
		return t.carryOn(unix.PTRACE_LISTEN, tid, 0) // somebody stopped the process
	case event == unix.PTRACE_EVENT_STOP:
		s.awaited, sig = false, 0
		if err := t.readyWhenAll(); err != nil {
			return err
		}
	case event == unix.PTRACE_EVENT_EXEC:
		exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", t.pid))
		t.runs = err == nil && exe == t.program
		sig = 0
	case event != 0:
		sig = 0
	case sig == unix.SIGTRAP|0x80:
		sig = 0
		if err := t.atCall(tid, s); err != nil || s.held {
			return err
		}
	}
	return t.carryOn(unix.PTRACE_SYSCALL, tid, int(sig))
}

// carryOn lets a thread go on. One that a kill has reached meanwhile is gone already.
func (t *tracer) carryOn(how, tid, sig int) error {
	if err := ptrace(how, tid, 0, uintptr(sig)); err != nil && err != unix.ESRCH {
		return fmt.Errorf("boundary: continue thread %d: %w", tid, err)
	}
	return nil
}

// info is struct ptrace_syscall_info of the kernel, with the larger of its variants.
type info struct {
	op    uint8
	_     [3]uint8
	_     uint32
	_, _  uint64
	nr    uint64 // at the exit: what the call gives
	args  [6]uint64
	_, _  uint64
	_pad1 uint64
}

const (
	atEntry = 1
	atExit  = 2
)

// The kernel takes up a call again that a signal interrupted, if its result is between these.
const (
	restartFirst = -516
	restartLast  = -512
)

func (t *tracer) atCall(tid int, s *stand) error {
	var i info
	n, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_GET_SYSCALL_INFO, uintptr(tid), unsafe.Sizeof(i), uintptr(unsafe.Pointer(&i)), 0, 0)
	if errno == unix.ESRCH {
		return nil
	}
	if errno != 0 || n < 24 {
		return fmt.Errorf("boundary: look at the call of thread %d: %w", tid, errno)
	}
	switch {
	case i.op == atEntry:
		s.nr, s.within = i.nr, Boundary{}
		if !t.ready || !t.runs || t.killed {
			return nil
		}
		b, counts := t.call(&thread{tid: tid, of: t}, i)
		if !counts {
			return nil
		}
		t.counts[b]++
		b.Nth, b.Side = t.counts[b], Entry
		s.within = b
		return t.pass(s, b)
	case i.op == atExit && s.within.Call != "":
		b := s.within
		s.within = Boundary{}
		if result := int64(i.nr); restartFirst <= result && result <= restartLast {
			t.counts[Boundary{Call: b.Call, About: b.About}]--
			return nil
		}
		b.Side = Exit
		return t.pass(s, b)
	}
	return nil
}

func (t *tracer) call(th *thread, i info) (Boundary, bool) {
	c, known := calls[i.nr]
	if !known {
		name := fmt.Sprintf("call-%d", i.nr)
		_ = t.say(said{Nameless: name}) // who does not read us any more ends us
		return Boundary{Call: name}, true
	}
	if c.names == nil {
		return Boundary{}, false
	}
	about, counts := c.names(th, i.args)
	return Boundary{Call: c.name, About: about}, counts
}

// pass tells that the daemon came by, and kills it if this is the place.
func (t *tracer) pass(s *stand, b Boundary) error {
	switch {
	case t.killed:
		return nil
	case t.want == nil || b != *t.want:
		return t.say(said{Passed: &b})
	}
	t.killed = true
	if t.delay == 0 {
		return errors.Join(t.say(said{Passed: &b}), t.kill())
	}
	s.held = true
	time.AfterFunc(t.delay, func() {
		if err := t.kill(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	})
	return t.say(said{Passed: &b, Held: true})
}

// kill says so before anybody can say that the process has gone.
func (t *tracer) kill() error {
	t.lines.Lock()
	defer t.lines.Unlock()
	at := mono.Now()
	if err := unix.Kill(t.pid, unix.SIGKILL); err != nil {
		return fmt.Errorf("boundary: kill %d: %w", t.pid, err)
	}
	return t.out.Encode(said{Killed: at})
}

func (t *tracer) say(s said) error {
	t.lines.Lock()
	defer t.lines.Unlock()
	return t.out.Encode(s)
}

// nr is the number of the call in which the thread is.
func (t *thread) nr() uint64 { return t.of.threads[t.tid].nr }

func ptrace(request, tid int, addr, data uintptr) error {
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, uintptr(request), uintptr(tid), addr, data, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
