package control

import (
	"context"

	"github.com/stagedoor/stagedoor/internal/expression"
)

// doubt warns of a selection expression that a request has set, was accepted,
// and selects nothing. member is its name; nil was not set.
func (s *server) doubt(ctx context.Context, member string, place expression.Place, source *string) {
	if source == nil || *source == "" {
		return
	}
	parsed, err := expression.ParseAt(place, *source)
	if err != nil {
		return // it was accepted, so this is never
	}
	for _, doubt := range parsed.Doubts() {
		s.Warn(ctx, member+": "+doubt)
	}
}
