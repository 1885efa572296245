//go:build linux

package process

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of the times in /proc/PID/stat: user space always sees
// hundredths of a second.
const tick = 10 * time.Millisecond

// ProcessorTime is the processor time that a process has used so far, by all
// of its threads.
func ProcessorTime(pid int) (time.Duration, error) {
	own, _, err := times(pid)
	return own, err
}

// TreeTime is the processor time of a process and of those that it has started, and
// they. Those that have ended are in it if their parent has waited for them, as programs
// do; one whose parent ended before it is not. It fails where processes end all the time.
func TreeTime(pid int) (total time.Duration, err error) {
	for range maxReadings {
		if total, err = treeTime(pid); !errors.Is(err, errWaited) {
			break
		}
	}
	return total, err
}

// maxReadings is how often a tree is read at most until no process ends meanwhile.
const maxReadings = 100

// errWaited is returned when a process was waited for while the tree was read: its time
// may have been missed, or counted twice.
var errWaited = errors.New("processor time: a process has ended meanwhile")

func treeTime(pid int) (time.Duration, error) {
	own, waited, err := times(pid)
	if err != nil {
		return 0, err
	}
	total := own + waited
	for _, child := range children(pid) {
		time, err := treeTime(child)
		switch {
		case errors.Is(err, errWaited):
			return 0, err
		case err == nil: // otherwise it has ended, and its parent shows it below
			total += time
		}
	}
	if _, now, err := times(pid); err == nil && now != waited {
		return 0, errWaited
	}
	return total, nil
}

// times are the processor times of a process, and of those of its children that have
// ended and that it has waited for, with theirs.
func times(pid int) (own, waited time.Duration, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, fmt.Errorf("processor time: %w", err)
	}
	return parseStat(text)
}

// children are the processes that the threads of a process have started.
func children(pid int) []int {
	var list []int
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is a good one
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		for _, field := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				list = append(list, child)
			}
		}
	}
	return list
}

// parseStat adds utime and stime, fields 14 and 15, and cutime and cstime, which follow.
// The name, field 2, is in parentheses and may have anything in it.
func parseStat(text []byte) (own, waited time.Duration, err error) {
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 15 {
		return 0, 0, fmt.Errorf("processor time: unexpected stat line %q", text)
	}
	var ticks [4]time.Duration
	for i := range ticks {
		n, err := strconv.ParseInt(fields[11+i], 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("processor time: %w", err)
		}
		ticks[i] = time.Duration(n) * tick
	}
	return ticks[0] + ticks[1], ticks[2] + ticks[3], nil
}

// Memory is the memory of a process in bytes that is its own, resident or
// swapped out: heap and stacks, without the pages of files (its program text).
func Memory(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("memory: %w", err)
	}
	resident, err := parseStatus(text, "RssAnon:")
	if err != nil {
		return 0, err
	}
	swapped, err := parseStatus(text, "VmSwap:")
	return resident + swapped, err
}

// parseStatus finds a line of /proc/PID/status that has kibibytes.
func parseStatus(text []byte, name string) (int64, error) {
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		value, found := strings.CutPrefix(lines.Text(), name)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(value, " kB")), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("memory: %s%s: %w", name, value, err)
		}
		return n << 10, nil
	}
	return 0, fmt.Errorf("memory: no line %s", name)
}

// Settled waits until the program's memory has not shrunk for some time, which
// lets Go's runtime collect and return what is free, and returns it in bytes.
func (p *Process) Settled(ctx context.Context, still time.Duration) (int64, error) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var least int64
	for since := time.Now(); ; {
		now, err := Memory(p.PID)
		if err != nil {
			return 0, err
		}
		// A page more or less does not count.
		if least == 0 || now < least-least/200 {
			least, since = now, time.Now()
		}
		if time.Since(since) >= still {
			return now, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}
