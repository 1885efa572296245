package lambda

import (
	"context"
	"testing"
)

// BenchmarkInvoke is one call after the other of functions that answer with
// their event.
func BenchmarkInvoke(b *testing.B) {
	event := []byte(`{"requestContext":{"routeKey":"$default","connectionId":"L0SM9cOFvHcCIhw=","stage":"prod"},"body":"hello","isBase64Encoded":false}`)
	functions := map[string]Function{
		"node":   inlineNode("f", `exports.handler = async (event) => ({ statusCode: 200, body: event.body })`),
		"python": inlinePython("f", "def handler(event, context):\n    return {'statusCode': 200, 'body': event['body']}\n"),
		"http":   {Name: "f", Runtime: "provided.al2023", CodeDir: "testdata/go/hostile", Timeout: deadline},
	}
	for name, f := range functions {
		b.Run(name, func(b *testing.B) {
			h := NewHost(Options{CacheDir: sharedCache})
			defer func() { _ = h.Close(context.Background()) }()
			h.Update([]Function{f.withDefaults(h.options)})
			call := Invocation{FunctionARN: "f", Payload: event}
			if result, err := h.Invoke(b.Context(), call); err != nil || result.FunctionError != "" {
				b.Fatalf("%s, %v", result.Payload, err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := h.Invoke(b.Context(), call); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
