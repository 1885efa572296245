package integration

import (
	"context"
	"errors"

	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/descriptors"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/turnstile"
)

// FailureOf returns the failure that an error of a call means, for the errors of
// all that integrations call. Any other error counts as the backend's failure.
func FailureOf(err error) *failure.Error {
	if known, ok := errors.AsType[*failure.Error](err); ok {
		return known
	}
	if _, ok := errors.AsType[*awsservice.ConfigurationError](err); ok {
		return configurationError("%w", err)
	}
	switch {
	case errors.Is(err, turnstile.ErrFull), errors.Is(err, descriptors.ErrScarce):
		return failure.New(failure.Unavailable, "%w", err)
	case errors.Is(err, lambda.ErrNotFound):
		return configurationError("%w", err)
	case errors.Is(err, context.DeadlineExceeded):
		return failure.New(failure.Timeout, "the integration did not answer in time")
	case errors.Is(err, context.Canceled):
		return backendError("the call was interrupted: the gateway is stopping")
	}
	return backendError("%w", err)
}

// failed is FailureOf for a call that ctx can end. Where ctx has ended, that is the
// failure, whatever the call's error is.
func failed(ctx context.Context, err error) *failure.Error {
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return FailureOf(err)
}

func backendError(format string, args ...any) *failure.Error {
	return failure.New(failure.Backend, format, args...)
}

func configurationError(format string, args ...any) *failure.Error {
	return failure.New(failure.Configuration, format, args...)
}
