//go:build race

package sigv4

// slow: the race detector makes it so.
const slow = true
