package lambda

import (
	"bytes"
	"os"
	"strconv"
	"time"
)

// processorUsage returns for how long a process's threads have run, and for how
// long they could have and had no processor. It returns false when the system
// does not say.
func processorUsage(pid int) (running, queued time.Duration, ok bool) {
	folder := "/proc/" + strconv.Itoa(pid) + "/task/"
	threads, err := os.ReadDir(folder)
	if err != nil {
		return 0, 0, false
	}
	for _, thread := range threads {
		text, err := os.ReadFile(folder + thread.Name() + "/schedstat")
		if err != nil {
			continue // it has ended
		}
		fields := bytes.Fields(text)
		if len(fields) < 2 {
			continue
		}
		ran, err := strconv.ParseInt(string(fields[0]), 10, 64)
		if err != nil {
			continue
		}
		waited, err := strconv.ParseInt(string(fields[1]), 10, 64)
		if err != nil {
			continue
		}
		running += time.Duration(ran)
		queued += time.Duration(waited)
		ok = true
	}
	return running, queued, ok
}

// leastMemory is the part of the machine's memory that is left alone.
const leastMemory = 0.1

// memoryIsShort reports whether the machine has no memory for processes that
// are not needed at once.
func memoryIsShort() bool {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return false
	}
	total, available := meminfo(text, "MemTotal:"), meminfo(text, "MemAvailable:")
	return available >= 0 && float64(available) < leastMemory*float64(total)
}

// meminfo returns the value of a line of /proc/meminfo, or -1.
func meminfo(text []byte, name string) int64 {
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) < 2 || string(fields[0]) != name {
			continue
		}
		if value, err := strconv.ParseInt(string(fields[1]), 10, 64); err == nil {
			return value
		}
	}
	return -1
}

// defaultMaxProcesses is AWS's limit of an account.
const defaultMaxProcesses = 1000
