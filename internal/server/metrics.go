package server

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/lifetime"
	"github.com/stagedoor/stagedoor/internal/listener"
	"github.com/stagedoor/stagedoor/internal/metrics"
	"github.com/stagedoor/stagedoor/internal/turnstile"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// metricsPart has the numbers of the gateway, and where they are asked for. They are
// counted in any case: the log's summaries come from them. Where metrics are off,
// nothing is counted for each stage, and nobody can ask.
type metricsPart struct {
	*metrics.Metrics
	config  config.Metrics
	handler *metrics.Handler
	port    *listener.Server // of their own; nil: there is none
	sockets atomic.Int64     // to HTTP backends
}

// openMetrics makes the numbers, all zero, and serves the port of their own if they have
// one.
func (s *Server) openMetrics(ctx context.Context) error {
	m := metrics.New(metrics.Options{Version: s.options.Version})
	s.metrics = &metricsPart{Metrics: m, config: s.config.Metrics, handler: m.NewHandler(s.config.Proxies.Trusted, s.log)}
	if err := s.metrics.use(s.config.Metrics.Token); err != nil {
		return err
	}
	m.Registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "stagedoor_store_up", Help: "Whether the configuration store answers: 1, or 0.",
	}, s.health.storeUp))
	if !s.config.Metrics.Enabled || s.config.Metrics.Listen == "" {
		return nil
	}
	port, err := listener.Open(ctx, s.config.Metrics.Listen)
	if err != nil {
		return err
	}
	s.metrics.port = listener.Serve(port, s.metrics.handler, listener.Options{TLS: tlsOf(s.certificates.admin), Limits: portLimits(s.config)})
	s.parts.Add(func(ctx context.Context) { s.metrics.port.Close(ctx) })
	s.log.Info("metrics have a port of their own", "url", s.metrics.port.URL()+metrics.Path)
	return nil
}

// use takes the token from where it stands now.
func (m *metricsPart) use(token config.Secret) error {
	secret, err := readSecret(token)
	if err == nil {
		m.handler.SetToken(secret)
	}
	return err
}

// ofStages are the metrics that the events of stages are counted in; nil: they are not
// counted.
func (m *metricsPart) ofStages() *metrics.Metrics {
	if !m.config.Enabled {
		return nil
	}
	return m.Metrics
}

// onAdminPort answers for metrics on the admin port; nil: they are not there.
func (m *metricsPart) onAdminPort() http.Handler {
	if !m.config.Enabled || m.config.Listen != "" {
		return nil
	}
	return m.handler
}

// watchGateway adds the numbers that are read when they are asked for.
func (s *Server) watchGateway() {
	s.metrics.Read(func(to func(metrics.Sample)) {
		to(metrics.Sample{Name: "connections_open", Help: "Open connections.", Value: float64(s.gateway.Connections())})
		readEngine(s.engine.Counts(), to)
		to(metrics.Sample{Name: "backend_sockets", Help: "Open sockets to HTTP backends.", Value: float64(s.metrics.sockets.Load())})
		s.fileFunctions.eachFunction(func(name string, processes int) {
			to(metrics.Sample{Name: "function_processes", Help: "Processes of a function.", Label: "function", LabelValue: name, Value: float64(processes)})
		})
		for sink, lines := range s.logs.Dropped() {
			to(metrics.Sample{
				Name: "log_dropped_total", Help: "Log lines that were dropped because their sink could not take them.", Counter: true,
				Label: "sink", LabelValue: sink, Value: float64(lines),
			})
		}
	})
}

// exportMetrics has the numbers sent to where the configuration says.
func (s *Server) exportMetrics(ctx context.Context) error {
	if !s.config.Metrics.Enabled {
		return nil
	}
	s.sendToCloudWatch(ctx)
	if !s.otlp.MetricsWanted() {
		return nil
	}
	stop, err := s.otlp.SendMetrics(ctx, s.metrics.Registry)
	if err == nil {
		s.parts.Add(stop)
	}
	return err
}

// sendToCloudWatch has the numbers of stages sent to CloudWatch, where the configuration
// asks for it.
func (s *Server) sendToCloudWatch(ctx context.Context) {
	if !s.config.Metrics.CloudWatch {
		return
	}
	services := awsservice.New(awsservice.Options{Endpoints: s.config.Endpoints, Bounds: turnstile.Bounds{Calls: 1}})
	s.parts.Add(func(context.Context) { services.Close() })
	send := func(ctx context.Context, form []byte) error {
		answer, err := services.Do(ctx, &awsservice.Request{
			URI:  awsservice.URI{Partition: apigw.Partition(s.config.Region), Region: s.config.Region, Service: "monitoring", Action: "PutMetricData"},
			Body: form,
		})
		if err == nil && answer.Status != http.StatusOK {
			err = fmt.Errorf("PutMetricData: %d %.300s", answer.Status, answer.Body)
		}
		return err
	}
	s.parts.Add(lifetime.Start(ctx, s.metrics.NewCloudWatch(send, s.log).Run).Close)
}

// readEngine gives the numbers of the WebSocket engine.
func readEngine(n websocket.Counts, to func(metrics.Sample)) {
	for _, s := range []metrics.Sample{
		{Name: "received_frames_total", Help: "Frames from clients.", Counter: true, Value: float64(n.ReceivedFrames)},
		{Name: "sent_frames_total", Help: "Frames queued for clients.", Counter: true, Value: float64(n.SentFrames)},
		{Name: "received_bytes_total", Help: "Bytes of frames from clients.", Counter: true, Value: float64(n.ReceivedBytes)},
		{Name: "sent_bytes_total", Help: "Bytes of frames queued for clients.", Counter: true, Value: float64(n.SentBytes)},
		{Name: "messages_in_flight", Help: "Messages that are being handled.", Value: float64(n.InFlight)},
		{Name: "messages_waiting", Help: "Messages that wait for others to be handled.", Value: float64(n.Waiting)},
		{Name: "push_queue_bytes", Help: "Memory of what waits for clients that read too slowly.", Value: float64(n.QueueBytes)},
	} {
		to(s)
	}
}
