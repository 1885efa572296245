//go:build !unix

package stagedoor

// openWithoutWaiting is of no use where folders hold no pipes.
const openWithoutWaiting = 0
