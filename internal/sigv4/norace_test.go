//go:build !race

package sigv4

const valueStep = 1
