//go:build linux

package main

import (
	"fmt"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/plot"
	"github.com/stagedoor/stagedoor/bench/internal/report"
)

// window is the time whose answers are one point of the plot.
const window = 500 * time.Millisecond

// recovery is how long the gateway may take to be as before.
const recovery = 5 * time.Second

// latencies are those of answers to messages that were sent in a time.
func (m *measured) latencies(from, to time.Duration) []time.Duration {
	var list []time.Duration
	for _, a := range m.answers {
		if a.at >= from && a.at < to {
			list = append(list, a.took)
		}
	}
	return list
}

// most is the most memory that was seen in a time.
func (m *measured) most(from, to time.Duration) (bytes int64) {
	for _, s := range m.samples {
		if s.at >= from && s.at < to {
			bytes = max(bytes, s.memory)
		}
	}
	return bytes
}

// table has what other clients saw in each part, and what became of the overload.
func (m *measured) table() string {
	over := m.before + m.during
	rows := [][]string{{"Time", "Answers", "p50", "p99", "Longest", "Memory at most"}}
	for _, part := range []struct {
		name     string
		from, to time.Duration
	}{
		{"before", 0, m.before},
		{"during", m.before, over},
		{fmt.Sprintf("first %v after", recovery), over, over + recovery},
		{"after that", over + recovery, over + m.after},
	} {
		list := m.latencies(part.from, part.to)
		rows = append(rows, []string{
			part.name, report.Thousands(float64(len(list))),
			report.Duration(report.Percentile(list, 50)), report.Duration(report.Percentile(list, 99)), report.Duration(report.Percentile(list, 100)),
			fmt.Sprintf("%.1f MiB", report.Mebibytes(m.most(part.from, part.to))),
		})
	}
	f := m.flood
	drained := "not all of it was answered"
	if f.Answered.Load()+f.Refused.Load() >= f.Taken.Load() {
		drained = fmt.Sprintf("the last answer came %.1f s after the end", max(0, m.drained-over).Seconds())
	}
	return report.Table(rows) + fmt.Sprintf("\nOverload: %s messages sent in %v, %.0f times what the gateway can do (%s in a second). Sockets took %s; "+
		"%s were answered, %s refused, %d of %d connections closed; %s. Memory is limited to %d MiB.\n",
		report.Thousands(float64(f.Offered.Load())), m.during, m.times, report.Thousands(m.capacity), report.Thousands(float64(f.Taken.Load())),
		report.Thousands(float64(f.Answered.Load())), report.Thousands(float64(f.Refused.Load())), f.Ended.Load(), m.connections, drained, m.memory)
}

// charts are what other clients saw, what was answered, and memory.
func (m *measured) charts() []plot.Chart {
	p50, p99 := plot.Line{Name: "p50", Plain: true}, plot.Line{Name: "p99", Plain: true}
	for at := time.Duration(0); at < m.before+m.during+m.after; at += window {
		list := m.latencies(at, at+window)
		if len(list) == 0 {
			continue
		}
		x := at.Seconds()
		p50.Points = append(p50.Points, plot.Point{X: x, Y: milliseconds(report.Percentile(list, 50))})
		p99.Points = append(p99.Points, plot.Point{X: x, Y: milliseconds(report.Percentile(list, 99))})
	}
	answered, able := plot.Line{Name: "answers", Plain: true}, plot.Line{Name: "what the gateway can do", Plain: true}
	memory, limit := plot.Line{Name: "gateway", Plain: true}, plot.Line{Name: "limit", Plain: true}
	var last sample
	for _, s := range m.samples {
		x := s.at.Seconds()
		if passed := (s.at - last.at).Seconds(); passed > 0 {
			answered.Points = append(answered.Points, plot.Point{X: x, Y: float64(s.answered-last.answered) / passed})
		}
		able.Points = append(able.Points, plot.Point{X: x, Y: m.capacity})
		memory.Points = append(memory.Points, plot.Point{X: x, Y: report.Mebibytes(s.memory)})
		limit.Points = append(limit.Points, plot.Point{X: x, Y: float64(m.memory)})
		last = s
	}
	chart := func(title string, text func(float64) string, lines ...plot.Line) plot.Chart {
		return plot.Chart{
			Title: title, X: "seconds", TextX: func(v float64) string { return fmt.Sprintf("%g", v) }, TextY: text, Lines: lines, Height: 120,
			Spans: []plot.Span{{Name: fmt.Sprintf("%g times what it can do", m.times), From: m.before.Seconds(), To: (m.before + m.during).Seconds()}},
		}
	}
	unit := func(name string) func(float64) string {
		return func(v float64) string { return fmt.Sprintf("%.6g %s", v, name) }
	}
	return []plot.Chart{
		chart("How long other clients wait for an answer", unit("ms"), p50, p99),
		chart("Messages of the overload answered, in a second", report.Thousands, answered, able),
		chart("Memory of the gateway", unit("MiB"), memory, limit),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
