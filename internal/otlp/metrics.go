package otlp

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	bridge "go.opentelemetry.io/contrib/bridges/prometheus"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	collector "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/proto"
)

// SendMetrics sends what is gathered, every minute, or as often as
// OTEL_METRIC_EXPORT_INTERVAL says, until it is closed. Close sends a last time.
func (o *Options) SendMetrics(ctx context.Context, from prometheus.Gatherer) (closer func(context.Context), err error) {
	protocol, err := o.protocol(metrics)
	if err != nil {
		return nil, err
	}
	exporter, err := o.metricExporter(ctx, protocol)
	if err != nil {
		return nil, err
	}
	about, err := o.Resource(ctx)
	if err != nil {
		return nil, err
	}
	reader := sdkmetric.NewPeriodicReader(&metricExporter{exporter, o.outcome(metrics, protocol)},
		sdkmetric.WithProducer(bridge.NewMetricProducer(bridge.WithGatherer(from))))
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithResource(about))
	return func(ctx context.Context) {
		ctx, cancel := bounded(ctx)
		defer cancel()
		_ = provider.Shutdown(ctx) // what fails was told
	}, nil
}

func (o *Options) metricExporter(ctx context.Context, protocol string) (sdkmetric.Exporter, error) {
	endpoint := o.endpoint(metrics, protocol)
	if protocol == GRPC {
		var options []otlpmetricgrpc.Option
		if endpoint != "" {
			options = append(options, otlpmetricgrpc.WithEndpointURL(endpoint))
		}
		if o.Headers != nil {
			options = append(options, otlpmetricgrpc.WithHeaders(o.Headers))
		}
		return otlpmetricgrpc.New(ctx, options...)
	}
	var options []otlpmetrichttp.Option
	if protocol == JSON {
		client, err := o.jsonClient(metrics, func() (request, response proto.Message) {
			return new(collector.ExportMetricsServiceRequest), new(collector.ExportMetricsServiceResponse)
		})
		if err != nil {
			return nil, err
		}
		options = append(options, otlpmetrichttp.WithHTTPClient(client))
	}
	if endpoint != "" {
		options = append(options, otlpmetrichttp.WithEndpointURL(endpoint))
	}
	if o.Headers != nil {
		options = append(options, otlpmetrichttp.WithHeaders(o.Headers))
	}
	return otlpmetrichttp.New(ctx, options...)
}

// metricExporter is an exporter that logs its errors, each series of them once.
type metricExporter struct {
	sdkmetric.Exporter
	outcome *outcome
}

// Export implements sdkmetric.Exporter.
func (e *metricExporter) Export(ctx context.Context, data *metricdata.ResourceMetrics) error {
	e.outcome.note(e.Exporter.Export(ctx, data))
	return nil
}
