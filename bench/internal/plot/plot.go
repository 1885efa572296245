// Package plot draws line charts as SVG, which is read on light and on dark pages.
package plot

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// Chart is one chart.
type Chart struct {
	Title  string
	X      string // what the horizontal axis has
	LogX   bool   // it has the points' values only, at distances of their logarithms
	TextX  func(float64) string
	TextY  func(float64) string
	Lines  []Line
	Spans  []Span
	Height int // of the area of the lines; 0: a usual one
}

// Line is a line through points, in the order of X.
type Line struct {
	Name   string
	Points []Point
	Plain  bool // without a dot at each point
}

// Point is a point of a line.
type Point struct{ X, Y float64 }

// Span is a time, or other part of the horizontal axis, that has a name.
type Span struct {
	Name     string
	From, To float64
}

// Sizes in pixels.
const (
	left, right  = 64, 20
	above, below = 58, 44
	usualHeight  = 150
)

// style has colours that are read on either background, and lighter ones where the
// reader's is known to be dark.
const style = `<style>
text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#6e7781}
.title{font-size:14px;font-weight:600}
.grid{stroke:#8c959f;stroke-opacity:.25}
.span{fill:#8c959f;fill-opacity:.13}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.c0{stroke:#0969da}.c1{stroke:#bc4c00}.c2{stroke:#1a7f37}.c3{stroke:#8250df}
.f0{fill:#0969da}.f1{fill:#bc4c00}.f2{fill:#1a7f37}.f3{fill:#8250df}
@media(prefers-color-scheme:dark){
text{fill:#9198a1}.title{fill:#f0f6fc}.grid{stroke:#9198a1}.span{fill:#9198a1}
.c0{stroke:#4493f8}.c1{stroke:#f0883e}.c2{stroke:#3fb950}.c3{stroke:#ab7df8}
.f0{fill:#4493f8}.f1{fill:#f0883e}.f2{fill:#3fb950}.f3{fill:#ab7df8}
}
</style>
`

// Draw puts charts of a width side by side, so many in a row, and below each other.
func Draw(charts []Chart, columns, width int) string {
	var b strings.Builder
	top := 0
	for row := 0; row < len(charts); row += columns {
		height := 0
		for i := row; i < min(row+columns, len(charts)); i++ {
			c := charts[i]
			if c.Height == 0 {
				c.Height = usualHeight
			}
			fmt.Fprintf(&b, "<g transform=\"translate(%d %d)\">\n", (i-row)*width, top)
			c.draw(&b, float64(width-left-right))
			b.WriteString("</g>\n")
			height = max(height, above+c.Height+below)
		}
		top += height
	}
	w := columns * width
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n", w, top, w, top) +
		style + b.String() + "</svg>\n"
}

// draw draws a chart whose lines have an area of this width.
func (c *Chart) draw(b *strings.Builder, width float64) {
	height := float64(c.Height)
	first, last, most := c.bounds()
	step := step(most)
	ceiling := step * math.Ceil(most/step)
	x := func(v float64) float64 { return left + width*c.along(v, first, last) }
	y := func(v float64) float64 { return above + height - height*v/ceiling }

	fmt.Fprintf(b, "<text class=\"title\" x=\"%d\" y=\"20\">%s</text>\n", left, html.EscapeString(c.Title))
	c.legend(b)
	for _, s := range c.Spans {
		fmt.Fprintf(b, "<rect class=\"span\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>\n", x(s.From), above, x(s.To)-x(s.From), c.Height)
		fmt.Fprintf(b, "<text x=\"%.1f\" y=\"%d\">%s</text>\n", x(s.From)+4, above+14, html.EscapeString(s.Name))
	}
	for v := 0.0; v <= ceiling+step/2; v += step {
		fmt.Fprintf(b, "<line class=\"grid\" x1=\"%d\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", left, left+width, y(v), y(v))
		fmt.Fprintf(b, "<text text-anchor=\"end\" x=\"%d\" y=\"%.1f\">%s</text>\n", left-8, y(v)+4, html.EscapeString(c.TextY(v)))
	}
	for _, v := range c.ticks(first, last) {
		fmt.Fprintf(b, "<text text-anchor=\"middle\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", x(v), above+height+18, html.EscapeString(c.TextX(v)))
	}
	fmt.Fprintf(b, "<text text-anchor=\"middle\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", left+width/2, above+height+36, html.EscapeString(c.X))
	for i, l := range c.Lines {
		l.draw(b, i, x, y)
	}
}

// legend names the lines in their colours, in a row.
func (c *Chart) legend(b *strings.Builder) {
	at := float64(left)
	for i, l := range c.Lines {
		fmt.Fprintf(b, "<circle class=\"f%d\" cx=\"%.0f\" cy=\"38\" r=\"4\"/><text x=\"%.0f\" y=\"42\">%s</text>\n", i%colours, at+4, at+13, html.EscapeString(l.Name))
		at += 30 + 6.4*float64(len(l.Name))
	}
}

const colours = 4

func (l *Line) draw(b *strings.Builder, number int, x, y func(float64) float64) {
	var points strings.Builder
	for _, p := range l.Points {
		fmt.Fprintf(&points, "%.1f,%.1f ", x(p.X), y(p.Y))
	}
	fmt.Fprintf(b, "<polyline class=\"line c%d\" points=\"%s\"/>\n", number%colours, strings.TrimSpace(points.String()))
	if l.Plain {
		return
	}
	for _, p := range l.Points {
		fmt.Fprintf(b, "<circle class=\"f%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n", number%colours, x(p.X), y(p.Y))
	}
}

// bounds are the least and the greatest X of all points, and the greatest Y.
func (c *Chart) bounds() (first, last, most float64) {
	first, last = math.Inf(1), math.Inf(-1)
	for _, l := range c.Lines {
		for _, p := range l.Points {
			first, last, most = min(first, p.X), max(last, p.X), max(most, p.Y)
		}
	}
	if first > last { // there are no points
		first, last = 0, 1
	}
	return first, last, max(most, 1e-9)
}

// along is where a value is between the first and the last: from 0 to 1.
func (c *Chart) along(v, first, last float64) float64 {
	switch {
	case first == last:
		return 0.5
	case c.LogX:
		return math.Log(v/first) / math.Log(last/first)
	}
	return (v - first) / (last - first)
}

// ticks are the values with a text on the horizontal axis.
func (c *Chart) ticks(first, last float64) []float64 {
	var list []float64
	if c.LogX {
		for _, p := range c.Lines[0].Points {
			list = append(list, p.X)
		}
		return list
	}
	step := step(last - first)
	for v := math.Ceil(first/step) * step; v <= last+step/1000; v += step {
		list = append(list, v)
	}
	return list
}

// step is a round number of which a value has three to six.
func step(value float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(value)))
	switch n := value / unit; {
	case n <= 1.5:
		return unit / 4
	case n <= 3:
		return unit / 2
	case n <= 6:
		return unit
	}
	return unit * 2
}
