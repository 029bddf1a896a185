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
	if name := screen(device); name != "" {
		return name, nil
	}
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

// screen is the name of a device that is a screen and keyboard, or stands for whatever the console is: never a cable.
func screen(device uint64) string {
	major, minor := unix.Major(device), unix.Minor(device)
	switch {
	case major == 4 && minor < 64:
		return fmt.Sprintf("tty%d", minor)
	case major == 5 && minor == 0:
		return "tty"
	case major == 5 && minor == 1:
		return "console"
	}
	return ""
}
