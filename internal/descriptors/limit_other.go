//go:build !unix

package descriptors

// Limit is 0: handles of the system have no limit that matters here.
func Limit() int { return 0 }

func exhausted(error) bool { return false }
