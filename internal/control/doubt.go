package control

import (
	"context"

	"github.com/stagedoor/stagedoor/internal/expression"
)

// doubt warns about a selection expression that was accepted and selects
// nothing. member is its name in the request; source is nil where the request
// does not set it.
func (s *server) doubt(ctx context.Context, member string, place expression.Place, source *string) {
	if source == nil || *source == "" {
		return
	}
	parsed, err := expression.ParseAt(place, *source)
	if err != nil {
		return // does not happen: the expression was accepted
	}
	for _, doubt := range parsed.Doubts() {
		s.Warn(ctx, member+": "+doubt)
	}
}
