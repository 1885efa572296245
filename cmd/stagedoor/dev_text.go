package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/stagedoor/stagedoor/internal/dev"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
	"github.com/stagedoor/stagedoor/internal/mistake"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/terminal"
)

// textReporter prints for people: the application, then a line per event.
type textReporter struct {
	started time.Time
	color   bool
	verbose bool // shorten nothing
	// width returns the columns of the terminal; 0 where the output is none. Nil stands
	// for what every terminal has.
	width func() int

	printed map[string]bool // notices; used by Ready and Reloaded, which are not called at the same time

	mu    sync.Mutex
	out   io.Writer // guarded by mu
	ready bool      // guarded by mu
	held  []string  // guarded by mu: lines from before the gateway was ready
}

func newTextReporter(out io.Writer, color, verbose bool, started time.Time) *textReporter {
	return &textReporter{out: out, color: color, verbose: verbose, started: started, printed: map[string]bool{}}
}

// Colours, as SGR parameters.
const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	blue   = "34"
	violet = "35"
	cyan   = "36"
)

func (r *textReporter) paint(color, text string) string {
	if !r.color {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// print writes a line, or holds it back until the gateway is ready.
func (r *textReporter) print(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ready {
		r.held = append(r.held, line)
		return
	}
	_, _ = fmt.Fprintln(r.out, line)
}

// Ready prints what runs.
func (r *textReporter) Ready(ready dev.Ready) {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s  %s\n", r.paint(bold, "Stagedoor"), shortPath(ready.Template))
	if ready.Note != "" {
		fmt.Fprintf(&b, "  %s\n", r.paint(yellow, ready.Note))
	}
	r.application(&b, ready.Application)
	b.WriteByte('\n')
	for _, api := range ready.APIs {
		for _, u := range api.URLs {
			fmt.Fprintf(&b, "  %s  %s\n", r.paint(dim, "connect "), r.paint(green, u))
		}
	}
	r.backend(&b, ready)
	if ready.Page != "" {
		fmt.Fprintf(&b, "  %s  %s\n", r.paint(dim, "page    "), r.paint(green, ready.Public+"/"))
	}
	fmt.Fprintf(&b, "  %s  %s\n", r.paint(dim, "admin   "), ready.Admin)
	if len(ready.Tables) > 0 {
		fmt.Fprintf(&b, "  %s  %s\n", r.paint(dim, "DynamoDB"), r.tables(ready.Tables))
	}
	fmt.Fprintf(&b, "\n  %s\n", r.paint(yellow, "Open to everyone who reaches it: @connections takes any signature or none."))
	fmt.Fprintf(&b, "  Ready in %d ms. Ctrl-C stops it.\n\n", time.Since(r.started).Milliseconds())

	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready = true
	_, _ = io.WriteString(r.out, b.String())
	for _, line := range r.held {
		_, _ = fmt.Fprintln(r.out, line)
	}
	r.held = nil
}

// backend prints how an HTTP backend and the gateway reach each other.
func (r *textReporter) backend(b *strings.Builder, ready dev.Ready) {
	if ready.AtRoot {
		fmt.Fprintf(b, "  %s  POST %s\n", r.paint(dim, "push    "), pushURL(ready))
	}
	if ready.Backend == nil {
		return
	}
	fmt.Fprintf(b, "  %s  %s\n", r.paint(dim, "backend "), ready.Backend.URL)
	if why := ready.Backend.Unreachable; why != "" {
		fmt.Fprintf(b, "            %s\n", r.paint(red, why+"; nobody is let in before it answers"))
	}
}

// pushURL is the URL for pushing messages to connections that needs no API and
// stage.
func pushURL(ready dev.Ready) string { return ready.Public + "/@connections/{id}" }

// application prints the routes, and the parts that are not run.
func (r *textReporter) application(b *strings.Builder, a dev.Application) {
	if len(a.APIs) == 0 {
		fmt.Fprintf(b, "\n  %s\n", r.paint(yellow, "The template has no WebSocket API."))
	}
	for _, api := range a.APIs {
		fmt.Fprintf(b, "\n  %s %s\n", r.paint(bold, api.Name), r.paint(dim, api.ID))
		width := 0
		for _, route := range api.Routes {
			width = max(width, len(route.Key))
		}
		for _, route := range api.Routes {
			target := route.Target
			if target == "" {
				target = r.paint(dim, "no integration")
			}
			if route.TwoWay {
				target += r.paint(dim, "  (answers)")
			}
			fmt.Fprintf(b, "    %s  %s\n", r.paint(cyan, fmt.Sprintf("%-*s", width, route.Key)), target)
		}
	}
	for _, problem := range a.Problems {
		fmt.Fprintf(b, "\n  %s %s\n", r.paint(red, "cannot work:"), problem)
	}
	for _, warning := range a.Warnings {
		text := strings.ReplaceAll(fold("warning: "+warning, 2), "\n", "\n  ")
		fmt.Fprintf(b, "\n  %s%s\n", r.paint(yellow, "warning:"), strings.TrimPrefix(text, "warning:"))
	}
	r.notices(b, a.Notices)
}

// Reloaded prints the application of a changed template.
func (r *textReporter) Reloaded(a dev.Application) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s", r.clock(time.Now()), r.paint(green, shortPath(a.Template)+" is in effect; connections stay open"))
	var details strings.Builder
	r.application(&details, a)
	r.print(b.String() + "\n" + strings.TrimRight(details.String(), "\n") + "\n")
}

// Rejected prints why a changed template was not put into effect.
func (r *textReporter) Rejected(err error) {
	lines := []string{err.Error()}
	var problems mistake.List
	if errors.As(err, &problems) {
		lines = lines[:0]
		for _, problem := range problems {
			lines = append(lines, problem.Error())
		}
	}
	head := r.clock(time.Now()) + "  " + r.paint(red, "the template was not taken; what ran before goes on")
	r.print(head + "\n    " + strings.Join(lines, "\n    "))
}

// Output prints what a function printed.
func (r *textReporter) Output(l dev.LogLine) {
	name, text := r.paint(violet, l.Function), visible(l.Text)
	if l.Notice {
		text = relative(text)
		name, text = r.paint(yellow, strings.TrimSpace("notice "+l.Function)), r.paint(yellow, text)
	}
	id := ""
	if l.RequestID != "" {
		id = r.paint(dim, r.shortID(l.RequestID)) + "  "
	}
	r.print(r.clock(time.Now()) + "  " + name + "  " + id + text)
}

// Record prints an event.
func (r *textReporter) Record(e *dev.Record) { r.print(r.event(e) + r.warnings(e)) }

// event is an event in a line, or in several where the terminal is too narrow.
func (r *textReporter) event(e *dev.Record) string {
	if e.Event == telemetry.EventRefused {
		return r.refused(e)
	}
	color := blue
	result := fmt.Sprint(e.Status)
	switch {
	case e.Event == "disconnect":
		result = strings.TrimSpace(fmt.Sprintf("%d %s", e.Status, visible(e.Reason)))
	case e.Error != "" || e.Status >= 400:
		color = red
	}
	parts := []string{r.clock(e.Time), r.paint(color, fmt.Sprintf("%-10s", e.Event)), r.paint(dim, e.ConnectionID)}
	if e.RouteKey != "" && (e.Event == "message") {
		parts = append(parts, r.paint(cyan, visible(e.RouteKey)))
	}
	parts = append(parts, result)
	if e.Bytes > 0 {
		parts = append(parts, fmt.Sprintf("%d B", e.Bytes))
	}
	parts = append(parts, r.paint(dim, duration(e.Duration)))
	line := strings.Join(parts, "  ")
	if e.Error != "" {
		line += r.reason(line, e.Error)
	}
	return line
}

// room is how many columns there are for a line.
func (r *textReporter) room() int {
	if r.width == nil {
		return columns
	}
	return max(columns, r.width())
}

// widthOf is how many columns a line takes.
func widthOf(line string) int {
	return utf8.RuneCountInString(colours.Compiled().ReplaceAllString(line, ""))
}

// reason adds why an event failed to its line, or below it if the terminal is
// too narrow.
func (r *textReporter) reason(line, failure string) string {
	reason, more, _ := strings.Cut(failure, "\n") // the rest is in the function's own lines
	if more != "" {
		reason += " …"
	}
	reason = visible(reason)
	if !r.color || widthOf(line)+2+widthOf(reason) <= r.room() {
		return "  " + r.paint(red, reason)
	}
	text := ""
	for part := range strings.SplitSeq(foldAt(reason, r.room()-4), "\n") {
		text += "\n    " + r.paint(red, part)
	}
	return text
}

// colours matches the sequences that paint puts around a text.
var colours = lazyregexp.New("\x1b\\[[0-9]*m")

// warnings returns the warnings of an event as lines below it.
func (r *textReporter) warnings(e *dev.Record) (lines string) {
	for _, warning := range e.Warnings {
		lines += "\n    " + r.paint(yellow, "warning  "+visible(warning))
	}
	return lines
}

// refused is a refused URL, and the URLs that work, in lines that fit the terminal.
func (r *textReporter) refused(e *dev.Record) string {
	const indent = len(clockFormat) + 2
	text := fmt.Sprintf("%d %s: %s", e.Status, visible(e.Refused.Path), visible(e.Error))
	if r.color {
		text = foldAt(text, r.room()-indent)
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = r.paint(red, line)
	}
	return r.clock(e.Time) + "  " + strings.Join(lines, "\n"+strings.Repeat(" ", indent))
}

const clockFormat = "15:04:05.000"

func (r *textReporter) clock(at time.Time) string { return r.paint(dim, at.Format(clockFormat)) }

// duration returns a time span with as many digits as are useful.
func duration(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	case d >= time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

// visible replaces the characters of a client's text that would control the
// terminal.
func visible(text string) string {
	return strings.Map(func(c rune) rune {
		if terminal.IsControl(c) && c != '\t' {
			return '\uFFFD'
		}
		return c
	}, text)
}
