//go:build !linux

package overload

// groupLimit returns 0: there are no control groups here.
func groupLimit() uint64 { return 0 }
