package overload

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// groupLimit returns the memory limit that applies to the process, in bytes: the
// lowest of its control group and of the groups around that. It is 0 where there
// is none. It is read once.
var groupLimit = sync.OnceValue(func() uint64 {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if path, found := strings.CutPrefix(strings.TrimSpace(line), "0::"); found {
			return groupLimitOf("/sys/fs/cgroup", path)
		}
	}
	return 0
})

// groupLimitOf returns the lowest limit of a group and of the groups around it, up
// to the root; 0 where there is none.
func groupLimitOf(root, group string) (least uint64) {
	for path := filepath.Clean("/" + group); ; path = filepath.Dir(path) {
		text, err := os.ReadFile(filepath.Join(root, path, "memory.max"))
		if limit, notNumber := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil && notNumber == nil { // "max" stands for no limit
			if least == 0 || limit < least {
				least = limit
			}
		}
		if path == "/" {
			return least
		}
	}
}
