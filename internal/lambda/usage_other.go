//go:build !linux

package lambda

import "time"

// defaultMaxProcesses is what fits into the memory of most machines.
const defaultMaxProcesses = 100

// processorUsage returns false: only Linux says for how long a process has
// waited for a processor.
func processorUsage(int) (running, queued time.Duration, ok bool) { return 0, 0, false }

func machineTimes() (processorTimes, bool) { return processorTimes{}, false }

// memoryIsShort returns false: there are few enough processes.
func memoryIsShort() bool { return false }
