package tracing

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/trace"
)

// Names of attributes are those of OpenTelemetry's semantic conventions, where they have
// one, and begin with stagedoor elsewhere. docs/tracing.md lists them.

// describe says what the span of an event says.
func describe(r *telemetry.Record) description {
	d := description{attributes: make([]attribute.KeyValue, 0, 16)}
	d.add(
		attribute.String("stagedoor.api.id", r.APIID), attribute.String("stagedoor.stage", r.Stage), attribute.String("stagedoor.route.key", r.RouteKey),
		attribute.String("stagedoor.connection.id", r.ConnectionID), attribute.String("aws.request_id", r.RequestID),
	)
	switch r.Event {
	case telemetry.EventMessage:
		describeMessage(&d, r)
	case telemetry.EventDisconnect:
		d.name, d.kind = "$disconnect", oteltrace.SpanKindInternal
		d.add(attribute.Int("stagedoor.close.code", r.Status))
		if r.Error != "" {
			d.fail(r.Error, responseType(r))
		}
	case telemetry.EventConnect:
		describeHTTP(&d, r, http.MethodGet, "/"+r.Stage)
		d.add(
			attribute.String("client.address", variable(r, "identity.sourceIp")), attribute.String("user_agent.original", variable(r, "identity.userAgent")),
			attribute.String("server.address", variable(r, "domainName")),
		)
	default:
		method, _, _ := strings.Cut(r.RouteKey, " ")
		describeHTTP(&d, r, method, "/"+r.Stage+"/@connections/{connectionId}")
		if r.Event == telemetry.EventPush {
			d.add(messaging("send", r.Bytes)...)
			d.add(attribute.String("messaging.message.conversation_id", r.ConnectionID))
		}
	}
	return d
}

func describeMessage(d *description, r *telemetry.Record) {
	d.name, d.kind = strings.TrimSpace("process "+r.RouteKey), oteltrace.SpanKindConsumer
	d.add(messaging("process", r.Bytes)...)
	d.add(
		attribute.String("messaging.destination.name", r.RouteKey), attribute.String("messaging.message.id", variable(r, "messageId")),
		attribute.String("messaging.message.conversation_id", r.ConnectionID),
	)
	if r.Status != 0 {
		d.add(attribute.Int("stagedoor.status", r.Status))
	}
	if r.Error != "" {
		d.fail(r.Error, responseType(r))
	}
}

// messaging are the attributes of messages that are processed or sent.
func messaging(operation string, size int) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String("messaging.system", "websocket"), attribute.String("messaging.operation.name", operation),
		attribute.String("messaging.operation.type", operation), attribute.Int("messaging.message.body.size", size),
	}
}

// describeHTTP says what the span of an HTTP request to the gateway says. As the
// conventions have it, such a request has failed where the server is to blame.
func describeHTTP(d *description, r *telemetry.Record, method, route string) {
	d.name, d.kind = method+" "+route, oteltrace.SpanKindServer
	d.add(attribute.String("http.request.method", method), attribute.String("http.route", route))
	if r.Status != 0 {
		d.add(attribute.Int("http.response.status_code", r.Status))
	}
	if r.Status >= http.StatusInternalServerError {
		d.fail(r.Error, strconv.Itoa(r.Status))
	}
}

// variable is a $context variable of the event.
func variable(r *telemetry.Record, name string) string {
	if r.Context == nil {
		return ""
	}
	text, _ := r.Context.Variable(name).(string)
	return text
}

// responseType is the kind of a failure, as $context has it.
func responseType(r *telemetry.Record) string { return variable(r, "error.responseType") }

func describeAccess(s *trace.Access) description {
	d := description{name: strings.TrimSpace("authorize " + s.Name), kind: oteltrace.SpanKindInternal}
	d.add(attribute.String("stagedoor.authorizer.type", s.Kind), attribute.String("stagedoor.authorizer.name", s.Name), attribute.Bool("stagedoor.authorizer.cached", s.Cached))
	if s.Error != "" {
		d.fail(s.Error, "refused")
	}
	return d
}

func describeTemplate(s *trace.Template) description {
	way, _, _ := strings.Cut(s.Place, " ")
	d := description{name: "map " + way, kind: oteltrace.SpanKindInternal}
	d.add(attribute.String("stagedoor.template", s.Place))
	if s.Error != "" {
		d.fail(s.Error, "template")
	}
	return d
}

func describeReply(s *trace.Reply) description {
	d := description{name: "reply", kind: oteltrace.SpanKindProducer}
	if s.Status != 0 {
		d.kind = oteltrace.SpanKindInternal // part of an answer to HTTP
		d.add(attribute.Int("http.response.status_code", s.Status))
		return d
	}
	d.add(messaging("send", s.Body.Length)...)
	d.add(attribute.Bool("stagedoor.reply.error", s.Error))
	return d
}

// describeCall says what the span of an integration's call says. The request may be
// empty: it could not be made.
func describeCall(request *trace.Request, s *trace.Response) description {
	d := description{name: "integration", kind: oteltrace.SpanKindClient}
	switch {
	case s.Error != "":
		d.fail(s.Error, "no answer")
	case s.FunctionError != "":
		d.fail(s.FunctionError, "function")
	case s.Status >= http.StatusBadRequest:
		d.fail("", strconv.Itoa(s.Status))
	}
	d.add(attribute.String("aws.request_id", s.RequestID))
	target, err := url.Parse(request.URI)
	if err != nil || request.URI == "" {
		return d
	}
	switch request.Kind {
	case trace.Lambda:
		describeFunction(&d, target)
		return d
	case trace.AWS:
		service, _, _ := strings.Cut(target.Hostname(), ".")
		d.name = service
		d.add(attribute.String("rpc.system.name", "aws-api"))
	default:
		d.name = request.Method
	}
	d.add(
		attribute.String("http.request.method", request.Method), attribute.String("url.full", withoutSecrets(target)),
		attribute.String("server.address", target.Hostname()), attribute.Int("http.request.body.size", request.Body.Length),
	)
	if port, err := strconv.Atoi(target.Port()); err == nil {
		d.add(attribute.Int("server.port", port))
	}
	if s.Status != 0 {
		d.add(attribute.Int("http.response.status_code", s.Status))
	}
	return d
}

// describeFunction says what the call of a function says, given the URL of its operation
// at AWS.
func describeFunction(d *description, target *url.URL) {
	_, name, _ := strings.Cut(target.Path, "/functions/")
	name = strings.TrimSuffix(name, "/invocations")
	region := ""
	if f, ok := apigw.ParseFunction(name); ok {
		name, region = f.Name, f.Region
	}
	d.name = "invoke " + name
	d.add(attribute.String("faas.invoked_name", name), attribute.String("faas.invoked_provider", "aws"), attribute.String("faas.invoked_region", region))
}
