package metrics

import (
	"net/http"

	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// meter counts the events of one route of a plan.
type meter struct {
	series  *Series
	outside bool // the backend is no function
}

// Count implements telemetry.Meter: the rules of section K.3.
func (m *meter) Count(r *telemetry.Record) {
	s := m.series
	s.events.Add(1)
	switch r.Event {
	case telemetry.EventConnect:
		s.connects.Add(1)
		s.messages.Add(1)
	case telemetry.EventMessage:
		switch {
		case r.RouteKey == "": // refused before it had a route
		case r.Replied:
			s.messages.Add(2)
		default:
			s.messages.Add(1)
		}
	case telemetry.EventDisconnect:
		s.messages.Add(1)
	case telemetry.EventPush:
		if r.Status == http.StatusOK {
			s.messages.Add(1)
		}
	}
	switch m.blame(r) {
	case client:
		s.clientErrors.Add(1)
	case execution:
		s.executionErrors.Add(1)
	case integration:
		s.integrationErrors.Add(1)
	}
	if r.Backend.Latency > 0 {
		s.latency.Observe(r.Backend.Latency)
	}
}

// blamed is whose fault it is that an event failed.
type blamed int

const (
	nobody blamed = iota
	client
	execution
	integration
)

// blame says whose fault it is that an event failed, or that it was answered with an
// error.
func (m *meter) blame(r *telemetry.Record) blamed {
	if r.Failed != nil {
		return m.blameFailure(r.Failed.Kind)
	}
	switch r.Event {
	case telemetry.EventPush, telemetry.EventInfo, telemetry.EventDelete:
		return blameStatus(r.Status)
	}
	switch {
	case m.outside && r.Backend.Status >= http.StatusBadRequest:
		return integration
	case m.outside:
		return nobody
	case r.Backend.Error != "":
		return execution
	}
	return blameStatus(r.Backend.Result)
}

// blameFailure is blame for what failed on its way.
func (m *meter) blameFailure(k failure.Kind) blamed {
	switch k {
	case failure.Backend, failure.Timeout, failure.Unavailable:
		if m.outside {
			return integration
		}
		return execution
	case failure.Internal, failure.Configuration, failure.Authorizer, failure.AuthorizerConfiguration:
		return execution
	}
	return client
}

// blameStatus is blame for a status that the gateway, or a function, answers with.
func blameStatus(status int) blamed {
	switch {
	case status >= http.StatusInternalServerError:
		return execution
	case status >= http.StatusBadRequest:
		return client
	}
	return nobody
}
