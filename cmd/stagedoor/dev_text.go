package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/stagedoor/stagedoor"
	"github.com/stagedoor/stagedoor/internal/terminal"
)

// textReporter prints for people: what runs, then a line per event.
type textReporter struct {
	started time.Time
	color   bool

	mu    sync.Mutex
	out   io.Writer // guarded by mu
	ready bool      // guarded by mu
	held  []string  // guarded by mu: lines from before the gateway was ready
}

func newTextReporter(out io.Writer, color bool, started time.Time) *textReporter {
	return &textReporter{out: out, color: color, started: started}
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
func (r *textReporter) Ready(ready stagedoor.Ready) {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s  %s\n", r.paint(bold, "Stagedoor"), shortPath(ready.Template))
	r.application(&b, ready.Application)
	b.WriteByte('\n')
	for _, u := range connectURLs(ready) {
		fmt.Fprintf(&b, "  %s  %s\n", r.paint(dim, "connect "), r.paint(green, u))
	}
	if ready.Page != "" {
		fmt.Fprintf(&b, "  %s  %s\n", r.paint(dim, "page    "), r.paint(green, ready.Public+"/"))
	}
	fmt.Fprintf(&b, "  %s  %s\n", r.paint(dim, "admin   "), ready.Admin)
	if len(ready.Tables) > 0 {
		fmt.Fprintf(&b, "  %s  built in, in memory: %s\n", r.paint(dim, "DynamoDB"), strings.Join(ready.Tables, ", "))
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

// connectURLs are the addresses that clients use, a line per stage. A stage
// name that several APIs have needs the long form.
func connectURLs(ready stagedoor.Ready) []string {
	seen := map[string]int{}
	for _, api := range ready.APIs {
		for _, stage := range api.Stages {
			seen[stage]++
		}
	}
	base := strings.Replace(ready.Public, "http", "ws", 1)
	var urls []string
	for _, api := range ready.APIs {
		for _, stage := range api.Stages {
			if seen[stage] > 1 {
				urls = append(urls, base+"/_aws/execute-api/"+api.ID+"/"+url.PathEscape(stage))
				continue
			}
			urls = append(urls, base+"/"+url.PathEscape(stage))
		}
	}
	return urls
}

// application prints the routes and what is not run.
func (r *textReporter) application(b *strings.Builder, a stagedoor.Application) {
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
	if len(a.Notices) > 0 {
		fmt.Fprintf(b, "\n  %s\n", r.paint(dim, "Not acted on here:"))
	}
	for _, notice := range a.Notices {
		fmt.Fprintf(b, "    %s\n", r.paint(dim, noticeText(notice)))
	}
}

// noticeText says in a line what of a template is not acted on.
func noticeText(n stagedoor.Notice) string {
	what := n.LogicalID
	if n.Property != "" {
		what += " " + n.Property
	}
	return fmt.Sprintf("line %d  %s (%s): %s", n.Line, what, n.Type, n.Message)
}

// Reloaded prints what a changed template brought.
func (r *textReporter) Reloaded(a stagedoor.Application) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s", r.clock(time.Now()), r.paint(green, shortPath(a.Template)+" is in effect; connections stay open"))
	var details strings.Builder
	r.application(&details, a)
	r.print(b.String() + "\n" + strings.TrimRight(details.String(), "\n") + "\n")
}

// Rejected prints why a changed template was not taken.
func (r *textReporter) Rejected(err error) {
	lines := []string{err.Error()}
	var problems stagedoor.Problems
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
func (r *textReporter) Output(l stagedoor.LogLine) {
	name, text := r.paint(violet, l.Function), visible(l.Text)
	if l.Notice {
		name, text = r.paint(yellow, strings.TrimSpace("notice "+l.Function)), r.paint(yellow, text)
	}
	id := ""
	if l.RequestID != "" {
		id = r.paint(dim, l.RequestID) + "  "
	}
	r.print(r.clock(time.Now()) + "  " + name + "  " + id + text)
}

// Record prints an event.
func (r *textReporter) Record(e *stagedoor.Record) {
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
	if e.Error != "" {
		reason, more, _ := strings.Cut(e.Error, "\n") // the rest is in the function's own lines
		if more != "" {
			reason += " …"
		}
		parts = append(parts, r.paint(red, visible(reason)))
	}
	line := strings.Join(parts, "  ")
	for _, warning := range e.Warnings {
		line += "\n    " + r.paint(yellow, "warning  "+visible(warning))
	}
	r.print(line)
}

func (r *textReporter) clock(at time.Time) string { return r.paint(dim, at.Format("15:04:05.000")) }

// duration is a time span with as many digits as one reads.
func duration(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	case d >= time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

// visible replaces what would drive the terminal: a client's text must not.
func visible(text string) string {
	return strings.Map(func(c rune) rune {
		if terminal.Drives(c) && c != '\t' {
			return '\uFFFD'
		}
		return c
	}, text)
}

// shortPath is a path relative to where the command was started, if that is
// shorter.
func shortPath(path string) string {
	here, err := filepath.Abs(".")
	if err != nil {
		return path
	}
	if relative, err := filepath.Rel(here, path); err == nil && len(relative) < len(path) {
		return relative
	}
	return path
}
