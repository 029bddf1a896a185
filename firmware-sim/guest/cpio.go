package guest

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// File is a file of the guest, or with neither Text nor From a folder.
type File struct {
	Path string // in the guest, absolute; the folders above it are made
	Mode fs.FileMode
	Text []byte
	From string // a file of this machine, in place of Text
}

// archive writes an initramfs in the "newc" form of cpio (Documentation/driver-api/early-userspace/buffer-format.rst of
// the kernel).
type archive struct {
	w    *bufio.Writer
	made map[string]bool
	node int
}

const (
	typeFolder = 0o040000
	typeFile   = 0o100000
	typeDevice = 0o020000
)

func writeArchive(to io.Writer, files []File) error {
	a := archive{w: bufio.NewWriterSize(to, 1<<20), made: map[string]bool{"/": true}}
	// The kernel opens the console for the first process before anything is mounted.
	err := a.folder("/dev")
	if err == nil {
		err = a.entry("dev/console", typeDevice|0o600, 0, nil, 5, 1)
	}
	for _, f := range files {
		if err == nil {
			err = a.file(f)
		}
	}
	if err == nil {
		err = a.entry("TRAILER!!!", 0, 0, nil, 0, 0)
	}
	if err == nil {
		err = a.w.Flush()
	}
	if err != nil {
		return fmt.Errorf("guest: write initramfs: %w", err)
	}
	return nil
}

func (a *archive) file(f File) error {
	name := path.Clean(f.Path)
	if !path.IsAbs(f.Path) || name == "/" {
		return fmt.Errorf("%q is no absolute path of a file", f.Path)
	}
	if f.Text == nil && f.From == "" {
		return a.folder(name)
	}
	if err := a.folder(path.Dir(name)); err != nil {
		return err
	}
	mode, size, content := f.Mode, int64(len(f.Text)), io.Reader(strings.NewReader(string(f.Text)))
	if f.From != "" {
		from, err := os.Open(f.From)
		if err != nil {
			return err
		}
		defer from.Close()
		info, err := from.Stat()
		if err != nil {
			return err
		}
		size, content = info.Size(), from
	}
	return a.entry(name[1:], typeFile|uint32(mode.Perm()), size, content, 0, 0)
}

// folder makes a folder and those above it, each once.
func (a *archive) folder(name string) error {
	var missing []string
	for ; !a.made[name]; name = path.Dir(name) {
		missing = append(missing, name)
	}
	for _, dir := range slices.Backward(missing) {
		if err := a.entry(dir[1:], typeFolder|0o755, 0, nil, 0, 0); err != nil {
			return err
		}
		a.made[dir] = true
	}
	return nil
}

func (a *archive) entry(name string, mode uint32, size int64, content io.Reader, major, minor int) error {
	if size > 1<<32-1 {
		return fmt.Errorf("%s is larger than this form can say", name)
	}
	a.node++
	// Magic, inode, mode, uid, gid, links, mtime, size, device of the file system, device of the node, name, check.
	head := fmt.Sprintf("070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00",
		a.node, mode, 0, 0, 1, 0, size, 0, 0, major, minor, len(name)+1, 0, name)
	if _, err := a.w.WriteString(padded(head)); err != nil || size == 0 {
		return err
	}
	if n, err := io.Copy(a.w, io.LimitReader(content, size)); err != nil || n != size {
		return fmt.Errorf("%s: %d of %d bytes: %w", name, n, size, cmpErr(err))
	}
	_, err := a.w.WriteString(padding(size))
	return err
}

// cmpErr gives a short read its name.
func cmpErr(err error) error {
	if err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}

func padded(text string) string { return text + padding(int64(len(text))) }

func padding(size int64) string { return "\x00\x00\x00"[:(4-size%4)%4] }
