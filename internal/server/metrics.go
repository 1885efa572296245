package server

import (
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/listener"
	"github.com/stagedoor/stagedoor/internal/metrics"
)

// metricsPart has the numbers of the gateway, and where they are asked for. They are
// counted in any case: the log's summaries come from them. Where metrics are off,
// nothing is counted for each stage, and nobody can ask.
type metricsPart struct {
	*metrics.Metrics
	config  config.Metrics
	handler *metrics.Handler
	port    *listener.Server // of their own; nil: there is none
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
	gauge := func(name, help string, value func() float64) {
		s.metrics.Registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "stagedoor_" + name, Help: help}, value))
	}
	gauge("connections_open", "Open connections.", func() float64 { return float64(s.gateway.Connections()) })
}
