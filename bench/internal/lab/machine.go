//go:build linux

package lab

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// Describe says when and on what is measured, with the machine's load before it.
func Describe() string {
	parts := []string{
		time.Now().UTC().Format("2006-01-02"),
		fmt.Sprintf("%d × %s", runtime.NumCPU(), lineOf("/proc/cpuinfo", "model name")),
		"Linux " + firstLine("/proc/sys/kernel/osrelease"),
		runtime.Version(),
	}
	if version, err := exec.Command("node", "--version").Output(); err == nil {
		parts = append(parts, "Node.js "+strings.TrimSpace(string(version)))
	}
	return strings.Join(append(parts, "load before the run "+Load()), ", ") + "."
}

// Load is the machine's load average of the last minute.
func Load() string {
	load, _, _ := strings.Cut(firstLine("/proc/loadavg"), " ")
	return load
}

// firstLine is the first line of a file, empty where there is none.
func firstLine(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// lineOf is the value of a "name: value" line of a file.
func lineOf(path, name string) string {
	file, err := os.Open(path)
	if err != nil {
		return "unknown"
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if key, value, found := strings.Cut(lines.Text(), ":"); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
