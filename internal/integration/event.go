package integration

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// event is a Request as templates and parameter mappings see it.
type event struct{ *Request }

// Context gives the facts of the event to whoever maps it or writes of it.
func (r *Request) Context() mapping.Context { return event{r} }

// Variable implements mapping.Context. These are the variables that API Gateway
// documents for WebSocket APIs, and those of its events.
func (e event) Variable(name string) any {
	switch name {
	case "apiId":
		return e.APIID
	case "connectedAt":
		return e.ConnectedAt
	case "connectionId":
		return e.ID
	case "domainName":
		return e.DomainName
	case "eventType":
		return e.EventType
	case "messageDirection":
		return "IN"
	case "messageId":
		return present(e.MessageID)
	case "requestId", "extendedRequestId":
		return e.RequestID
	case "requestTime":
		return e.Time.UTC().Format(requestTimeFormat)
	case "requestTimeEpoch":
		return e.Time.UnixMilli()
	case "routeKey":
		return present(e.RouteKey)
	case "stage":
		return e.Stage
	case "status":
		return e.status()
	}
	group, name, _ := strings.Cut(name, ".")
	switch group {
	case "disconnectStatusCode", "disconnectReason":
		return e.disconnect(group)
	case "identity":
		return e.identity(name)
	case "authorizer":
		return e.authorizer(name)
	case "integration":
		return e.integration(name)
	case "integrationLatency", "integrationStatus":
		return e.integration(group)
	case "error":
		return e.failure(name)
	}
	return nil
}

// present is a text, or nil where there is none.
func present(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// number is a figure, or nil where there is none.
func number(n int) any {
	if n == 0 {
		return nil
	}
	return int64(n)
}

func (e event) status() any {
	if e.Failed != nil {
		return int64(e.Failed.Status())
	}
	return number(e.Integration.Status)
}

func (e event) disconnect(name string) any {
	switch {
	case e.EventType != Disconnect:
		return nil
	case name == "disconnectReason":
		return e.CloseReason
	default:
		return int64(e.CloseCode)
	}
}

func (e event) identity(name string) any {
	switch name {
	case "sourceIp":
		return e.SourceIP
	case "userAgent":
		return present(e.UserAgent)
	}
	if e.Connection.Authorizer == nil {
		return nil
	}
	for _, p := range e.Connection.Authorizer.Identity {
		if p.Name == name {
			return present(p.Value)
		}
	}
	return nil
}

func (e event) authorizer(name string) any {
	for n, value := range e.Authorizer() {
		if n == name {
			return value
		}
	}
	if name == "integrationLatency" || name == "latency" {
		if a := e.Connection.Authorizer; a != nil && a.Latency > 0 && e.EventType == Connect {
			return a.Latency.Milliseconds()
		}
	}
	return nil
}

func (e event) integration(name string) any {
	o := &e.Integration
	switch name {
	case "latency", "integrationLatency":
		if o.Status == 0 {
			return nil
		}
		return o.Latency.Milliseconds()
	case "status", "integrationStatus":
		return number(o.Status)
	case "requestId":
		return present(o.RequestID)
	case "error":
		return present(o.Error)
	}
	return nil
}

func (e event) failure(name string) any {
	if e.Failed == nil {
		return nil
	}
	switch name {
	case "message":
		return e.Failed.Message()
	case "messageString":
		return string(jsonvalue.AppendQuoted(nil, e.Failed.Message()))
	case "responseType":
		return e.Failed.ResponseType()
	case "validationErrorString":
		if e.Failed.Kind == failure.Body {
			return e.Failed.Reason
		}
	}
	return nil
}

// Authorizer implements mapping.Context.
func (e event) Authorizer() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		a := e.Connection.Authorizer
		if a == nil || a.PrincipalID != "" && !yield("principalId", a.PrincipalID) {
			return
		}
		for _, p := range a.Context {
			if !yield(p.Name, p.Value) {
				return
			}
		}
	}
}

// Parameters implements mapping.Context. WebSocket APIs have no parameters in
// paths.
func (e event) Parameters(location mapping.Location) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		switch location {
		case mapping.Header:
			for _, f := range e.Header {
				if !yield(f.Name, f.Value) {
					return
				}
			}
		case mapping.QueryString:
			for _, name := range slices.Sorted(maps.Keys(e.Query)) {
				for _, value := range e.Query[name] {
					if !yield(name, value) {
						return
					}
				}
			}
		}
	}
}

// StageVariables implements mapping.Context.
func (e event) StageVariables() map[string]string { return e.Request.StageVariables }

// Message implements mapping.Context.
func (e event) Message() (body []byte, binary bool) { return e.Body, e.Binary }
