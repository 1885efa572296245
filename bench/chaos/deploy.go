//go:build linux

package main

import (
	"context"
	"fmt"

	"github.com/stagedoor/stagedoor/bench/internal/plane"
)

// actions are the ways that a message can go, each to another kind of backend.
// All answer with the message's id, but for the mock, which knows that of the
// connection alone.
var actions = []string{"http", "function", "mock"}

// deploy makes an API and one that keeps the order of messages.
func (w *world) deploy(ctx context.Context) error {
	c := w.client()
	defer c.Close()
	for _, tags := range []map[string]any{{}, {"stagedoor:ordered": "true"}} {
		id, err := w.createAPI(ctx, c, tags)
		if err != nil {
			return err
		}
		w.paths = append(w.paths, "/_aws/execute-api/"+id+"/prod")
		if w.writer == nil {
			w.writer = newWriter(w, id)
		}
	}
	return nil
}

func (w *world) createAPI(ctx context.Context, c *plane.Client, tags map[string]any) (string, error) {
	id, err := post(ctx, c, "", "apiId", map[string]any{
		"name": "chaos", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action", "tags": tags,
	})
	if err != nil {
		return "", err
	}
	function := func(name string) map[string]any {
		return map[string]any{"integrationType": "AWS_PROXY", "integrationMethod": "POST", "integrationUri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:" + name + "/invocations"}
	}
	for _, route := range []struct {
		key         string
		integration map[string]any
	}{
		{"$connect", function("witness")},
		{"$disconnect", function("witness")},
		{"function", function("echo")},
		{"http", map[string]any{"integrationType": "HTTP_PROXY", "integrationMethod": "POST", "integrationUri": "http://" + w.backend.spec.Address + "/"}},
		{"mock", map[string]any{"integrationType": "MOCK", "requestTemplates": map[string]any{"$default": `{"statusCode": 200}`}, "templateSelectionExpression": `\$default`}},
	} {
		integration, err := post(ctx, c, "/"+id+"/integrations", "integrationId", route.integration)
		if err != nil {
			return "", err
		}
		if route.key == "mock" {
			if _, err := post(ctx, c, "/"+id+"/integrations/"+integration+"/integrationresponses", "", map[string]any{
				"integrationResponseKey": "$default", "responseTemplates": map[string]any{"$default": `{"connectionId":"$context.connectionId"}`}, "templateSelectionExpression": `\$default`,
			}); err != nil {
				return "", err
			}
		}
		routeID, err := post(ctx, c, "/"+id+"/routes", "routeId", map[string]any{"routeKey": route.key, "target": "integrations/" + integration})
		if err != nil {
			return "", err
		}
		if route.key[0] != '$' {
			if _, err := post(ctx, c, "/"+id+"/routes/"+routeID+"/routeresponses", "", map[string]any{"routeResponseKey": "$default"}); err != nil {
				return "", err
			}
		}
	}
	if _, err := post(ctx, c, "/"+id+"/stages", "", map[string]any{"stageName": "prod", "stageVariables": map[string]any{variable: "0"}}); err != nil {
		return "", err
	}
	_, err = post(ctx, c, "/"+id+"/deployments", "", map[string]any{"stageName": "prod"})
	return id, err
}

func post(ctx context.Context, c *plane.Client, path, member string, body map[string]any) (string, error) {
	members, err := c.Call(ctx, "POST", path, body)
	if err != nil {
		return "", err
	}
	found, ok := members[member].(string)
	if member != "" && !ok {
		return "", fmt.Errorf("POST %s: no %s in the answer", path, member)
	}
	return found, nil
}
