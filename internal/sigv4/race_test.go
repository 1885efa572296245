//go:build race

package sigv4

// Under the race detector, which makes everything slow, a byte becomes every
// 17th value only.
const valueStep = 17
