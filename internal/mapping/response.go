package mapping

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/expression"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/trace"
)

// Responses maps the responses of a non-proxy integration. It is immutable but
// for a cache.
type Responses struct {
	selection *expression.Expression
	keys      *expression.Matcher
	fallback  int // the place of $default, or -1
	all       []integrationResponse
	paths     *pathCache
}

type integrationResponse struct {
	key        string
	parameters []assignment
	templates  templates
	content    contentHandling
}

// Response is what an integration's backend answered. Of a function that failed
// the body is its error, {"errorMessage": …}, and the status Lambda's, 200.
type Response struct {
	Status int
	Header http.Header // keys are canonical
	Body   []byte
}

// Reply is what a mapping made of a response. Status and Header matter on
// $connect only.
type Reply struct {
	Status int
	Header http.Header // what was mapped; no value has control characters but tabs
	Body   []byte      // may be the response's
}

// Expressions that choose among integration responses: that for Lambda
// functions and that for all else.
const (
	selectByError  = "$integration.response.body.errorMessage"
	selectByStatus = "$integration.response.statuscode"
)

// CompileResponses compiles the integration responses of a non-proxy
// integration. Errors name the response's key and the property and, within a
// template, the line.
func CompileResponses(i *apigw.Integration) (*Responses, error) {
	r := &Responses{paths: newPathCache(), fallback: -1}
	var keys []string
	for n, response := range i.IntegrationResponses {
		key := response.IntegrationResponseKey
		compiled, err := compileResponse(response)
		if err != nil {
			return nil, fmt.Errorf("integration response %q: %w", key, err)
		}
		for _, t := range compiled.templates.byKey {
			t.name = fmt.Sprintf("integration response %q: %s", key, t.name)
		}
		if key == `\$default` {
			key = expression.Default
		}
		if key == expression.Default {
			r.fallback = n
		}
		keys = append(keys, key)
		r.all = append(r.all, compiled)
	}
	var err error
	if r.keys, err = expression.NewMatcher(keys); err != nil {
		return nil, fmt.Errorf("integrationResponseKey: %w", err)
	}
	selection := selectByStatus
	if isFunction(i) {
		selection = selectByError
	}
	r.selection, err = expression.ParseAt(expression.IntegrationResponseSelection, selection)
	return r, err
}

func isFunction(i *apigw.Integration) bool {
	return i.IntegrationType == apigw.IntegrationAWS && strings.Contains(i.IntegrationUri, ":lambda:path/")
}

// CheckResponse tells what of an integration response could not be compiled.
// Errors are those of CompileResponses, but for the response's key in front of
// a property.
func CheckResponse(r *apigw.IntegrationResponse) error {
	if _, err := expression.NewMatcher([]string{r.IntegrationResponseKey}); err != nil {
		return fmt.Errorf("integrationResponseKey: %w", err)
	}
	_, err := compileResponse(r)
	return err
}

func compileResponse(r *apigw.IntegrationResponse) (c integrationResponse, err error) {
	c.key = r.IntegrationResponseKey
	if c.parameters, err = compileAssignments("responseParameters", r.ResponseParameters, responseTargets, responseSources); err != nil {
		return c, err
	}
	if c.templates, err = compileTemplates("responseTemplates", r.ResponseTemplates, expression.ResponseTemplateSelection, r.TemplateSelectionExpression); err != nil {
		return c, err
	}
	c.content, err = parseContentHandling(r.ContentHandlingStrategy)
	return c, err
}

// Empty tells whether there are no integration responses. A one-way route does
// without.
func (r *Responses) Empty() bool { return len(r.all) == 0 }

// IsLight reports whether MapLight does what Map does: no parameter is mapped, no template
// does more than print text, and no content is converted.
func (r *Responses) IsLight() bool {
	for i := range r.all {
		each := &r.all[i]
		if len(each.parameters) > 0 || !each.templates.areConstant() || each.content != keepContent {
			return false
		}
	}
	return true
}

// MapLight is Map for light responses, and an event with a message: it takes a short time
// that is bounded by the lengths of message and response. The body may be the response's,
// and must not be changed. The trace, which may be nil, is told of it.
func (r *Responses) MapLight(message []byte, response *Response, to *trace.Trace) (body []byte, err *failure.Error) {
	chosen := r.choose(response, to)
	if chosen == nil {
		return nil, noResponse(response)
	}
	in := expression.Input{
		Message: message, Status: response.Status, Body: response.Body, Header: response.Header.Values,
	}
	if t := chosen.templates.choose(in); t != nil {
		return chosen.templates.render(context.Background(), nil, to, t, in) // which needs no exchange
	}
	return response.Body, nil
}

// noResponse is the failure where no integration response fits.
func noResponse(response *Response) *failure.Error {
	return configurationError("No match for output mapping and no default output mapping configured. Endpoint Response Status Code: %d", response.Status)
}

// Map maps a backend's response by the integration response that fits. It ends
// with ctx. The response is not changed.
func (r *Responses) Map(ctx context.Context, x *Exchange, response *Response) (*Reply, *failure.Error) {
	chosen := r.choose(response, x.Trace)
	if chosen == nil {
		return nil, noResponse(response)
	}
	body := response.Body
	if chosen.content == toText {
		body = chosen.content.before(body, isBinary(response.Header))
	}
	x.begin(body, r.paths)
	reply := &Reply{Status: response.Status, Header: make(http.Header)}
	if err := assign(chosen.parameters, x, response, reply.set); err != nil {
		return nil, err
	}
	message, _ := x.event.Message()
	in := expression.Input{
		Message: message, Status: response.Status, Body: body, Header: response.Header.Values,
	}
	if t := chosen.templates.choose(in); t != nil {
		var err *failure.Error
		if body, err = chosen.templates.render(ctx, x, x.Trace, t, in); err != nil {
			return nil, err
		}
	}
	var err *failure.Error
	if reply.Body, err = chosen.content.after(body); err != nil {
		return nil, err
	}
	if err := reply.override(x); err != nil {
		return nil, err
	}
	return reply, nil
}

// choose gives the integration response that fits, or nil. A function without
// an error message selects $default, whatever patterns match an empty text.
func (r *Responses) choose(response *Response, to *trace.Trace) *integrationResponse {
	var room [64]byte
	value := r.selection.Append(room[:0], expression.Input{Status: response.Status, Body: response.Body})
	place := r.fallback
	if len(value) > 0 {
		place = r.keys.Match(value)
	}
	if place < 0 {
		return nil
	}
	if to != nil {
		step := trace.Choice{Key: r.all[place].key, Matched: to.Text(string(value)), Status: response.Status}
		if expression.IsPattern(step.Key) {
			step.Pattern = step.Key[1 : len(step.Key)-1]
		}
		to.Add(step)
	}
	return &r.all[place]
}

func (r *Reply) set(_ event.Location, name string, values []string) {
	r.Header[http.CanonicalHeaderKey(name)] = headerValues(values)
}

// override applies $context.responseOverride.
func (r *Reply) override(x *Exchange) *failure.Error {
	if x.responseOverride == nil {
		return nil
	}
	err := overridden(x.responseOverride, event.Header, func(name string, values []string) {
		r.set(event.Header, name, values)
	})
	if err != nil {
		return err
	}
	status, err := overriddenStatus(x.responseOverride)
	if status != 0 {
		r.Status = status
	}
	return err
}
