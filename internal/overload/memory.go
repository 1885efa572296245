package overload

import (
	"math"
	"runtime/debug"
)

// LimitMemory sets the memory limit of the Go runtime. It is nine tenths of the
// given limit, in bytes, or, where that is 0, of the limit of the process's control
// group: a tenth is for memory that Go does not manage. Where no limit is given and
// GOMEMLIMIT has set one, or where there is no limit at all, nothing is changed.
// It returns the limit, 0 where there is none, and a function that restores what
// was set before.
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
