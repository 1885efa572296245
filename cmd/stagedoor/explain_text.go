package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/stagedoor/stagedoor/internal/explain"
)

// explainer prints explanations for people: a label in the first columns, and what it is
// about behind it.
type explainer struct {
	out   io.Writer
	color bool
	width int
	b     strings.Builder
}

func newExplainer(p *process, out io.Writer) *explainer {
	return &explainer{out: out, color: p.color(out), width: p.textWidth(out)}
}

// explain prints an explanation.
func (e *explainer) explain(x *explain.Explanation) error {
	if x.Event != "" {
		e.head(x)
		e.access(x)
		e.limits(x)
		e.model(x)
		e.way(x)
		e.end(x)
	}
	e.mistakes(x.Mistakes)
	for _, warning := range x.Warnings {
		e.colored("warning", yellow, warning)
	}
	for _, note := range x.Notes {
		e.colored("note", dim, note)
	}
	e.verdict(x)
	return e.flush()
}

func (e *explainer) head(x *explain.Explanation) {
	what := "a message to "
	if x.Message == nil {
		what = "a handshake with "
	}
	e.line("explained", what+x.API+" "+e.paint(dim, x.URL))
	if x.Message != nil {
		e.payload("message", *x.Message)
	}
	key := x.Route.Key
	switch {
	case key == "" && x.Message == nil:
		e.line("route", "none: the API has no route $connect, and lets clients in")
		return
	case key == "":
		e.line("route", e.paint(red, "none"))
	default:
		text := e.paint(cyan, key)
		if x.Message != nil && !x.Route.TwoWay {
			text += e.paint(dim, "  one way: it answers nothing")
		}
		e.line("route", text)
	}
	if x.Message == nil || x.Route.Expression == "" {
		return
	}
	e.line("", fmt.Sprintf("%s is %s", x.Route.Expression, strconv.Quote(x.Route.Value)))
	if len(x.Route.Keys) == 0 {
		e.line("", "there are no routes for messages")
		return
	}
	e.line("", "keys: "+strings.Join(x.Route.Keys, ", "))
}

func (e *explainer) access(x *explain.Explanation) {
	for i, c := range x.Access {
		label := "access"
		if i > 0 {
			label = ""
		}
		text := c.Kind + " " + c.Needs
		if c.Kind == "apiKey" {
			text = c.Needs
		}
		if c.Name != "" {
			text += " " + c.Name
		}
		if c.Who != "" {
			text += ": " + c.Who
		}
		mark, color := "not asked", dim
		switch {
		case c.Passed == nil:
		case *c.Passed:
			mark, color = "ok", green
		default:
			mark, color = "refused", red
		}
		e.line(label, e.paint(color, mark)+"  "+text)
		if c.Error != "" {
			e.colored("", red, c.Error)
		}
		if c.Note != "" {
			e.colored("", dim, c.Note)
		}
	}
}

func (e *explainer) limits(x *explain.Explanation) {
	label := "limits"
	for _, l := range x.Limits {
		var text string
		switch {
		case l.Level == "api":
			text = fmt.Sprintf("%d connections open at a time", l.Most)
		case l.Level == "message":
			text = fmt.Sprintf("%d bytes in a message", l.Most)
		case l.Level == "frame":
			text = fmt.Sprintf("%d bytes in a frame", l.Most)
		default:
			of := map[string]string{"route": "the route", "stage": "all routes of the stage together", "connection": "each connection"}[l.Level]
			text = fmt.Sprintf("%s a second, %d at once: %s", strconv.FormatFloat(l.PerSecond, 'f', -1, 64), l.Burst, of)
		}
		e.line(label, text)
		label = ""
	}
}

func (e *explainer) model(x *explain.Explanation) {
	if x.Model == nil {
		return
	}
	if len(x.Model.Violations) == 0 {
		e.line("model", x.Model.Name+" "+e.paint(green, "fits"))
		return
	}
	e.line("model", x.Model.Name+" "+e.paint(red, "does not fit"))
	for _, violation := range x.Model.Violations {
		e.colored("", red, violation)
	}
}

