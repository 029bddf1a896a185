package link

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// consoleName is the kernel's name of a device that is one of its consoles, empty if it is none. The kernel prints on
// a console whenever it likes, and firmware and boot loaders read from it: pulses there can keep a board from booting.
func consoleName(sys string, device uint64) (string, error) {
	class := filepath.Join(sys, "class", "tty")
	active, err := os.ReadFile(filepath.Join(class, "console", "active"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil // a kernel without consoles
	}
	if err != nil {
		return "", err
	}
	number := fmt.Sprintf("%d:%d", unix.Major(device), unix.Minor(device))
	for _, name := range strings.Fields(string(active)) {
		dev, err := os.ReadFile(filepath.Join(class, name, "dev"))
		if err != nil {
			return "", err
		}
		if strings.TrimSpace(string(dev)) == number {
			return name, nil
		}
	}
	return "", nil
}
