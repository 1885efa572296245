//go:build linux

package rounds

import (
	"fmt"

	"github.com/stagedoor/stagedoor/bench/internal/report"
)

// Table prints what systems did, each beside the systems named bound and direct at
// the same number of connections: its rate in parts of theirs, and its processor
// time per message in parts of the bound's. An empty direct is left out. Load is the
// machine's, with what is measured.
func Table(results []Result, bound, direct string) string {
	head := []string{
		"Connections", "System", "Messages/s", "Of " + bound, "Of " + direct, "p50", "p99", "CPU/message", "Of " + bound + "'s", "Client's CPU", "Load",
	}
	rows := [][]string{head}
	for i := range results {
		r := &results[i]
		m := r.Median()
		rows = append(rows, []string{
			fmt.Sprint(r.Connections), r.System, report.Thousands(m.Rate),
			share(r, find(results, bound, r.Connections), (*Result).Share),
			share(r, find(results, direct, r.Connections), (*Result).Share),
			report.Duration(m.P50), report.Duration(m.P99), report.Duration(m.Server),
			share(r, find(results, bound, r.Connections), (*Result).ServerShare),
			report.Duration(m.Client), r.Load,
		})
	}
	if direct == "" {
		for i, row := range rows {
			rows[i] = append(row[:4:4], row[5:]...)
		}
	}
	return report.Table(rows)
}

func share(r, of *Result, how func(r, of *Result) float64) string {
	if of == nil || len(r.Rounds) == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", how(r, of))
}

// find is what a system did at a number of connections, nil where it was not
// measured.
func find(results []Result, system string, connections int) *Result {
	for i := range results {
		if results[i].System == system && results[i].Connections == connections {
			return &results[i]
		}
	}
	return nil
}

// Failed is an error where any message failed, which shows the first ones.
func Failed(results []Result) error {
	for _, r := range results {
		if n := len(r.Errors); n > 0 {
			return fmt.Errorf("%d messages failed, so nothing counts: %s, %d connections: %w", n, r.System, r.Connections, r.Errors[0])
		}
	}
	return nil
}
