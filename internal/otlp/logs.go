package otlp

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/stagedoor/stagedoor/internal/logsink"
)

// Logs sends lines of logs. It may be used by several goroutines at a time.
type Logs struct {
	exporter sdklog.Exporter
	provider *sdklog.LoggerProvider // makes records that belong to the resource
	logger   log.Logger
}

// NewLogs makes what sends lines.
func (o *Options) NewLogs(ctx context.Context) (*Logs, error) {
	protocol, err := o.protocol(logs)
	if err != nil {
		return nil, err
	}
	exporter, err := o.logExporter(ctx, protocol)
	if err != nil {
		return nil, err
	}
	about, err := o.Resource(ctx)
	if err != nil {
		return nil, err
	}
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(collecting{}), sdklog.WithResource(about))
	return &Logs{exporter, provider, provider.Logger("github.com/stagedoor/stagedoor")}, nil
}

// LogsWanted reports whether there is an endpoint for logs.
func (o *Options) LogsWanted() bool { return o.enabled(logs) }

// Export implements logsink.Exporter.
func (l *Logs) Export(ctx context.Context, b logsink.Batch) error {
	records := make([]sdklog.Record, 0, len(b.Entries))
	made := context.WithValue(ctx, recordsKey{}, &records)
	attributes := []attribute.KeyValue{attribute.String("stagedoor.log", b.Kind)}
	if b.Group != "" {
		attributes = append(attributes, attribute.StringSlice("aws.log.group.names", []string{b.Group}))
	}
	for _, e := range b.Entries {
		var r log.Record
		r.SetTimestamp(e.Time)
		r.SetBody(attribute.StringValue(string(e.Line)))
		r.AddAttributes(attributes...)
		l.logger.Emit(made, r)
	}
	err := l.exporter.Export(ctx, records)
	if err != nil && !isPassing(err) {
		return logsink.Refused(err)
	}
	return err
}

// isPassing reports whether what has failed may succeed later: the collector was not
// reached, or is busy.
func isPassing(err error) bool {
	var unreached *url.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.As(err, &unreached) {
		return true
	}
	switch status.Code(err) {
	case codes.Canceled, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Aborted, codes.Unavailable:
		return true
	}
	return strings.Contains(err.Error(), "retry-able") // of the exporter for HTTP, whose type is not exported
}

// Close ends what sends lines.
func (l *Logs) Close(ctx context.Context) {
	_ = l.provider.Shutdown(ctx)
	_ = l.exporter.Shutdown(ctx)
}

// collecting is a processor that puts each record into the list of its context.
type collecting struct{}

// recordsKey is the key of the list in a context: a *[]sdklog.Record.
type recordsKey struct{}

// OnEmit implements sdklog.Processor.
func (collecting) OnEmit(ctx context.Context, r *sdklog.Record) error {
	if records, ok := ctx.Value(recordsKey{}).(*[]sdklog.Record); ok {
		*records = append(*records, r.Clone())
	}
	return nil
}

// Enabled implements sdklog.Processor.
func (collecting) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }

// Shutdown implements sdklog.Processor.
func (collecting) Shutdown(context.Context) error { return nil }

// ForceFlush implements sdklog.Processor.
func (collecting) ForceFlush(context.Context) error { return nil }

func (o *Options) logExporter(ctx context.Context, protocol string) (sdklog.Exporter, error) {
	endpoint := o.endpoint(logs, protocol)
	if protocol == GRPC { // who calls Export tries again
		options := []otlploggrpc.Option{otlploggrpc.WithRetry(otlploggrpc.RetryConfig{Enabled: false})}
		if endpoint != "" {
			options = append(options, otlploggrpc.WithEndpointURL(endpoint))
		}
		if o.Headers != nil {
			options = append(options, otlploggrpc.WithHeaders(o.Headers))
		}
		return otlploggrpc.New(ctx, options...)
	}
	options := []otlploghttp.Option{otlploghttp.WithRetry(otlploghttp.RetryConfig{Enabled: false})}
	if protocol == JSON {
		client, err := o.jsonClient(logs, func() (request, response proto.Message) {
			return new(collector.ExportLogsServiceRequest), new(collector.ExportLogsServiceResponse)
		})
		if err != nil {
			return nil, err
		}
		options = append(options, otlploghttp.WithHTTPClient(client))
	}
	if endpoint != "" {
		options = append(options, otlploghttp.WithEndpointURL(endpoint))
	}
	if o.Headers != nil {
		options = append(options, otlploghttp.WithHeaders(o.Headers))
	}
	return otlploghttp.New(ctx, options...)
}
