// Package lifetime ends what a program has started: its parts, and work in the
// background. Packages server and dev are made of such parts.
package lifetime

import "context"

// Closers end the parts of a program. The zero value has none. They are for one
// goroutine at a time.
type Closers struct{ list []func(context.Context) }

// Add has a part closed by Close, before all that were added until now. The
// context says how long the part may take; it is over where Close has taken too
// long already, and the part has to end nevertheless.
func (c *Closers) Add(close func(context.Context)) { c.list = append(c.list, close) }

// Close closes all parts, the last one first, and waits for each. They are closed
// once, however often Close is called.
func (c *Closers) Close(ctx context.Context) {
	for len(c.list) > 0 {
		last := len(c.list) - 1
		closeLast := c.list[last]
		c.list = c.list[:last]
		closeLast(ctx)
	}
}
