package integration

import "context"

// Broken is the backend of an integration that could not be built: every call
// fails with the reason.
func Broken(reason error) Backend { return broken{reason} }

type broken struct{ reason error }

func (b broken) Invoke(context.Context, *Request) (*Response, error) {
	return nil, &Error{Failure: FailureConfiguration, Reason: b.reason.Error()}
}
