//go:build !race

package sigv4

const slow = false