// way prints what happens between the gateway and the backend.
func (e *explainer) way(x *explain.Explanation) {
	reached := x.Result == explain.Served || x.Request != nil || len(x.RequestMappings) > 0
	if x.Integration != nil && reached {
		text := x.Integration.Type
		if x.Integration.URI != "" && x.Request == nil {
			text += " " + e.paint(dim, x.Integration.URI)
		}
		e.line("calls", text)
	}
	e.mappings(x.RequestMappings)
	if r := x.Request; r != nil {
		e.line("request", e.paint(cyan, r.Method)+" "+r.URL)
		e.header(r.Header)
		if isTemplates(r.Body, x.RequestMappings) {
			e.colored("", dim, "with the template's text")
		} else {
			e.payload("", r.Body)
		}
	}
	if a := x.Answer; a != nil {
		text := strconv.Itoa(a.Status)
		if a.FunctionError != "" {
			text += e.paint(red, " the function failed: "+a.FunctionError)
		}
		e.line("answer", text)
		e.payload("", a.Body)
	}
	if c := x.IntegrationResponse; c != nil {
		e.line("response", fmt.Sprintf("%s, by %s", e.paint(cyan, c.Key), strconv.Quote(c.Matched)))
	}
	e.mappings(x.ResponseMappings)
}

// isTemplates reports whether a body is what a template has given.
func isTemplates(body string, mappings []explain.Mapping) bool {
	return body != "" && slices.ContainsFunc(mappings, func(m explain.Mapping) bool { return m.Text != nil && *m.Text == body })
}

func (e *explainer) header(fields []explain.Field) {
	for _, f := range fields {
		e.colored("", dim, f.Name+": "+f.Value)
	}
}

func (e *explainer) mappings(list []explain.Mapping) {
	for _, m := range list {
		if m.Parameter != "" {
			values := strings.Join(m.Values, ", ")
			if len(m.Values) == 0 {
				values = e.paint(yellow, "no value")
			}
			e.line("maps", fmt.Sprintf("%s = %s: %s", m.Parameter, m.Source, values))
			continue
		}
		text := m.Template
		if m.Expression != "" {
			text += e.paint(dim, fmt.Sprintf("  %s is %s", m.Expression, strconv.Quote(m.Value)))
		}
		e.line("template", text)
		if m.Error != "" {
			e.colored("", red, m.Error)
		}
		if m.Text != nil {
			e.payload("", *m.Text)
		}
	}
}

// end prints what the client gets.
func (e *explainer) end(x *explain.Explanation) {
	r := x.Reply
	switch {
	case r == nil:
		return
	case r.Close != 0:
		e.line("client", fmt.Sprintf("a close frame with code %d", r.Close))
	case x.Message == nil:
		e.line("client", "the handshake is answered with "+strconv.Itoa(r.Status))
		e.header(r.Header)
	default:
		e.line("client", "gets a frame")
	}
	e.payload("", r.Body)
}

func (e *explainer) mistakes(list []explain.Mistake) {
	for i := range list {
		if e.b.Len() > 0 {
			e.b.WriteByte('\n')
		}
		e.mistake(&list[i])
	}
}

// verdict prints the last line.
func (e *explainer) verdict(x *explain.Explanation) {
	if x.Event != "" {
		e.b.WriteByte('\n')
	}
	if x.Error != nil && x.Error.At != nil {
		e.mistake(x.Error.At)
	}
	switch x.Result {
	case explain.Served:
		e.b.WriteString(e.paint(green, "It would be served.") + "\n")
	case explain.Mistaken:
		e.b.WriteString(e.paint(red, count(len(x.Mistakes), "mistake")+" in the template.") + "\n")
		e.why(x.Error)
	case explain.Refused:
		e.b.WriteString(e.paint(red, "It would be refused.") + "\n")
		e.why(x.Error)
	default:
		e.b.WriteString(e.paint(red, "It would fail.") + "\n")
		e.why(x.Error)
	}
}

func (e *explainer) why(err *explain.Error) {
	if err == nil {
		return
	}
	text := err.Message
	if err.Status != 0 {
		text = strconv.Itoa(err.Status) + " " + text
	}
	if err.At == nil && !strings.Contains(text, "["+err.Reason+"]") {
		text += ": " + err.Reason
	}
	for _, part := range wrap(text, e.width-2) {
		e.b.WriteString("  " + part + "\n")
	}
}
