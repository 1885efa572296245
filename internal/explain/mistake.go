package explain

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/vtl"
)

// defects are what of the stage cannot work.
func (x *Explanation) defects(found []plan.Defect) {
	for _, d := range found {
		m := Mistake{File: x.subject.File, Where: d.Where, Message: d.Message}
		if key, isRoute := strings.CutPrefix(d.Where, "route "); isRoute {
			if i := x.subject.integration(key); i != nil && !i.Type().Proxy {
				x.inTemplate(&m, i)
			}
		}
		x.Mistakes = append(x.Mistakes, m)
	}
}

// mappingTemplate is a mapping template of an integration, by its place as a trace has it.
type mappingTemplate struct{ response, place, source string }

// mappingTemplates are those of an integration, in the order in which they are compiled.
func mappingTemplates(i *apigw.Integration) (list []mappingTemplate) {
	for _, key := range slices.Sorted(maps.Keys(i.RequestTemplates)) {
		list = append(list, mappingTemplate{"", "request template " + key, i.RequestTemplates[key]})
	}
	for _, r := range i.IntegrationResponses {
		for _, key := range slices.Sorted(maps.Keys(r.ResponseTemplates)) {
			list = append(list, mappingTemplate{r.IntegrationResponseKey, "response template " + key, r.ResponseTemplates[key]})
		}
	}
	return list
}

// inTemplate adds to a mistake its place, where it is one of a mapping template that cannot
// be compiled.
func (x *Explanation) inTemplate(m *Mistake, i *apigw.Integration) {
	for _, t := range mappingTemplates(i) {
		_, err := vtl.Compile(t.source)
		if wrong, ok := errors.AsType[*vtl.Error](err); ok && strings.HasSuffix(m.Message, wrong.Error()) {
			x.point(m, t, wrong)
			return
		}
	}
}

// mappingMistake adds the place where a mapping template failed, which is a mistake in the
// template.
func (x *Explanation) mappingMistake(v *gateway.Verdict) {
	wrong, ok := errors.AsType[*vtl.Error](error(v.Failed))
	i := x.subject.integration(x.Route.Key)
	if !ok || i == nil {
		return
	}
	place, response := x.failedTemplate()
	for _, t := range mappingTemplates(i) {
		if t.place == place && t.response == response {
			m := Mistake{File: x.subject.File, Where: "route " + x.Route.Key, Message: v.Failed.Reason}
			x.point(&m, t, wrong)
			x.Error.At = &m
			return
		}
	}
}

// failedTemplate is the template that failed: its place, and the key of the integration
// response that has it.
func (x *Explanation) failedTemplate() (place, response string) {
	for _, m := range x.RequestMappings {
		if m.Error != "" && m.Template != "" {
			return m.Template, ""
		}
	}
	for _, m := range x.ResponseMappings {
		if m.Error != "" && m.Template != "" && x.IntegrationResponse != nil {
			return m.Template, x.IntegrationResponse.Key
		}
	}
	return "", ""
}

// point adds the line to a mistake in a mapping template: that of the file where the
// template stands in it as it is, else that of the mapping template.
func (x *Explanation) point(m *Mistake, t mappingTemplate, wrong *vtl.Error) {
	lines := strings.Split(t.source, "\n")
	if wrong.Line < 1 || wrong.Line > len(lines) {
		return
	}
	m.Line, m.Column, m.Source = wrong.Line, wrong.Column, lines[wrong.Line-1]
	m.File = t.place
	if first, indent := findLines(x.subject.Source, lines); first > 0 {
		m.File, m.Line = x.subject.File, first+wrong.Line-1
		m.Column += indent
		m.Source = strings.Repeat(" ", indent) + m.Source
	}
}

// findLines returns the number of the first line at which a text stands in a file, indented
// as a block of YAML is, and how far; 0 where it does not, or stands more than once.
func findLines(file []byte, text []string) (first, indent int) {
	for len(text) > 0 && strings.TrimSpace(text[len(text)-1]) == "" {
		text = text[:len(text)-1]
	}
	if len(text) == 0 || len(file) == 0 {
		return 0, 0
	}
	lines := strings.Split(string(bytes.ReplaceAll(file, []byte("\r\n"), []byte("\n"))), "\n")
	for at := range lines {
		by := len(lines[at]) - len(strings.TrimLeft(lines[at], " ")) - (len(text[0]) - len(strings.TrimLeft(text[0], " ")))
		if by < 0 || !standsAt(lines[at:], text, by) {
			continue
		}
		if first > 0 {
			return 0, 0
		}
		first, indent = at+1, by
	}
	return first, indent
}

// standsAt reports whether lines begin with a text that is indented.
func standsAt(lines, text []string, indent int) bool {
	if len(lines) < len(text) {
		return false
	}
	prefix := strings.Repeat(" ", indent)
	for i, line := range text {
		if strings.TrimRight(lines[i], " ") != strings.TrimRight(prefix+line, " ") {
			return false
		}
	}
	return true
}

// Error returns the mistake in one line.
func (m *Mistake) Error() string {
	s := m.File
	if m.Line > 0 {
		s = fmt.Sprintf("%s:%d", s, m.Line)
	}
	for _, part := range []string{m.Where, m.Message} {
		if part != "" {
			s += ": " + part
		}
	}
	return strings.TrimPrefix(s, ": ")
}
