package mapping

import (
	"context"
	"fmt"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/expression"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/trace"
)

// Requests maps the requests of an integration. It is immutable but for a cache.
type Requests struct {
	parameters  []assignment
	templates   templates
	passthrough passthrough
	content     contentHandling
	paths       *pathCache
}

// Request is what a mapping made of an event for the backend.
type Request struct {
	// Header and Query are what was mapped, in order; names may repeat.
	// Values of headers hold no control characters but tabs; those of the query
	// are not encoded.
	Header, Query []event.Parameter
	// Path is the placeholders of the integration's URI, not encoded.
	Path []event.Parameter
	// Body is what a template made or, when Rendered is false, the message. It
	// must not be changed.
	Body     []byte
	Rendered bool
}

// passthrough is what becomes of a message that no template fits.
type passthrough int

const (
	whenNoMatch passthrough = iota
	whenNoTemplates
	never
)

func parsePassthrough(behavior string) (passthrough, error) {
	switch behavior {
	case "", "WHEN_NO_MATCH":
		return whenNoMatch, nil
	case "WHEN_NO_TEMPLATES":
		return whenNoTemplates, nil
	case "NEVER":
		return never, nil
	}
	return 0, fmt.Errorf("passthroughBehavior is %q; it must be WHEN_NO_MATCH, WHEN_NO_TEMPLATES or NEVER", behavior)
}

// CompileRequest compiles the request side of an integration. Errors name the
// property and, within a template, the line.
func CompileRequest(i *apigw.Integration) (*Requests, error) {
	r := &Requests{paths: newPathCache()}
	var err error
	if r.parameters, err = compileAssignments("requestParameters", i.RequestParameters, requestTargets, requestSources); err != nil {
		return nil, err
	}
	if r.templates, err = compileTemplates("requestTemplates", i.RequestTemplates, expression.TemplateSelection, i.TemplateSelectionExpression); err != nil {
		return nil, err
	}
	if r.passthrough, err = parsePassthrough(i.PassthroughBehavior); err != nil {
		return nil, err
	}
	if r.content, err = parseContentHandling(i.ContentHandlingStrategy); err != nil {
		return nil, err
	}
	return r, nil
}

// HasParameters tells whether there are parameters to be mapped.
func (r *Requests) HasParameters() bool { return len(r.parameters) > 0 }

// MapParameters maps the parameters only, for proxy integrations, which send
// the message as it is.
func (r *Requests) MapParameters(x *Exchange) (*Request, *failure.Error) {
	message, _ := x.event.Message()
	x.begin(message, r.paths)
	request := &Request{Body: message}
	return request, assign(r.parameters, x, nil, request.set)
}

// IsLight reports whether MapLight does what Map does: no parameter is mapped, no template
// does more than print text, and no content is converted.
func (r *Requests) IsLight() bool {
	return len(r.parameters) == 0 && r.templates.areConstant() && r.content == keepContent
}

// MapLight is Map for light requests: it makes the body of a message in a short time that
// is bounded by the message's length. The body must not be changed.
// The trace, which may be nil, is told of it.
func (r *Requests) MapLight(message []byte, to *trace.Trace) (body []byte, err *failure.Error) {
	var request Request
	err = r.body(context.Background(), nil, to, message, &request) // no template runs that needs the exchange
	return request.Body, err
}

// Map maps an event's request: parameters, then the body by the template that
// is chosen, then what the template overrides. It ends with ctx.
func (r *Requests) Map(ctx context.Context, x *Exchange) (*Request, *failure.Error) {
	message, binary := x.event.Message()
	message = r.content.before(message, binary)
	x.begin(message, r.paths)
	request := new(Request)
	if err := assign(r.parameters, x, nil, request.set); err != nil {
		return nil, err
	}
	if err := r.body(ctx, x, x.Trace, message, request); err != nil {
		return nil, err
	}
	if err := request.override(x); err != nil {
		return nil, err
	}
	return request, nil
}

func (r *Requests) body(ctx context.Context, x *Exchange, to *trace.Trace, message []byte, request *Request) (err *failure.Error) {
	body, in := message, expression.Input{Message: message}
	if t := r.templates.choose(in); t != nil {
		if body, err = r.templates.render(ctx, x, to, t, in); err != nil {
			return err
		}
		request.Rendered = true
	} else if r.passthrough == never || r.passthrough == whenNoTemplates && len(r.templates.byKey) > 0 {
		return failure.New(failure.MediaType, "no request template fits the message, and passthroughBehavior forbids to pass it through")
	}
	request.Body, err = r.content.after(body)
	return err
}

func (r *Request) set(location event.Location, name string, values []string) {
	switch location {
	case event.Header:
		r.Header = setParameter(r.Header, name, headerValues(values), strings.EqualFold)
	case event.QueryString:
		r.Query = setParameter(r.Query, name, values, equal)
	case event.Path:
		r.Path = setParameter(r.Path, name, []string{strings.Join(values, ",")}, equal)
	}
}

func equal(a, b string) bool { return a == b }

// override applies $context.requestOverride.
func (r *Request) override(x *Exchange) *failure.Error {
	if x.requestOverride == nil {
		return nil
	}
	for _, location := range []event.Location{event.Header, event.QueryString, event.Path} {
		err := overridden(x.requestOverride, location, func(name string, values []string) {
			r.set(location, name, values)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
