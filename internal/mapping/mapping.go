// Package mapping is API Gateway's side of templates and parameters: what a
// mapping template may refer to ($input, $context, $stageVariables, $util), how
// templates are chosen, which parameters an integration's request and the
// answer to $connect get, and how content is converted.
//
// The plan compiles an integration's mappings once; package integration maps
// each event's request, calls the backend, and maps its answer:
//
//	x := mapping.NewExchange(event)
//	x.Trace = event.Trace
//	request, err := requests.Map(ctx, x)
//	… the backend is called …
//	reply, err := responses.Map(ctx, x, response)
//
// The package knows neither backends nor the gateway: what it must know of an
// event comes from a Context, which *event.Event is. What fails is a failure of the event, of the kind
// Configuration where a template failed, a mapping gave what cannot be sent, or
// no integration response fits.
package mapping

import (
	"iter"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/vtl"
)

// Context is the facts of one event. It is used by one goroutine at a time, and
// may be asked again and again.
type Context interface {
	// Variable gives a $context variable by its whole name, such as
	// "connectionId", "identity.sourceIp" or "authorizer.latency"; nil when the
	// event has none. Texts are strings, requestTimeEpoch, connectedAt, statuses
	// and latencies are int64.
	//
	// In the response phase, integration.status and the like are those of the
	// response.
	Variable(name string) any

	// Authorizer goes through what the authorizer of $connect returned:
	// principalId, and its context as strings.
	Authorizer() iter.Seq2[string, string]

	// Parameters goes through the handshake's headers, query parameters or path
	// parameters, as many times as a name came, in that order. Names are as the
	// client wrote them; values are decoded. Only $connect has any.
	Parameters(event.Location) iter.Seq2[string, string]

	// StageVariables are the variables of the stage. They are not changed.
	StageVariables() map[string]string

	// Message is the client's message, and whether it came as a binary one. It
	// is not changed.
	Message() (body []byte, binary bool)

	// Log hears of what is not an error but probably a mistake in a template, such
	// as a #set without a value: of each line of a template once, from the first
	// event that comes upon it. Lines and columns count from 1. The message may
	// quote what a client sent.
	Log(template string, line, column int, message string)
}

func configurationError(format string, args ...any) *failure.Error {
	return failure.New(failure.Configuration, format, args...)
}

// limits are those of every template. The number of iterations is API
// Gateway's; the rest keeps a template from holding up the gateway.
var limits = vtl.Limits{
	Iterations: 1000,
	Steps:      1_000_000,
	Output:     maxText,
	Memory:     maxMemory,
}

const (
	// maxTemplate is API Gateway's limit for the length of a template, in bytes.
	maxTemplate = 300 << 10
	// maxText is the longest text that a template or one of our functions makes,
	// in bytes.
	maxText = 1 << 20
	// maxMemory is how many bytes of text our functions make for one execution.
	maxMemory = 16 << 20
	// maxSearch is how many values of documents an execution may look at by paths
	// with wildcards, filters and the like.
	maxSearch = 4_000_000
)
