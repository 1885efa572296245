//go:build linux

package main

import (
	"fmt"
	"strings"

	"github.com/stagedoor/stagedoor/bench/internal/report"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// target is what the gateway is to reach beside another system.
type target struct {
	what    string // of which system: its name, or how it begins
	system  string
	measure func(r, of *rounds.Result) float64
	atLeast bool // the bounds are lower ones
	bounds  map[int]float64
}

var (
	ofRelay = target{
		"messages/s, of relay", relay, (*rounds.Result).Share, true,
		map[int]float64{1: 0.85, 10: 0.85, 100: 0.85, 1000: 0.85},
	}
	ofCentrifugo = target{
		"messages/s, of Centrifugo", "Centrifugo", (*rounds.Result).Share, true,
		map[int]float64{1: 1.5, 10: 1.5, 100: 2.5, 1000: 2.5},
	}
	cpuOfRelay = target{"CPU/message, of relay", relay, (*rounds.Result).ServerShare, false, map[int]float64{100: 1.4}}
	cpuOfEcho  = target{
		"CPU/message, of echo", echo, (*rounds.Result).ServerShare, false,
		map[int]float64{1: 1.5, 10: 1.5, 100: 1.5, 1000: 1.5},
	}
)

// targets is a table of what is to be reached, and what was.
func targets(called, answered []rounds.Result, counts []int) string {
	rows := [][]string{{"Target", "System"}}
	for _, n := range counts {
		rows[0] = append(rows[0], fmt.Sprint("at ", n))
	}
	for _, t := range []target{ofRelay, ofCentrifugo, cpuOfRelay} {
		rows = append(rows, t.row("dev", called, counts), t.row("serve", called, counts))
	}
	rows = append(rows, cpuOfEcho.row("dev, MOCK", answered, counts), cpuOfEcho.row("serve, MOCK", answered, counts))
	return report.Table(rows)
}

// row says for each number of connections what was measured, and what was to be
// where it was not reached.
func (t target) row(system string, results []rounds.Result, counts []int) []string {
	row := []string{t.what, system}
	for _, n := range counts {
		bound, wanted := t.bounds[n]
		r, of := rounds.Find(results, system, n), t.other(results, n)
		if !wanted || r == nil || of == nil || len(of.Errors) > 0 {
			row = append(row, "–")
			continue
		}
		got := t.measure(r, of)
		sign, missed := "<", got < bound
		if !t.atLeast {
			sign, missed = ">", got > bound
		}
		cell := fmt.Sprintf("%.2f", got)
		if missed {
			cell += fmt.Sprintf(" %s %.2f", sign, bound)
		}
		row = append(row, cell)
	}
	return row
}

func (t target) other(results []rounds.Result, connections int) *rounds.Result {
	for i := range results {
		if results[i].Connections == connections && strings.HasPrefix(results[i].System, t.system) {
			return &results[i]
		}
	}
	return nil
}
