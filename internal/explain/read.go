package explain

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/trace"
	"github.com/stagedoor/stagedoor/internal/usage"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// route returns the route of a key, nil where there is none.
func (s *Subject) route(key string) *apigw.Route {
	i := slices.IndexFunc(s.API.Routes, func(r *apigw.Route) bool { return r.RouteKey == key })
	if i < 0 {
		return nil
	}
	return s.API.Routes[i]
}

// integration returns the integration of the route of a key, nil where there is none.
func (s *Subject) integration(key string) *apigw.Integration {
	r := s.route(key)
	if r == nil || r.Target == "" {
		return nil
	}
	return s.API.Integration(strings.TrimPrefix(r.Target, "integrations/"))
}

// begin says what is explained.
func (x *Explanation) begin() {
	x.Event, x.APIID, x.API, x.Stage = "MESSAGE", x.stage.APIID, x.subject.API.Name, x.stage.Name
	x.URL = "wss://" + x.stage.DomainName + "/" + x.stage.Name
	x.Limits, x.Route.Keys = []Limit{}, append([]string{}, x.stage.RouteKeys()...)
	if x.input.Connect {
		x.Event = "CONNECT"
		return
	}
	x.Message = new(string(x.input.Message))
}

// tooLarge reports whether a message is larger than the stage allows.
func (x *Explanation) tooLarge() bool {
	limits, size := x.stage.Limits, len(x.input.Message)
	if most := limits.MessageBytes; most > 0 && size > most {
		x.Limits = append(x.Limits, Limit{Level: "message", Most: most})
		x.Reply = &Reply{Close: websocket.CloseMessageTooBig}
		x.Error = &Error{
			Message: "the connection is closed", Reason: fmt.Sprintf("the message has %d bytes, and the stage allows %d", size, most),
		}
		x.Result = x.result(Refused)
		return true
	}
	if most := limits.FrameBytes; most > 0 && size > most {
		x.Notes = append(x.Notes, fmt.Sprintf("The message has %d bytes, and a frame may have %d: clients must send it in several frames.", size, most))
	}
	return false
}

// read reads the steps of the event.
func (x *Explanation) read(steps []trace.Step, v *gateway.Verdict) {
	x.readRoute(v.RouteKey)
	for _, step := range steps {
		switch step := step.(type) {
		case trace.Route:
			x.Route.Expression, x.Route.Value = step.Expression, step.Value
		case trace.Model:
			x.Model = &Model{step.Name, append([]string{}, step.Violations...)}
		case trace.Template:
			x.mapped(newTemplate(&step), strings.HasPrefix(step.Place, "response"))
		case trace.Parameter:
			x.mapped(Mapping{Parameter: step.Target, Source: step.Source, Values: step.Values}, !strings.HasPrefix(step.Target, "integration."))
		case trace.Request:
			x.Request = &Request{step.Kind, step.Method, step.URI, fields(step.Header), string(step.Body.Kept)}
		case trace.Response:
			if step.Error == "" {
				x.Answer = &Response{step.Status, fields(step.Header), string(step.Body.Kept), step.FunctionError}
			}
		case trace.Choice:
			x.IntegrationResponse = &Choice{step.Key, step.Pattern, step.Matched, step.Status}
		}
	}
	x.Warnings = v.Outcome.Warnings
}

// readRoute says what is known of the event's route.
func (x *Explanation) readRoute(key string) {
	x.Route.Key = key
	x.limits(key)
	if r := x.subject.route(key); r != nil {
		x.Route.TwoWay = len(r.RouteResponses) > 0 && !x.input.Connect
	}
	if i := x.subject.integration(key); i != nil {
		x.Integration = &Integration{i.IntegrationType, i.IntegrationUri, i.TimeoutInMillis}
	}
}

// mapped adds a mapping of the request, or of the response.
func (x *Explanation) mapped(m Mapping, response bool) {
	if response {
		x.ResponseMappings = append(x.ResponseMappings, m)
		return
	}
	x.RequestMappings = append(x.RequestMappings, m)
}

func newTemplate(step *trace.Template) Mapping {
	m := Mapping{Template: step.Place, Expression: step.Expression, Value: step.Value, Error: step.Error}
	if step.Error == "" {
		m.Text = new(string(step.Text.Kept))
	}
	return m
}

func fields(header []trace.Field) []Field {
	list := make([]Field, len(header))
	for i, f := range header {
		list[i] = Field(f)
	}
	return list
}

// limits are those that apply to an event of a route.
func (x *Explanation) limits(key string) {
	rate := func(level string, l usage.Limit) {
		if !l.IsZero() {
			r := l.Rate()
			x.Limits = append(x.Limits, Limit{Level: level, PerSecond: r.PerSecond, Burst: r.Burst})
		}
	}
	if x.input.Connect {
		if most := x.stage.Access.Connections; most > 0 {
			x.Limits = append(x.Limits, Limit{Level: "api", Most: most})
		}
	} else {
		rate("connection", x.stage.Access.MessageRate)
	}
	if r := x.stage.Route(key); r != nil {
		level := "stage"
		if own := x.subject.Stage.RouteSettings[key]; own != nil && (own.ThrottlingRateLimit != 0 || own.ThrottlingBurstLimit != 0) {
			level = "route"
		}
		rate(level, r.Throttle.Limit())
	}
	if !x.input.Connect {
		for _, size := range []Limit{{Level: "message", Most: x.stage.Limits.MessageBytes}, {Level: "frame", Most: x.stage.Limits.FrameBytes}} {
			if size.Most > 0 {
				x.Limits = append(x.Limits, size)
			}
		}
	}
}

// conclude says what the client gets, and why.
func (x *Explanation) conclude(v *gateway.Verdict) {
	if v.Failed == errNotAsked {
		x.Notes = append(x.Notes, notAsked(x))
		x.Result = x.result(Served)
		return
	}
	if v.Replied || v.Accepted {
		x.Reply = &Reply{Status: v.Status, Header: sorted(v.Header), Body: string(v.Reply)}
		if !x.input.Connect {
			x.Reply.Status = 0
		}
	}
	switch {
	case v.Failed != nil:
		x.Error = &Error{Status: v.Failed.Status(), ResponseType: v.Failed.ResponseType(), Message: v.Failed.Message(), Reason: v.Failed.Reason}
		x.mappingMistake(v)
		x.Result = x.result(Failed)
		if v.Failed.Status() < http.StatusInternalServerError {
			x.Result = x.result(Refused)
		}
	case x.input.Connect && !v.Accepted:
		x.Error = &Error{Status: v.Status, Message: http.StatusText(v.Status), Reason: fmt.Sprintf("the integration of $connect answered %d", v.Status)}
		x.Result = x.result(Refused)
	default:
		x.Result = x.result(Served)
	}
}

// result is what became of the event, unless the API has mistakes.
func (x *Explanation) result(without string) string {
	if len(x.Mistakes) > 0 {
		return Mistaken
	}
	return without
}

// notAsked says what depends on the answer that nobody has given.
func notAsked(x *Explanation) string {
	switch {
	case x.input.Connect:
		return "The connection opens if the backend answers with a status from 200 to 299; --answer and --status say what it answers."
	case x.Route.TwoWay:
		return "What the backend answers goes to the client; --answer says what that is, to see the way back."
	}
	return "The route has no route response: the client gets nothing, unless the backend fails."
}

func sorted(header http.Header) []Field {
	var list []Field
	for name, values := range header {
		for _, value := range values {
			list = append(list, Field{name, value})
		}
	}
	slices.SortStableFunc(list, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return list
}
