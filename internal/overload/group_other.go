//go:build !linux

package overload

// groupLimit is 0: there are no control groups.
func groupLimit() uint64 { return 0 }
