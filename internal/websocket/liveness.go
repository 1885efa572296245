package websocket

import (
	"context"
	"fmt"
)

// Alive reports whether every event loop has its turns: it asks one after the
// other, and waits for each answer. The error names the loop that had not
// answered when ctx ended. After Shutdown, and for an engine without event loops,
// it is nil.
func (e *Engine) Alive(ctx context.Context) error {
	for i, l := range e.loops {
		if err := l.Ask(ctx); err != nil {
			return fmt.Errorf("event loop %d of %d has no turns: %w", i+1, len(e.loops), err)
		}
	}
	return nil
}
