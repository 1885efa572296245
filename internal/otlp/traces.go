package otlp

import (
	"context"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Spans returns what sends spans. Its errors are logged, and not returned.
func (o *Options) Spans(ctx context.Context) (sdktrace.SpanExporter, error) {
	protocol, err := o.protocol(traces)
	if err != nil {
		return nil, err
	}
	exporter, err := o.spanExporter(ctx, protocol)
	if err != nil {
		return nil, err
	}
	return &spans{exporter, o.outcome(traces, protocol)}, nil
}

func (o *Options) spanExporter(ctx context.Context, protocol string) (sdktrace.SpanExporter, error) {
	endpoint := o.endpoint(traces, protocol)
	if protocol == GRPC {
		var options []otlptracegrpc.Option
		if endpoint != "" {
			options = append(options, otlptracegrpc.WithEndpointURL(endpoint))
		}
		if o.Headers != nil {
			options = append(options, otlptracegrpc.WithHeaders(o.Headers))
		}
		return otlptracegrpc.New(ctx, options...)
	}
	options := []otlptracehttp.Option{otlptracehttp.WithEncoding(otlptracehttp.EncodingProtobuf)}
	if protocol == JSON {
		options[0] = otlptracehttp.WithEncoding(otlptracehttp.EncodingJSON)
	}
	if endpoint != "" {
		options = append(options, otlptracehttp.WithEndpointURL(endpoint))
	}
	if o.Headers != nil {
		options = append(options, otlptracehttp.WithHeaders(o.Headers))
	}
	return otlptracehttp.New(ctx, options...)
}

// spans is an exporter that logs its errors, each series of them once.
type spans struct {
	sdktrace.SpanExporter
	outcome *outcome
}

// ExportSpans implements sdktrace.SpanExporter.
func (e *spans) ExportSpans(ctx context.Context, list []sdktrace.ReadOnlySpan) error {
	e.outcome.note(e.SpanExporter.ExportSpans(ctx, list))
	return nil
}
