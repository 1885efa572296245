package integration

import (
	"context"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
)

// Broken returns the backend of an integration that could not be built: every call
// fails with the reason.
func Broken(reason error) Backend { return broken{reason} }

type broken struct{ reason error }

func (b broken) Invoke(context.Context, *event.Event) (*Response, *failure.Error) {
	return nil, configurationError("%w", b.reason)
}
