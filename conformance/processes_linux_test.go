package conformance

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// descendants are the processes that a process started, and those that they
// started.
func descendants(parent int) []int {
	children := map[int][]int{}
	for _, pid := range processes() {
		if p, ok := parentOf(pid); ok {
			children[p] = append(children[p], pid)
		}
	}
	all := children[parent]
	for at := 0; at < len(all); at++ {
		all = append(all, children[all[at]]...)
	}
	return all
}

// awaitGone fails the test unless the processes end, and with them all that
// work in dir.
func awaitGone(t *testing.T, dir string, pids []int) {
	t.Helper()
	var left []int
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		left = left[:0]
		for _, pid := range processes() {
			if worksIn(pid, dir) {
				left = append(left, pid)
			}
		}
		for _, pid := range pids {
			if _, ok := parentOf(pid); ok {
				left = append(left, pid)
			}
		}
		if len(left) == 0 {
			return
		}
		<-time.After(20 * time.Millisecond)
	}
	t.Errorf("the gateway has ended, and left the processes %v", left)
}

func processes() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// parentOf is false for a process that is gone, or dead and not yet collected.
func parentOf(pid int) (int, bool) {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, false
	}
	// pid (name) state ppid …, where the name may hold anything.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	parent, err := strconv.Atoi(fields[1])
	return parent, err == nil && fields[0] != "Z" && fields[0] != "X"
}

func worksIn(pid int, dir string) bool {
	cwd, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "cwd"))
	return err == nil && (cwd == dir || strings.HasPrefix(cwd, dir+string(filepath.Separator)))
}
