package rollout

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/store"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// templatedAPI is an API whose every route has an integration of its own with
// templates, a model and a route response.
func templatedAPI(id string, routes int) *apigw.API {
	api := &apigw.API{ApiId: id, Name: id, ProtocolType: "WEBSOCKET", RouteSelectionExpression: "$request.body.action"}
	for i := range routes {
		integration, name := fmt.Sprint("i", i), fmt.Sprint("Model", i)
		api.Models = append(api.Models, &apigw.Model{ModelId: fmt.Sprint("m", i), Name: name, ContentType: "application/json", Schema: fmt.Sprintf(`{
			"$schema": "http://json-schema.org/draft-04/schema#", "title": %q, "type": "object", "required": ["action", "room", "text"],
			"properties": {"action": {"enum": ["action%d"]}, "room": {"type": "string", "pattern": "^[a-z0-9-]{1,64}$"},
				"text": {"type": "string", "maxLength": 4096}, "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 16}}}`, name, i)})
		api.Integrations = append(api.Integrations, &apigw.Integration{
			IntegrationId: integration, IntegrationType: apigw.IntegrationMock, TemplateSelectionExpression: "$request.body.action",
			RequestTemplates: map[string]string{"$default": fmt.Sprintf(`#set($body = $input.path('$'))
{"statusCode": 200, "id": "$context.connectionId", "stage": "$stageVariables.name", "number": %d,
 "tags": [#foreach($tag in $body.tags)"$util.escapeJavaScript($tag)"#if($foreach.hasNext),#end#end]}`, i)},
			IntegrationResponses: []*apigw.IntegrationResponse{{
				IntegrationResponseId: "r", IntegrationResponseKey: "$default",
				ResponseTemplates: map[string]string{"$default": `{"text": $input.json('$.text'), "at": $context.requestTimeEpoch}`},
			}},
		})
		api.Routes = append(api.Routes, &apigw.Route{
			RouteId: fmt.Sprint("r", i), RouteKey: fmt.Sprint("action", i), Target: "integrations/" + integration,
			ModelSelectionExpression: "$request.body.action", RequestModels: map[string]string{"$default": name},
			RouteResponses: []*apigw.RouteResponse{{RouteResponseId: "rr", RouteResponseKey: "$default"}},
		})
	}
	return api
}

// BenchmarkSwap is a change of a stage with 300 routes, from the write to the
// plan on the gateway, without the storage's own time.
func BenchmarkSwap(b *testing.B) {
	s := store.NewMemory()
	c := store.NewConfiguration(s, nil)
	putAPI(b, c, templatedAPI("api", 300), "d1")
	n := start(b, s)
	n.await(b, putStage(b, c, "api", "dev", "d1", nil))
	if problems := n.takeProblems(); problems != nil {
		b.Fatal(problems[0])
	}
	i := 0
	for b.Loop() {
		i++
		n.await(b, putStage(b, c, "api", "dev", "d1", map[string]string{"name": fmt.Sprint(i)}))
	}
}

// BenchmarkStart is the start with 1,000 APIs of four routes each: the storage,
// reading, compiling, and the gateway.
func BenchmarkStart(b *testing.B) {
	const apis = 1000
	dir := b.TempDir()
	fill(b, dir, apis)
	engine, err := websocket.NewEngine(websocket.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := store.Open(b.Context(), store.Options{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		g := gateway.New(gateway.Options{Engine: engine, Node: 1, Fallback: http.NotFoundHandler()})
		r := New(Options{Configuration: store.NewConfiguration(s, nil), Compiler: compiler(), Gateway: g, Report: func(p Finding) { b.Error(p) }})
		done := make(chan error)
		go func() { done <- r.Run(b.Context()) }()
		<-r.Ready()
		b.StopTimer()
		s.Close()
		<-done
		b.StartTimer()
	}
	_ = engine.Shutdown(b.Context())
}

// fill writes APIs with a deployment and a stage each.
func fill(b *testing.B, dir string, apis int) {
	s, err := store.Open(b.Context(), store.Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	c := store.NewConfiguration(s, nil)
	for i := range apis {
		id := fmt.Sprintf("api%s%04d", strings.Repeat("x", 3), i)
		putAPI(b, c, templatedAPI(id, 4), "d1")
		putStage(b, c, id, "prod", "d1", nil)
	}
}
