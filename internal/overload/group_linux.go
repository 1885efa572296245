package overload

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// groupLimit is the least limit of memory of the process's control group and
// those that it is in, in bytes; 0 where there is none. It is read once.
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

// groupLimitOf looks at a group and at all that it is in, up to the root.
func groupLimitOf(root, group string) (least uint64) {
	for path := filepath.Clean("/" + group); ; path = filepath.Dir(path) {
		text, err := os.ReadFile(filepath.Join(root, path, "memory.max"))
		if limit, notNumber := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil && notNumber == nil { // "max" is none
			if least == 0 || limit < least {
				least = limit
			}
		}
		if path == "/" {
			return least
		}
	}
}
