package resource

import (
	"os"
	"strconv"

	"github.com/serialhb/serialhb/serialhb/process"
)

// groupLives says whether a process group has a member that is no zombie. If nobody can tell, it lives.
func groupLives(pgid int) bool {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return true
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if s, err := process.Of(pid); err == nil && s.Group == pgid && !s.Ended {
			return true
		}
	}
	return false
}
