//go:build linux

package rounds

import (
	"context"
	"fmt"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/report"
)

// Kind is what rounds are made of, in the words of a table.
type Kind struct {
	Count string // what there is a number of: "Connections"
	Many  string // "Messages"
	One   string // "message"
}

// The kinds that there are.
var (
	Messages   = Kind{"Connections", "Messages", "message"}
	Handshakes = Kind{"At a time", "Handshakes", "handshake"}
)

// Contest has systems take turns at some numbers of connections, and returns a table in
// which the first of them is what the others are compared with. That anything failed is
// an error.
func (k Kind) Contest(ctx context.Context, o Options, systems []System, counts []int) (string, error) {
	results, told, err := TakeAll(ctx, o, systems, counts)
	if err != nil {
		return "", err
	}
	return k.Table(results, systems[0].Name, "") + told, nil
}

// Table prints what systems did, each beside the systems named bound and direct at
// the same number of connections: its rate in parts of theirs, and its processor
// time per message in parts of the bound's. An empty direct is left out. Load is the
// machine's, with what is measured. What failed has no figures.
func (k Kind) Table(results []Result, bound, direct string) string {
	head := []string{
		k.Count, "System", k.Many + "/s", "Of " + bound, "Of " + direct, "p50", "p99", "CPU/" + k.One, "Of " + bound + "'s", "Client's CPU", "Load",
	}
	rows := [][]string{head}
	for i := range results {
		r := &results[i]
		if len(r.Errors) > 0 {
			rows = append(rows, []string{fmt.Sprint(r.Connections), r.System, "–", "–", "–", "–", "–", "–", "–", "–", r.Load})
			continue
		}
		m := r.Median()
		rows = append(rows, []string{
			fmt.Sprint(r.Connections), r.System, report.Thousands(m.Rate),
			share(r, Find(results, bound, r.Connections), (*Result).Share),
			share(r, Find(results, direct, r.Connections), (*Result).Share),
			report.Duration(m.P50), report.Duration(m.P99), known(m.Server),
			share(r, Find(results, bound, r.Connections), (*Result).ServerShare),
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
	if of == nil || len(r.Rounds) == 0 || len(of.Errors) > 0 {
		return "–"
	}
	got := how(r, of)
	if got == 0 {
		return "–" // nothing can be compared
	}
	return fmt.Sprintf("%.2f", got)
}

// known is a time that is not known where it is negative.
func known(d time.Duration) string {
	if d < 0 {
		return "–"
	}
	return report.Duration(d)
}

// Find is what a system did at a number of connections, nil where it was not
// measured.
func Find(results []Result, system string, connections int) *Result {
	for i := range results {
		if results[i].System == system && results[i].Connections == connections {
			return &results[i]
		}
	}
	return nil
}

// Failed is an error where any message failed of a system that is not optional. Those
// of optional systems are returned as a line for each.
func Failed(results []Result) (optional string, err error) {
	for _, r := range results {
		n := len(r.Errors)
		if n == 0 {
			continue
		}
		text := r.Errors[0].Error()
		failed := fmt.Errorf("%s, %d connections: %d of them failed: %.200s", r.System, r.Connections, n, text)
		if !r.Optional {
			return optional, fmt.Errorf("nothing counts: %w", failed)
		}
		optional += failed.Error() + "\n"
	}
	return optional, nil
}
