package journal

import (
	"io/fs"
	"os"
)

// files is the part of the file system that writing goes through. Tests put failures, delays and power cuts here.
type files interface {
	Open(path string, flag int) (file, error)
	Rename(from, to string) error
	Remove(path string) error
	MakeDir(dir string) error // whose parent is there
	SyncDir(dir string) error
	ReadDir(dir string) ([]fs.DirEntry, error)
}

type file interface {
	Write(p []byte) (int, error)
	Truncate(size int64) error
	Stat() (fs.FileInfo, error)
	Sync() error
	Close() error
}

// fileMode is the mode of everything written here: evidence and facts are the daemon's own.
const fileMode = 0o600

// dirMode lets other users pass through: the control socket lives in the same directory.
const dirMode = 0o755

type realFiles struct{}

func (realFiles) Open(path string, flag int) (file, error) {
	f, err := os.OpenFile(path, flag, fileMode)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (realFiles) Rename(from, to string) error { return os.Rename(from, to) }

func (realFiles) Remove(path string) error { return os.Remove(path) }

func (realFiles) MakeDir(dir string) error { return os.Mkdir(dir, dirMode) }

func (realFiles) ReadDir(dir string) ([]fs.DirEntry, error) { return os.ReadDir(dir) }

func (realFiles) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
