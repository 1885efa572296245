package metrics

import "github.com/prometheus/client_golang/prometheus"

// Sample is a number of somebody else's.
type Sample struct {
	Name, Help string // the name is without the prefix that all have
	Counter    bool   // it only grows; else it is a gauge
	// Label is the name of its one label, and LabelValue that of the label; both empty: it
	// has none.
	Label, LabelValue string
	Value             float64
}

// Read has numbers asked for at each scrape: each calls its argument with all of them.
// It is called by several goroutines.
func (m *Metrics) Read(each func(to func(Sample))) { m.Registry.MustRegister(reader(each)) }

// reader is a collector whose numbers are not known before.
type reader func(to func(Sample))

// Describe implements prometheus.Collector.
func (r reader) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (r reader) Collect(to chan<- prometheus.Metric) {
	r(func(s Sample) {
		var names, values []string
		if s.Label != "" {
			names, values = []string{s.Label}, []string{s.LabelValue}
		}
		kind := prometheus.GaugeValue
		if s.Counter {
			kind = prometheus.CounterValue
		}
		to <- prometheus.MustNewConstMetric(describe(s.Name, s.Help, names...), kind, s.Value, values...)
	})
}
