package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// kernelPackage is Debian's kernel for guests. It always depends on the newest one.
const kernelPackage = "linux-image-cloud-amd64"

// Kernel gives the file of a Debian kernel in a folder, the newest one there. If there is none, it fetches one by its
// package name and unpacks it; nothing is installed, and nothing but the kernel stays.
func Kernel(ctx context.Context, dir string) (string, error) {
	if file, err := kernelIn(dir); file != "" || err != nil {
		return file, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("guest: make folder for a kernel: %w", err)
	}
	if err := fetch(ctx, dir); err != nil {
		return "", fmt.Errorf("guest: fetch kernel: %w; run `apt-get update` on a Debian machine, or name a kernel with --kernel", err)
	}
	file, err := kernelIn(dir)
	if file == "" && err == nil {
		err = fmt.Errorf("guest: fetch kernel: there was none in the package; name one with --kernel")
	}
	return file, err
}

// kernelIn gives the kernel of a folder that was built last, or "".
func kernelIn(dir string) (newest string, err error) {
	all, err := filepath.Glob(filepath.Join(dir, "vmlinuz-*"))
	if err != nil {
		return "", err
	}
	var built time.Time
	for _, file := range all {
		info, err := os.Stat(file)
		if err != nil {
			return "", fmt.Errorf("guest: look at kernel: %w", err)
		}
		if info.ModTime().After(built) {
			newest, built = file, info.ModTime()
		}
	}
	return newest, nil
}

func fetch(ctx context.Context, dir string) error {
	for _, tool := range []string{"apt-get", "apt-cache", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is missing", tool)
		}
	}
	said, err := tool(ctx, dir, "apt-cache", "depends", kernelPackage)
	if err != nil {
		return err
	}
	name := dependency(said)
	if name == "" {
		return fmt.Errorf("%s names no kernel", kernelPackage)
	}
	// On the same file system, so that the kernel can be moved in one piece.
	work, err := os.MkdirTemp(dir, "unpack")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := os.Chmod(work, 0o755); err != nil { // apt fetches as a user of its own
		return err
	}
	if _, err := tool(ctx, work, "apt-get", "-qq", "download", name); err != nil {
		return err
	}
	debs, err := filepath.Glob(filepath.Join(work, "*.deb"))
	if err != nil || len(debs) != 1 {
		return errors.Join(fmt.Errorf("apt-get brought %d packages", len(debs)), err)
	}
	if _, err := tool(ctx, work, "dpkg-deb", "-x", debs[0], "tree"); err != nil {
		return err
	}
	kernel, err := kernelIn(filepath.Join(work, "tree", "boot"))
	if err != nil || kernel == "" {
		return errors.Join(errors.New("the package has no kernel"), err)
	}
	return os.Rename(kernel, filepath.Join(dir, filepath.Base(kernel)))
}

// dependency is the concrete package that `apt-cache depends` names.
func dependency(said string) string {
	for line := range strings.Lines(said) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "Depends: "); ok {
			return name
		}
	}
	return ""
}

func tool(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var out, fault bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &fault
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, args[0], err, strings.TrimSpace(fault.String()))
	}
	return out.String(), nil
}
