package main

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// spread carries out job(0) to job(jobs-1), so many at once; 0 is one for each processor. Each job keeps its own result.
func spread(workers, jobs int, job func(k int)) {
	var all errgroup.Group
	all.SetLimit(workersOr(workers))
	for k := range jobs {
		all.Go(func() error {
			job(k)
			return nil
		})
	}
	_ = all.Wait() // none of them gives an error
}

func workersOr(n int) int {
	if n <= 0 {
		return runtime.GOMAXPROCS(0)
	}
	return n
}

// watched says whether somebody sees what is told beside the result.
func watched() bool {
	_, err := unix.IoctlGetTermios(int(os.Stderr.Fd()), unix.TCGETS)
	return err == nil
}

// clearLine takes back how far something is.
func clearLine() {
	if watched() {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
}
