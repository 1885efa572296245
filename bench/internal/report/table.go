package report

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Row is one system at one number of connections.
type Row struct {
	System      string
	Connections int
	Rate        float64 // messages per second
	P50, P99    time.Duration
	Client      time.Duration // processor time of the load client, per message
	Server      time.Duration // of the system, without the backend
	Errors      int
}

// Table prints rows as a Markdown table that is aligned for reading as plain
// text too. Each row is compared with those of the same number of connections
// whose systems are named direct and peer.
func Table(rows []Row, direct, peer string) string {
	cells := [][]string{{
		"Connections", "System", "Messages/s", "p50", "p99", "CPU/message", "Client's CPU", "Errors", "Of direct", "Of peer",
	}}
	for _, r := range rows {
		cells = append(cells, []string{
			fmt.Sprint(r.Connections), r.System, thousands(r.Rate), latency(r.P50), latency(r.P99),
			latency(r.Server), latency(r.Client), fmt.Sprint(r.Errors),
			ratio(r, rows, direct, "%.2f"), ratio(r, rows, peer, "%.1f×"),
		})
	}
	return markdown(cells)
}

// Ratios says in a line for each number of connections how one system compares
// with another: by its rate, and by its processor time for each message.
func Ratios(rows []Row, system, other string) string {
	var b strings.Builder
	for _, r := range rows {
		for _, o := range rows {
			if r.System == system && o.System == other && r.Connections == o.Connections && o.Rate > 0 && o.Server > 0 {
				fmt.Fprintf(&b, "%5d connections: %.3f of the messages/s of %q, %.3f of its CPU/message\n",
					r.Connections, r.Rate/o.Rate, other, float64(r.Server)/float64(o.Server))
			}
		}
	}
	return b.String()
}

// Series is how long something took, each time that it was done.
type Series struct {
	Name   string
	Times  []time.Duration
	Target time.Duration // of the median; 0: none
}

// SeriesTable prints series as a table of the kind of Table.
func SeriesTable(list []Series) string {
	cells := [][]string{{"Times", "What", "Median", "90%", "Longest", "Target"}}
	for _, s := range list {
		target := "–"
		if s.Target > 0 {
			target = latency(s.Target)
		}
		cells = append(cells, []string{
			fmt.Sprint(len(s.Times)), s.Name,
			latency(Percentile(s.Times, 50)), latency(Percentile(s.Times, 90)), latency(Percentile(s.Times, 100)), target,
		})
	}
	return markdown(cells)
}

// ratio is a row's rate in parts of another system's.
func ratio(r Row, rows []Row, system, format string) string {
	for _, other := range rows {
		if other.Connections == r.Connections && other.System == system && other.Rate > 0 {
			return fmt.Sprintf(format, r.Rate/other.Rate)
		}
	}
	return "–"
}

// thousands is a number with its thousands separated.
func thousands(n float64) string {
	digits := fmt.Sprintf("%.0f", n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// latency is a time with three significant digits.
func latency(d time.Duration) string {
	unit, value := "µs", float64(d)/float64(time.Microsecond)
	switch {
	case value >= 1e6:
		unit, value = "s", value/1e6
	case value >= 1e3:
		unit, value = "ms", value/1e3
	}
	switch {
	case value >= 100:
		return fmt.Sprintf("%.0f %s", value, unit)
	case value >= 10:
		return fmt.Sprintf("%.1f %s", value, unit)
	}
	return fmt.Sprintf("%.2f %s", value, unit)
}

// markdown aligns all columns but the second, which has words, to the right.
func markdown(cells [][]string) string {
	widths := make([]int, len(cells[0]))
	for _, row := range cells {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for n, row := range cells {
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 1 {
				b.WriteString("| " + cell + space + " ")
			} else {
				b.WriteString("| " + space + cell + " ")
			}
		}
		b.WriteString("|\n")
		if n == 0 {
			for i, width := range widths {
				if i == 1 {
					b.WriteString("| " + strings.Repeat("-", width) + " ")
				} else {
					b.WriteString("| " + strings.Repeat("-", width-1) + ": ")
				}
			}
			b.WriteString("|\n")
		}
	}
	return b.String()
}
