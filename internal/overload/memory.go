package overload

import (
	"math"
	"runtime/debug"
)

// LimitMemory has the Go runtime keep to a limit of memory, in bytes: the given
// one, or else that of the process's control group, with a tenth left to what Go
// does not see. With neither it does nothing, nor where GOMEMLIMIT says a limit
// and none is given. It returns the limit, 0 where there is none, and what puts
// things back as they were.
func LimitMemory(given int64) (limit int64, undo func()) {
	before := debug.SetMemoryLimit(-1)
	if given == 0 && before < math.MaxInt64 {
		return before, func() {}
	}
	if limit = given; limit == 0 {
		limit = int64(min(groupLimit(), math.MaxInt64))
	}
	if limit == 0 {
		return 0, func() {}
	}
	debug.SetMemoryLimit(limit / 10 * 9)
	return limit, func() { debug.SetMemoryLimit(before) }
}
