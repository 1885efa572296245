package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// buryEvery is how often orphans that have ended are reaped. Our own
	// children are reaped by the code that started them, long before they are
	// seen twice.
	buryEvery = 10 * time.Second
	// orphansTime is the longest that is waited for the remaining processes to
	// end.
	orphansTime = 5 * time.Second
)

// adoptOrphans makes this process the parent of every process below it whose
// own parent ends, so that processes that functions leave behind can be found.
// The function that it returns ends all of them.
func adoptOrphans() (end func()) {
	if unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		buryOrphans(ctx)
	}()
	return func() {
		cancel()
		<-done
		endDescendants()
	}
}

// buryOrphans waits for adopted processes that have ended, until ctx ends.
func buryOrphans(ctx context.Context) {
	ticker := time.NewTicker(buryEvery)
	defer ticker.Stop()
	seen := map[int]bool{}
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		ended := map[int]bool{}
		if !childHasEnded() {
			seen = ended
			continue
		}
		for _, p := range processes() {
			if p.parent != os.Getpid() || p.state != "Z" {
				continue
			}
			if seen[p.pid] {
				_, _ = unix.Wait4(p.pid, nil, unix.WNOHANG, nil)
				continue
			}
			ended[p.pid] = true
		}
		seen = ended
	}
}

// childHasEnded reports whether a child is there that has ended and was not reaped.
// That takes a system call, while to look through all processes takes some for each.
func childHasEnded() bool {
	var child unix.Siginfo
	err := unix.Waitid(unix.P_ALL, 0, &child, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err == nil && child.Signo != 0
}

// endDescendants kills all processes below this one. It is called when all
// processes have ended that the command itself has started.
func endDescendants() {
	for deadline := time.Now().Add(orphansTime); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		left := descendants(os.Getpid(), processes())
		if len(left) == 0 {
			return
		}
		for _, p := range left {
			_ = unix.Kill(p.pid, unix.SIGKILL)
			_, _ = unix.Wait4(p.pid, nil, unix.WNOHANG, nil)
		}
	}
}

// systemProcess is a process of the system.
type systemProcess struct {
	pid, parent int
	state       string // R, S, Z, …
}

// descendants returns the processes below one.
func descendants(pid int, all []systemProcess) (below []systemProcess) {
	children := map[int][]systemProcess{}
	for _, p := range all {
		children[p.parent] = append(children[p.parent], p)
	}
	for next := children[pid]; len(next) > 0; {
		p := next[0]
		below = append(below, p)
		next = append(next[1:len(next):len(next)], children[p.pid]...)
	}
	return below
}

// processes returns the processes of the system that can be seen.
func processes() (all []systemProcess) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue
		}
		// pid (name) state parent …; the name may hold anything.
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) < 2 {
			continue
		}
		parent, _ := strconv.Atoi(fields[1])
		all = append(all, systemProcess{pid, parent, fields[0]})
	}
	return all
}
