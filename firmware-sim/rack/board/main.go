package board

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/serialhb/serialhb/firmware-sim/rack/mono"
)

// maxSocketPath is what fits into a unix socket address.
const maxSocketPath = 107

// Main is the board's process. Its one argument is a file with a [Config] as JSON. It writes "ready" to standard output
// when its socket can be dialled, and ends when its standard input does, so that it cannot outlive who started it.
// It returns the exit code: 0, 1 after an error, 2 for wrong arguments.
func Main(args []string) int {
	if len(args) != 1 {
		fmt.Fprintln(os.Stderr, "board: give the configuration file as the only argument")
		return 2
	}
	if err := run(args[0], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func run(file string, in io.Reader, out io.Writer) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("board: read configuration: %w", err)
	}
	var cfg Config
	if err := json.Unmarshal(text, &cfg); err != nil {
		return fmt.Errorf("board: read configuration %s: %w", file, err)
	}
	srv, err := newServer(cfg, mono.Now)
	if err != nil {
		return err
	}
	l, err := listen(cfg.Socket)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- srv.serve(l) }()
	if _, err := fmt.Fprintln(out, "ready"); err != nil {
		return errors.Join(fmt.Errorf("board: say ready: %w", err), l.Close(), <-served)
	}
	stdin := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, in)
		stdin <- err
	}()
	select {
	case err = <-served:
		return err
	case err = <-stdin:
		return errors.Join(err, l.Close(), <-served)
	}
}

func listen(socket string) (*net.UnixListener, error) {
	if len(socket) > maxSocketPath {
		return nil, fmt.Errorf("board: the socket path %s is longer than %d bytes: use a shorter folder", socket, maxSocketPath)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("board: listen: %w", err)
	}
	return l, nil
}
