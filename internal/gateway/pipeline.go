package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/integration"
)

// run takes an event along its stations: route, validation, integration. What
// becomes of response and failure is up to the kind of event.
//
// A panic is a defect of ours; it fails this event, and nothing else.
func (e *Event) run(ctx context.Context) {
	defer func() {
		if defect := recover(); defect != nil {
			e.response = nil
			e.failure = &failure{http.StatusInternalServerError, "Internal server error",
				fmt.Sprintf("defect in the gateway: %v\n%s", defect, debug.Stack())}
		}
	}()
	e.selectRoute()
	if e.failure != nil || e.route == nil {
		return
	}
	e.RouteKey = e.route.Key
	e.validate()
	if e.failure != nil {
		return
	}
	e.integrate(ctx)
}

// selectRoute finds the event's route. Only a message must have one.
func (e *Event) selectRoute() {
	switch e.EventType {
	case integration.Connect:
		e.route = e.stage.Connect
	case integration.Disconnect:
		e.route = e.stage.Disconnect
	default:
		if e.route = e.stage.Select(e.Body); e.route == nil {
			e.failure = &failure{http.StatusForbidden, "Forbidden", "no route matches and the API has no $default"}
		}
	}
}

// validate checks a message against the model that its route has for it.
func (e *Event) validate() {
	if e.route.Validator == nil {
		return
	}
	if err := e.route.Validator.Validate(e.Body); err != nil {
		e.failure = &failure{http.StatusBadRequest, "Invalid request body", err.Error()}
	}
}

// integrate calls the route's backend. A route without one accepts
// connections, and fails messages.
func (e *Event) integrate(ctx context.Context) {
	if e.route.Backend == nil {
		if e.EventType == integration.Message {
			e.failure = &failure{http.StatusInternalServerError, "Internal server error", "the route has no integration"}
		}
		return
	}
	if e.TraceID == "" {
		e.TraceID = apigw.NewTraceID(e.Time)
	}
	response, err := e.route.Backend.Invoke(ctx, &e.Request)
	if err == nil {
		e.response = response
		return
	}
	var known *integration.Error
	if !errors.As(err, &known) {
		known = &integration.Error{Failure: integration.FailureBackend, Reason: err.Error()}
	}
	e.failure = &failure{known.Status(), known.Message(), known.Reason}
}

// answers tells whether the client gets what the backend answered.
func (e *Event) answers() bool {
	return e.response != nil && e.route.TwoWay && e.EventType == integration.Message
}
