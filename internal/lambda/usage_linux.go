package lambda

import (
	"bytes"
	"os"
	"strconv"
	"time"
)

// defaultMaxProcesses is AWS's limit of an account.
const defaultMaxProcesses = 1000

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
		if times := numbers(bytes.Fields(text)); len(times) >= 2 {
			running += time.Duration(times[0])
			queued += time.Duration(times[1])
			ok = true
		}
	}
	return running, queued, ok
}

// machineTimes returns what /proc/stat says of the processors. It returns false
// when that can't be read.
func machineTimes() (processorTimes, bool) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return processorTimes{}, false
	}
	t := processorTimes{processors: -1} // the first line is of all of them
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) == 0 || !bytes.HasPrefix(fields[0], []byte("cpu")) {
			break
		}
		t.processors++
		if t.processors > 0 {
			continue
		}
		for i, ticks := range numbers(fields[1:]) {
			if i == 3 || i == 4 { // idle, and idle while a disk works
				t.idle += ticks
			}
			if i < 8 { // those after it are parts of others
				t.all += ticks
			}
		}
	}
	return t, t.processors > 0
}

// numbers returns the numbers that fields begin with.
func numbers(fields [][]byte) []int64 {
	list := make([]int64, 0, len(fields))
	for _, field := range fields {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			break
		}
		list = append(list, n)
	}
	return list
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
		if value := numbers(fields[1:]); len(value) > 0 {
			return value[0]
		}
	}
	return -1
}
