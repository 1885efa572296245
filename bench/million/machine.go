//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
)

// perProcess returns how many connections a process holds: what -per-process says,
// or four fifths of the files that it may open, a limit that is raised as far as
// this process may raise it. Beyond nine tenths a gateway refuses handshakes.
func perProcess(o *options) (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("limit of open files: %w", err)
	}
	if all := uint64(o.connections)*5/4 + 1000; all <= limit.Max || lab.RaiseFileLimit(all) != nil {
		if err := lab.RaiseFileLimit(limit.Max); err != nil {
			return 0, err
		}
	}
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("limit of open files: %w", err)
	}
	most := int(min(limit.Cur, 1<<24)) * 4 / 5
	if o.perProcess > most {
		return 0, fmt.Errorf("-per-process: a process may open %d files, which is enough for %d connections", limit.Cur, most)
	}
	if o.perProcess > 0 {
		most = o.perProcess
	}
	return most, nil
}

// What a connection and a pair of processes, a gateway and its client, take at most.
const (
	bytesPerConnection = 12 << 10 // of both ends, most of it the kernel's
	bytesPerPair       = 96 << 20
)

// enough returns an error if the machine cannot hold the connections.
func enough(connections, pairs int) error {
	available, err := meminfo("MemAvailable")
	if err != nil {
		return err
	}
	need := int64(connections)*bytesPerConnection + int64(pairs)*bytesPerPair
	if need > available {
		return fmt.Errorf("%d connections take up to %.1f GiB, and %.1f GiB are available", connections, gibibytes(need), gibibytes(available))
	}
	for _, limit := range []struct {
		file string
		need int
		what string
	}{
		{"/proc/sys/fs/file-max", 2*connections + 100_000, "open files of all processes"},
		{"/proc/sys/fs/epoll/max_user_watches", 2 * connections, "sockets that a user's processes watch"},
	} {
		if most, err := number(limit.file); err == nil && most < int64(limit.need) {
			return fmt.Errorf("%s is %d; %d connections take %d %s", limit.file, most, connections, limit.need, limit.what)
		}
	}
	tracked, err := number("/proc/sys/net/netfilter/nf_conntrack_count")
	most, errMost := number("/proc/sys/net/netfilter/nf_conntrack_max")
	if errors.Join(err, errMost) == nil && tracked > 0 && most < tracked+int64(connections) {
		return fmt.Errorf("the kernel tracks connections, %d at most (net.netfilter.nf_conntrack_max): %d are too many", most, connections)
	}
	return nil
}

func gibibytes(n int64) float64 { return float64(n) / (1 << 30) }

// kernelMemory is what the kernel uses for itself: its objects, page tables, stacks,
// and the buffers of sockets, in bytes.
func kernelMemory() (int64, error) {
	var total int64
	for _, name := range []string{"Slab", "PageTables", "KernelStack", "Percpu"} {
		n, err := meminfo(name)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// meminfo is a value of /proc/meminfo, in bytes.
func meminfo(name string) (int64, error) {
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), name+":"); found {
			n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/meminfo has no %s", name)
}

// number is the number in a file.
func number(file string) (int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}

// perConnection formats bytes as KiB of each of some connections.
func perConnection(bytes int64, connections int) string {
	return fmt.Sprintf("%.2f KiB", float64(bytes)/float64(connections)/(1<<10))
}
