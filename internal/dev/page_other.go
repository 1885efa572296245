//go:build !unix

package dev

// openWithoutWaiting is of no use where folders hold no pipes.
const openWithoutWaiting = 0
