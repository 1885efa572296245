package vtl

import "time"

// Limits are the limits of an execution. A field that is zero stands for its
// default.
type Limits struct {
	// Iterations is the largest number of turns of one #foreach, by default
	// 1,000, which is API Gateway's limit. It silently ignores the rest of a
	// longer list, as Velocity does.
	Iterations int
	// Steps is the largest number of nodes of the template that are visited, by
	// default 1,000,000. Work on a long string or list counts as several.
	Steps int
	// Output is the largest length of the output in bytes, by default 1 MiB,
	// and of each string that the template makes.
	Output int
	// Memory is the largest number of bytes of all strings and lists that an
	// execution makes, by default 16 MiB.
	Memory int
	// Depth is how deep calls of macros and #evaluate may be nested, by default
	// 20, which is Velocity's limit for macros.
	Depth int
	// RegexpTime is the longest that all regular expressions together may
	// search, by default 1 s.
	RegexpTime time.Duration
}

func (l Limits) withDefaults() Limits {
	l.Iterations = orDefault(l.Iterations, 1000)
	l.Steps = orDefault(l.Steps, 1_000_000)
	l.Output = orDefault(l.Output, 1<<20)
	l.Memory = orDefault(l.Memory, 16<<20)
	l.Depth = orDefault(l.Depth, 20)
	l.RegexpTime = orDefault(l.RegexpTime, time.Second)
	return l
}

func orDefault[T int | time.Duration](value, fallback T) T {
	if value <= 0 {
		return fallback
	}
	return value
}
