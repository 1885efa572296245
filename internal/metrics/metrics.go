// Package metrics counts what the gateway does, for Prometheus, for OpenTelemetry and
// for CloudWatch. What API Gateway counts is counted as API Gateway does (section K.3
// of the behaviour document): series.go has the numbers of a stage or a route, count.go
// the rules. Beside them are the gateway's own numbers, in this file.
//
// Whoever compiles a plan asks for the series of its stage and routes once
// (Metrics.Stage). To count an event then is a handful of atomic additions: no label is
// looked up, nothing is locked and nothing allocated.
package metrics

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// Metrics are the numbers of one gateway. It is a telemetry.Recorder, and safe for
// concurrent use.
type Metrics struct {
	// Registry has all of them. Who has numbers of its own registers them here.
	Registry *prometheus.Registry

	stages    stages
	functions functions

	handshakes statuses // answers to handshakes
	closes     closes
	pushes     [len(pushResults)]atomic.Uint64
	throttled  [len(throttleLevels)]atomic.Uint64
	messages   atomic.Uint64 // that ended, whatever came of them
	failed     atomic.Uint64 // events of all kinds, of which a log has something to say
	turnedAway atomic.Uint64

	// Authorizer is how long Lambda authorizers took to decide about handshakes.
	Authorizer *Histogram
	// BackendWait is how long calls of HTTP backends waited for their turn.
	BackendWait *Histogram
	// LoopLag is how long event loops took to come to what was asked of them.
	LoopLag *Histogram
}

// Options say what is counted where.
type Options struct {
	Version string // of the program, for stagedoor_build_info
	// MostSeries is how many stages and routes have numbers of their own: 10,000 where it
	// is 0. See Metrics.Stage for the others.
	MostSeries int
}

// New makes the numbers of a gateway, all zero.
func New(o Options) *Metrics {
	m := &Metrics{
		Registry: prometheus.NewRegistry(), stages: newStages(o.MostSeries),
		Authorizer: NewHistogram(), BackendWait: NewHistogram(), LoopLag: NewHistogram(),
	}
	m.Registry.MustRegister(m, newBuildInfo(o.Version), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Record implements telemetry.Recorder.
func (m *Metrics) Record(r *telemetry.Record) {
	if r.Meter != nil {
		r.Meter.Count(r)
	}
	switch r.Event {
	case telemetry.EventConnect, telemetry.EventRefused:
		m.handshakes.add(r.Status)
	case telemetry.EventMessage:
		m.messages.Add(1)
	case telemetry.EventDisconnect:
		m.closes.add(r.Status)
	case telemetry.EventPush:
		m.pushes[pushResult(r)].Add(1)
	}
	if r.Error != "" {
		m.failed.Add(1)
		if level := throttleLevel(r); level >= 0 {
			m.throttled[level].Add(1)
		}
	}
}

// Answered counts the answer to a handshake that has no event.
func (m *Metrics) Answered(status int) { m.handshakes.add(status) }

// TurnedAway counts a client that was refused because there is no room for it.
func (m *Metrics) TurnedAway() { m.turnedAway.Add(1) }

// Totals are numbers since the start, for those who tell of them in sentences.
type Totals struct {
	Connected, Refused, Disconnected     uint64
	Messages, Pushes, Failed, TurnedAway uint64
}

// Totals returns the numbers as they are now.
func (m *Metrics) Totals() Totals {
	t := Totals{Messages: m.messages.Load(), Failed: m.failed.Load(), TurnedAway: m.turnedAway.Load(), Disconnected: m.closes.total()}
	t.Connected, t.Refused = m.handshakes.totals()
	for i := range m.pushes {
		t.Pushes += m.pushes[i].Load()
	}
	return t
}

// Minus returns what was counted since earlier totals.
func (t Totals) Minus(earlier Totals) Totals {
	return Totals{
		t.Connected - earlier.Connected, t.Refused - earlier.Refused, t.Disconnected - earlier.Disconnected,
		t.Messages - earlier.Messages, t.Pushes - earlier.Pushes, t.Failed - earlier.Failed, t.TurnedAway - earlier.TurnedAway,
	}
}
