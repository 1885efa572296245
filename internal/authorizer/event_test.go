package authorizer

import (
	"iter"
	"testing"

	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// handshake is an Event.
type handshake struct {
	header, query [][2]string
	variables     map[string]any
	stage         map[string]string
}

func (h *handshake) Variable(name string) any { return h.variables[name] }

func (h *handshake) StageVariables() map[string]string { return h.stage }

func (h *handshake) Parameters(location event.Location) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, p := range map[event.Location][][2]string{event.Header: h.header, event.QueryString: h.query}[location] {
			if !yield(p[0], p[1]) {
				return
			}
		}
	}
}

func (h *handshake) AppendAuthorizerEvent(dst []byte, methodARN string) []byte {
	return append(dst, `{"type":"REQUEST","methodArn":"`+methodARN+`"}`...)
}

func withHeader(lines ...string) *handshake {
	h := &handshake{}
	for i := 0; i < len(lines); i += 2 {
		h.header = append(h.header, [2]string{lines[i], lines[i+1]})
	}
	return h
}

const (
	functionARN = "arn:aws:lambda:eu-west-1:123456789012:function:gate"
	methodARN   = "arn:aws:execute-api:eu-west-1:123456789012:abcdefghij/dev/$connect"
)

func uri(function string) string {
	return "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/" + function + "/invocations"
}

// lambdaAPI is an API whose $connect has a Lambda authorizer.
func lambdaAPI(sources ...string) *apigw.API {
	return &apigw.API{
		ApiId:  "abcdefghij",
		Routes: []*apigw.Route{{RouteKey: "$default"}, {RouteKey: "$connect", AuthorizationType: "CUSTOM", AuthorizerId: "auth01"}},
		Authorizers: []*apigw.Authorizer{{
			AuthorizerId: "auth01", Name: "gate", AuthorizerType: "REQUEST", AuthorizerUri: uri(functionARN), IdentitySource: sources,
		}},
	}
}

var devStage = &apigw.Stage{ApiId: "abcdefghij", StageName: "dev", StageVariables: map[string]string{"alias": "blue"}}

func build(t *testing.T, b *Builder, api *apigw.API) Authorizer {
	t.Helper()
	b.Region, b.Account = "eu-west-1", "123456789012"
	a, err := b.Build(api, devStage)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
