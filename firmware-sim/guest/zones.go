package guest

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// zoneFolder is where programs look for time zones.
const zoneFolder = "/usr/share/zoneinfo"

// Zones gives the files of all time zones as the Go distribution has them, and the guest's own zone, UTC.
func Zones(ctx context.Context) ([]File, error) {
	root, err := tool(ctx, "", "go", "env", "GOROOT")
	if err != nil {
		return nil, fmt.Errorf("guest: find time zones: %w", err)
	}
	book, err := zip.OpenReader(filepath.Join(strings.TrimSpace(root), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		return nil, fmt.Errorf("guest: read time zones: %w", err)
	}
	defer book.Close()
	var all []File
	for _, z := range book.File {
		if z.FileInfo().IsDir() {
			continue
		}
		text, err := content(z)
		if err != nil {
			return nil, fmt.Errorf("guest: read time zone %s: %w", z.Name, err)
		}
		all = append(all, File{Path: zoneFolder + "/" + z.Name, Mode: 0o644, Text: text})
		if z.Name == "UTC" {
			all = append(all, File{Path: "/etc/localtime", Mode: 0o644, Text: text})
		}
	}
	return all, nil
}

func content(z *zip.File) ([]byte, error) {
	r, err := z.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}
