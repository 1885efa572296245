package vtl

import "time"

// Limits bound an execution. A field that is zero has its default.
type Limits struct {
	// Iterations is how often one #foreach goes round, by default 1,000, which
	// is API Gateway's. A longer list is cut off there, silently, as Velocity
	// does it.
	Iterations int
	// Steps is how many nodes of the template are visited, by default
	// 1,000,000. Work on long strings and lists counts for more.
	Steps int
	// Output is the length of the output in bytes, by default 1 MiB. A string
	// that the template makes on the way may be as long.
	Output int
	// Memory is how many bytes of strings and lists an execution may make in
	// all, by default 16 MiB.
	Memory int
	// Depth is how deep calls of macros and #evaluate are nested, by default
	// 20, which is Velocity's for macros.
	Depth int
	// RegexpTime is how long all regular expressions together may search, by
	// default 1 s.
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
