//go:build linux

package main

import (
	"fmt"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/plot"
	"github.com/stagedoor/stagedoor/bench/internal/report"
)

// few connections are too few to tell their memory from a heap's ups and downs.
const few = 300

// table has a row for each point.
func table(list []*measured) string {
	rows := [][]string{{"What grows", "", "CPU/message", "Relay's", "Of relay's", "Memory/connection"}}
	for _, m := range list {
		memory := "–"
		if m.held >= few {
			memory = fmt.Sprintf("%.2f KiB", kibibytes(m.memory))
		}
		rows = append(rows, []string{
			m.grows.name, size(float64(m.value())), report.Duration(m.cpu), report.Duration(m.relay), fmt.Sprintf("%.2f", m.share), memory,
		})
	}
	return report.Table(rows)
}

// charts are two for each dimension: of processor time, and of memory.
func charts(list []*measured) []plot.Chart {
	var all []plot.Chart
	for _, d := range dimensions {
		name := d.name
		if name == "bytes" {
			name = "bytes in a message"
		}
		var cpu, relay, memory plot.Line
		cpu.Name, relay.Name, memory.Name = "dev", "bare relay", "dev"
		for _, m := range d.in(list) {
			x := float64(m.value())
			cpu.Points = append(cpu.Points, plot.Point{X: x, Y: microseconds(m.cpu)})
			relay.Points = append(relay.Points, plot.Point{X: x, Y: microseconds(m.relay)})
			if m.held >= few {
				memory.Points = append(memory.Points, plot.Point{X: x, Y: max(0, kibibytes(m.memory))})
			}
		}
		all = append(all,
			plot.Chart{Title: "Processor time per message", X: name, LogX: true, TextX: size, TextY: unit("µs"), Lines: []plot.Line{cpu, relay}},
			plot.Chart{Title: "Memory per idle connection", X: name, LogX: true, TextX: size, TextY: unit("KiB"), Lines: []plot.Line{memory}})
	}
	return all
}

// size is a number, of which those from 1024 on that are so many times 1024 are
// written with K.
func size(v float64) string {
	if n := int(v); n >= 1024 && n%1024 == 0 {
		return fmt.Sprint(n/1024, "K")
	}
	return fmt.Sprintf("%g", v)
}

func unit(name string) func(float64) string {
	return func(v float64) string { return fmt.Sprintf("%.6g %s", v, name) }
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func kibibytes(n int64) float64 { return float64(n) / (1 << 10) }
