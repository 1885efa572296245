// Package explain says what would become of an event, without sending anything: of a
// message, or of a handshake. The API is compiled as for serving, and the event goes
// through the gateway's own pipeline, whose backends answer what they are told to. What
// happened on the way is read from the event's trace.
//
// The command "stagedoor explain" calls it, with an API of a template or of a running
// gateway.
package explain

import (
	"net/url"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/trace"
	"github.com/stagedoor/stagedoor/internal/usage"
)

// Subject is what is explained: a stage of an API, with the keys that open it.
type Subject struct {
	API               *apigw.API
	Stage             *apigw.Stage
	Keys              []*apigw.ApiKey
	Plans             []*apigw.UsagePlan
	Region, AccountID string
	// Source is the text of the template that the API comes from, and File its name;
	// empty for an API of a gateway. Mistakes in mapping templates are shown there.
	File   string
	Source []byte
}

// Input is the event.
type Input struct {
	// Connect is set for $connect. Otherwise it is a message.
	Connect bool
	Message []byte
	Header  []event.Parameter // of the handshake
	Query   url.Values        // likewise
	Context []event.Parameter // that the authorizer returns
	Answer  *Answer           // of the backend; nil: it is not asked
}

// Answer is what a backend answers.
type Answer struct {
	Body string
	// Status is that of HTTP backends and AWS services, 200 where it is 0. Where it is
	// set, what a function of a proxy integration returns is made of it and the body.
	Status int
}

// maxKept is how many bytes of each payload are shown.
const maxKept = 1 << 20

// Explain takes an event its way. An error says that the stage cannot be served at all.
func Explain(s *Subject, in *Input) (*Explanation, error) {
	t := told{subject: s, answer: in.Answer, context: in.Context}
	defer t.close()
	compiler := t.compiler(s)
	stage, defects, err := compiler.Compile(&apigw.Deployment{DeploymentId: s.Stage.DeploymentId, API: s.API}, s.Stage)
	if err != nil {
		return nil, err
	}
	trusted := t.trust(stage)
	keys := usage.NewKeys(new(usage.Buckets), usage.NewLedger(nil))
	problems := keys.Replace(s.Keys, s.Plans)
	g := gateway.New(gateway.Options{Guards: gateway.Guards{Unsigned: true, Keys: keys}}) // trials need no engine
	g.Deploy(stage)

	x := &Explanation{subject: s, input: in, stage: stage}
	x.begin()
	x.defects(defects)
	for _, problem := range problems {
		x.Mistakes = append(x.Mistakes, Mistake{File: s.File, Message: problem.Error()})
	}
	if x.tooLarge() {
		return x, nil
	}
	steps := &trace.Trace{Keep: maxKept, Thorough: true}
	verdict, err := g.Try(gateway.Trial{
		APIID: stage.APIID, Stage: stage.Name, Trace: steps,
		Handshake: handshake(stage, in), IsMessage: !in.Connect, Message: in.Message, Client: client(stage, in),
		Identifiers: gateway.Identifiers{ConnectionID: connectionID, RequestID: requestID, TraceID: traceID},
	})
	if err != nil {
		return nil, err
	}
	x.read(steps.Steps(), verdict)
	x.access(steps.Steps(), *trusted, verdict)
	x.conclude(verdict)
	return x, nil
}

// The ids of every event that is explained: the same explanation has the same text.
const (
	connectionID = "L0SM9cOFvHcCIhw="
	requestID    = "L0SM9EBKvHcFcIQ="
	traceID      = "Root=1-5759e988-bd862e3fe1be46a994272793"
	sourceIP     = "192.0.2.1" // of documentation (RFC 5737)
)

// client is what the client is known by, of $connect before an authorizer is asked.
func client(stage *plan.Stage, in *Input) *event.Client {
	guarded := stage.Access.Authorizer != nil
	if guarded && in.Connect || !guarded && len(in.Context) == 0 {
		return nil
	}
	c := new(event.Client)
	if guarded {
		c.PrincipalID = principal
	}
	for _, entry := range in.Context {
		if entry.Name == "principalId" {
			c.PrincipalID = entry.Value
			continue
		}
		c.Context = append(c.Context, entry)
	}
	return c
}
