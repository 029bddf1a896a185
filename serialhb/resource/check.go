package resource

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	groupWrite = 0o020
	otherWrite = 0o002
	anyExecute = 0o111
	maxLinks   = 40
)

// checkCommand refuses a command that is not there or that somebody besides its owner and root could change. It walks
// the path as the kernel does and looks at the file, at the directory it lies in, at every directory on the way (where
// a sticky bit is enough) and through every link. It costs some microseconds, so it is done before every run.
func checkCommand(path string) error {
	at := "/"
	todo := strings.Split(path, "/")
	links := 0
	for len(todo) > 0 {
		name := todo[0]
		todo = todo[1:]
		switch name {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
			continue
		}
		if err := checkDirectory(at, len(todo) == 0); err != nil {
			return err
		}
		next := filepath.Join(at, name)
		info, err := os.Lstat(next)
		if err != nil {
			return fmt.Errorf("find %s: %w: correct the path or install it", path, cause(err))
		}
		switch {
		case info.Mode()&os.ModeSymlink != 0:
			target, err := os.Readlink(next)
			if err != nil {
				return fmt.Errorf("follow %s: %w", next, cause(err))
			}
			if links++; links > maxLinks {
				return fmt.Errorf("find %s: it is a circle of links: correct it", path)
			}
			if strings.HasPrefix(target, "/") {
				at = "/"
			}
			todo = append(strings.Split(target, "/"), todo...)
		case info.IsDir():
			at = next
		case len(todo) > 0:
			return fmt.Errorf("find %s: %s is no directory: correct the path", path, next)
		case !info.Mode().IsRegular():
			return fmt.Errorf("run %s: it is no ordinary file: configure a program", path)
		case info.Mode().Perm()&anyExecute == 0:
			return fmt.Errorf("run %s: it is not executable: chmod +x it", path)
		default:
			return checkWriters(next, info)
		}
	}
	return fmt.Errorf("run %s: it is a directory: configure a program", path)
}

// checkDirectory checks a directory on the way. In a sticky one nobody can replace what is not theirs, which will do
// for a directory above, such as one for temporary files, but not for the one that holds the command itself.
func checkDirectory(dir string, holdsCommand bool) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("check %s: %w", dir, cause(err))
	}
	if info.Mode()&os.ModeSticky != 0 && !holdsCommand {
		return nil
	}
	return checkWriters(dir, info)
}

func checkWriters(path string, info os.FileInfo) error {
	perm := info.Mode().Perm()
	if perm&otherWrite != 0 {
		return fmt.Errorf("%w: everybody may write to %s: chmod go-w it", ErrUnsafe, path)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if perm&groupWrite != 0 && (!ok || st.Gid != 0) {
		return fmt.Errorf("%w: its group may write to %s: chmod g-w it", ErrUnsafe, path)
	}
	return nil
}

// cause drops the path from a file error whose sentence names it already.
func cause(err error) error {
	if pe, ok := err.(*os.PathError); ok {
		return pe.Err
	}
	return err
}
