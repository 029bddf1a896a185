package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A log is a row of files. Each is named after the sequence number of its first record, so that names sort as records
// do and a file can be skipped unread.
const (
	segmentPrefix = "events-"
	segmentSuffix = ".jsonl"
	segmentSize   = 1 << 20 // bytes
	keepInRun     = 2
	keepInState   = 8
)

func segmentPath(dir string, first uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%s%020d%s", segmentPrefix, first, segmentSuffix))
}

// segments lists the first sequence numbers of a directory's files, oldest first.
func segments(fs files, dir string) ([]uint64, error) {
	entries, err := fs.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []uint64
	for _, entry := range entries {
		digits, ok := strings.CutPrefix(entry.Name(), segmentPrefix)
		if !ok {
			continue
		}
		if digits, ok = strings.CutSuffix(digits, segmentSuffix); !ok {
			continue
		}
		if first, err := strconv.ParseUint(digits, 10, 64); err == nil {
			all = append(all, first)
		}
	}
	slices.Sort(all)
	return all, nil
}

// lastSeq is the sequence number of the last record in a directory, 0 if there is none.
func lastSeq(fs files, dir string) (uint64, error) {
	all, err := segments(fs, dir)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	first := all[len(all)-1]
	data, err := os.ReadFile(segmentPath(dir, first))
	if err != nil {
		return 0, err
	}
	for len(data) > 0 {
		data = bytes.TrimSuffix(data, []byte("\n"))
		at := bytes.LastIndexByte(data, '\n') + 1
		if seq, ok := lineSeq(data[at:]); ok {
			return seq, nil
		}
		data = data[:at]
	}
	return max(first, 1) - 1, nil
}

// appender writes whole lines to the newest file of a directory and begins a new one when it is full.
type appender struct {
	files files
	dir   string
	keep  int

	out    file
	size   int64
	synced bool // the name of the file is on disk
}

// write appends lines of which the first has the sequence number first. On an error nothing of them remains, or the
// file is given up.
func (a *appender) write(lines []byte, first uint64) error {
	if a.out != nil && a.size+int64(len(lines)) > segmentSize {
		a.close()
	}
	if a.out == nil {
		if err := a.open(first, int64(len(lines))); err != nil {
			return err
		}
	}
	n, err := a.out.Write(lines)
	if err != nil {
		a.takeBack(a.size, n > 0)
		return err
	}
	a.size += int64(len(lines))
	return nil
}

// takeBack makes the file end at size again. If that fails, the file may end in half a line and is not used on.
func (a *appender) takeBack(size int64, dirty bool) {
	if dirty && a.out.Truncate(size) != nil {
		a.close()
		return
	}
	a.size = size
}

func (a *appender) close() {
	if a.out != nil {
		_ = a.out.Close()
		a.out = nil
	}
}

// open goes on with the newest file if there is room in it, else begins a new one and removes the oldest. A directory
// that was removed is made again; the one above is somebody else's to make.
func (a *appender) open(first uint64, need int64) error {
	all, err := segments(a.files, a.dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = a.files.MakeDir(a.dir)
	}
	if err != nil {
		return err
	}
	if len(all) > 0 {
		newest := all[len(all)-1]
		if err := a.take(newest, need); err != errFull {
			return err
		}
		// A file that took nothing but failures may bear this very number.
		first = max(first, newest+1)
	}
	if err := a.take(first, need); err != nil {
		return err
	}
	for len(all)+1 > a.keep {
		// What cannot be removed now is tried again with the next file.
		_ = a.files.Remove(segmentPath(a.dir, all[0]))
		all = all[1:]
	}
	return nil
}

var errFull = errors.New("no room in this file")

// take opens one file for appending. Half a line at its end, left by a death in mid-write, is closed off, so that it
// spoils no record but its own.
func (a *appender) take(first uint64, need int64) error {
	path := segmentPath(a.dir, first)
	out, err := a.files.Open(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE)
	if err != nil {
		return err
	}
	info, err := out.Stat()
	if err == nil && info.Size() > 0 && info.Size()+need+1 > segmentSize {
		err = errFull
	}
	size := int64(0)
	if err == nil {
		size = info.Size()
		if size > 0 && !endsLine(path, size) {
			_, err = out.Write([]byte("\n"))
			size++
		}
	}
	if err != nil {
		_ = out.Close()
		return err
	}
	a.out, a.size, a.synced = out, size, false
	return nil
}

func endsLine(path string, size int64) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	last := make([]byte, 1)
	_, err = f.ReadAt(last, size-1)
	return err == nil && last[0] == '\n'
}
