package store

import (
	"os"
	"strconv"
	"strings"
)

// processOf returns texts that identify a process. machine is the space that
// its process id is of: the boot of a machine, and a namespace of process ids
// in it. started is when the process began in it, "" where there is no such
// process. Both are "" where they cannot be found out.
func processOf(pid int) (machine, started string) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", ""
	}
	space, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return "", ""
	}
	machine = strings.TrimSpace(string(boot)) + " " + space
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return machine, ""
	}
	// The name of the program, in parentheses, may hold spaces and parentheses. The
	// 22nd field is the start, in ticks since the boot; a zombie has ended.
	_, rest, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return machine, ""
	}
	return machine, fields[19]
}
