package lambda

import (
	"context"
	"errors"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// ErrTooManyEvents is returned by Invoke for an asynchronous call when those that
// wait already take as much memory as they may.
var ErrTooManyEvents = errors.New("too many asynchronous events wait for their functions")

const (
	maxLater   = 64 << 20 // bytes of all asynchronous calls that have no result yet
	laterCosts = 4 << 10  // bytes of one beside its payload
	// maxLaterAge is how long an asynchronous call may take, as Lambda's
	// MaximumEventAgeInSeconds is by default.
	maxLaterAge = 6 * time.Hour
)

// invokeLater calls a function in the background. Its result is dropped. Unlike
// with AWS, a failed call is not tried again.
func (h *Host) invokeLater(name string, call Invocation) (Result, error) {
	if _, _, err := h.newest(name); err != nil {
		return Result{}, err
	}
	size := int64(len(call.Payload)) + laterCosts
	if h.later.Add(size) > maxLater {
		h.later.Add(-size)
		return Result{}, ErrTooManyEvents
	}
	call.Event = false
	h.background.Go(func() {
		defer h.later.Add(-size)
		ctx, cancel := context.WithTimeout(h.ctx, maxLaterAge)
		defer cancel()
		_, _ = h.Invoke(ctx, call)
	})
	return Result{RequestID: apigw.NewUUID()}, nil
}
