package metrics

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
)

var stageLabels = []string{"api_id", "api", "stage", "route"}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("stagedoor_"+name, help, labels, nil)
}

// What API Gateway counts, by stage and route.
var (
	connectDesc          = describe("connect_total", "Events of $connect, refused ones included (ConnectCount).", stageLabels...)
	messageDesc          = describe("message_total", "Messages in both directions, connects and disconnects (MessageCount).", stageLabels...)
	clientErrorDesc      = describe("client_error_total", "Events that failed by the client's fault (ClientError).", stageLabels...)
	executionErrorDesc   = describe("execution_error_total", "Events that failed in a function, a mapping or the gateway (ExecutionError).", stageLabels...)
	integrationErrorDesc = describe("integration_error_total", "Events whose HTTP or AWS backend failed (IntegrationError).", stageLabels...)
	latencyDesc          = describe("integration_latency_seconds", "Time that backends took to answer (IntegrationLatency).", stageLabels...)
)

// What the gateway counts beside.
var (
	handshakesDesc  = describe("handshakes_total", "Handshakes by the status of their answer; 101 is a connection.", "status")
	closesDesc      = describe("closes_total", "Connections that ended, by close code.", "code")
	pushesDesc      = describe("pushes_total", "Messages posted to @connections, by what became of them.", "result")
	throttledDesc   = describe("throttled_total", "Events refused by a limit, by the limit.", "level")
	turnedAwayDesc  = describe("turned_away_total", "Clients refused because there was no room for them.")
	authorizerDesc  = describe("authorizer_latency_seconds", "Time that Lambda authorizers took to decide.")
	backendWaitDesc = describe("backend_wait_seconds", "Time that calls of HTTP backends waited for their turn.")
	loopLagDesc     = describe("loop_lag_seconds", "Time until an event loop came to what was asked of it.")
)

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		connectDesc, messageDesc, clientErrorDesc, executionErrorDesc, integrationErrorDesc, latencyDesc,
		handshakesDesc, closesDesc, pushesDesc, throttledDesc, turnedAwayDesc, authorizerDesc, backendWaitDesc, loopLagDesc,
		coldStartsDesc, queueDesc,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(to chan<- prometheus.Metric) {
	counter := func(d *prometheus.Desc, n uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	for _, s := range m.stages.all() {
		labels := []string{s.APIID, s.API, s.Stage, s.Route}
		counter(connectDesc, s.connects.Load(), labels...)
		counter(messageDesc, s.messages.Load(), labels...)
		counter(clientErrorDesc, s.clientErrors.Load(), labels...)
		counter(executionErrorDesc, s.executionErrors.Load(), labels...)
		counter(integrationErrorDesc, s.integrationErrors.Load(), labels...)
		to <- s.latency.metric(latencyDesc, labels...)
	}
	m.handshakes.each(func(status string, n uint64) { counter(handshakesDesc, n, status) })
	m.closes.each(func(code string, n uint64) { counter(closesDesc, n, code) })
	for i, result := range pushResults {
		counter(pushesDesc, m.pushes[i].Load(), result)
	}
	for i, level := range throttleLevels {
		counter(throttledDesc, m.throttled[i].Load(), level)
	}
	counter(turnedAwayDesc, m.turnedAway.Load())
	to <- m.Authorizer.metric(authorizerDesc)
	to <- m.BackendWait.metric(backendWaitDesc)
	to <- m.LoopLag.metric(loopLagDesc)
	m.functions.collect(to)
}

// newBuildInfo is a gauge that is 1, with what the program is built of in its labels.
func newBuildInfo(version string) prometheus.Collector {
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "stagedoor_build_info", Help: "1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version(), "goos": runtime.GOOS, "goarch": runtime.GOARCH},
	})
	g.Set(1)
	return g
}
