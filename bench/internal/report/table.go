package report

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Series is how long something took, each time that it was done.
type Series struct {
	Name   string
	Times  []time.Duration
	Target time.Duration // of the median; 0: none
}

// SeriesTable prints series as a table.
func SeriesTable(list []Series) string {
	cells := [][]string{{"Times", "What", "Median", "90%", "Longest", "Target"}}
	for _, s := range list {
		target := "–"
		if s.Target > 0 {
			target = Duration(s.Target)
		}
		cells = append(cells, []string{
			fmt.Sprint(len(s.Times)), s.Name,
			Duration(Percentile(s.Times, 50)), Duration(Percentile(s.Times, 90)), Duration(Percentile(s.Times, 100)), target,
		})
	}
	return Table(cells)
}

// Thousands is a number with its thousands separated.
func Thousands(n float64) string {
	digits := fmt.Sprintf("%.0f", n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Duration is a time with three significant digits.
func Duration(d time.Duration) string {
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

// Mebibytes is a number of bytes in MiB.
func Mebibytes(n int64) float64 { return float64(n) / (1 << 20) }

// Table prints cells, of which the first row is the head, as a Markdown table that
// is aligned for reading as plain text too: columns of numbers to the right.
func Table(cells [][]string) string {
	widths, words := make([]int, len(cells[0])), make([]bool, len(cells[0]))
	for n, row := range cells {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			words[i] = words[i] || n > 0 && !number(cell)
		}
	}
	var b strings.Builder
	for n, row := range cells {
		line(&b, row, widths, words)
		if n == 0 {
			rules := make([]string, len(row))
			for i, width := range widths {
				rules[i] = strings.Repeat("-", width)
				if !words[i] {
					rules[i] = strings.Repeat("-", width-1) + ":"
				}
			}
			line(&b, rules, widths, words)
		}
	}
	return b.String()
}

func line(b *strings.Builder, row []string, widths []int, words []bool) {
	for i, cell := range row {
		space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if words[i] {
			b.WriteString("| " + cell + space + " ")
		} else {
			b.WriteString("| " + space + cell + " ")
		}
	}
	b.WriteString("|\n")
}

// number reports whether a cell is a number, with or without a unit, or stands for
// one that there is not.
func number(cell string) bool {
	return cell == "–" || cell != "" && cell[0] >= '0' && cell[0] <= '9'
}
