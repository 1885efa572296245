package control

import (
	"context"
	"net/http"
	"reflect"

	"github.com/stagedoor/stagedoor/internal/apigw/wire"
)

// handler is an operation with the function that does it.
type handler struct {
	wire.Endpoint
	request, response reflect.Type // the types that do decodes and returns
	// do decodes a request, does what it asks for, and returns the answer's
	// body, nil for none.
	do func(*request) (any, error)
}

// operation binds an operation to the function that does it.
func operation[In, Out any](op wire.Operation[In, Out], do func(context.Context, *In) (*Out, error)) handler {
	structure := describe(reflect.TypeFor[In]())
	return handler{op.Endpoint, reflect.TypeFor[In](), reflect.TypeFor[Out](), func(r *request) (any, error) {
		in := new(In)
		if err := structure.decode(r, op.Endpoint, reflect.ValueOf(in)); err != nil {
			return nil, err
		}
		out, err := do(r.Context(), in)
		if err != nil || out == nil {
			return nil, err
		}
		return out, nil
	}}
}

// silent is like operation, for operations that answer without a body.
func silent[In any](op wire.Operation[In, wire.None], do func(context.Context, *In) error) handler {
	return operation(op, func(ctx context.Context, in *In) (*wire.None, error) { return nil, do(ctx, in) })
}

// request is a request on its way to its operation.
type request struct {
	*http.Request
	parameters map[string]string // of the path, decoded
	body       []byte
}
