package stagedoor

import (
	"context"
	"encoding/json"
)

// Handler is a Lambda function that is Go code of this process. It is given the
// event as API Gateway sends it, and returns the function's answer, both JSON; a
// nil answer is null. Its error is what the function throws: the client gets what
// it gets from a Lambda function that fails, and so it does after a panic and when
// the function's time is over.
//
// ctx ends with that time and with the gateway. A handler is called concurrently,
// and must not change the payload.
type Handler func(ctx context.Context, payload json.RawMessage) (json.RawMessage, error)

// HandlerFor makes a Handler of a function in the form that lambda.Start of
// github.com/aws/aws-lambda-go takes: events are decoded into In, answers are
// encoded.
func HandlerFor[In, Out any](f func(ctx context.Context, event In) (Out, error)) Handler {
	return func(ctx context.Context, payload json.RawMessage) (json.RawMessage, error) {
		var event In
		if err := json.Unmarshal(payload, &event); err != nil {
			return nil, err
		}
		answer, err := f(ctx, event)
		if err != nil {
			return nil, err
		}
		return json.Marshal(answer)
	}
}
