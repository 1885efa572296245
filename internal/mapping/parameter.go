package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/trace"
)

// assignment gives a parameter of the outgoing request or answer its value.
type assignment struct {
	target   string // as it is written
	written  string // the source
	location event.Location
	name     string
	source   source
}

// target is a kind of parameter that can be given a value.
type target struct {
	prefix   string
	location event.Location
}

var (
	requestTargets = []target{
		{"integration.request.header.", event.Header},
		{"integration.request.querystring.", event.QueryString},
		{"integration.request.path.", event.Path},
	}
	responseTargets = []target{
		{"method.response.header.", event.Header},
		{"route.response.header.", event.Header},
	}
)

// compileAssignments reads parameter mappings, in the order of their targets.
// Errors begin with the property.
func compileAssignments(property string, mappings map[string]string, targets []target, sources []sourceKind) ([]assignment, error) {
	assignments := make([]assignment, 0, len(mappings))
	for _, written := range slices.Sorted(maps.Keys(mappings)) {
		a := assignment{target: written, written: mappings[written]}
		err := a.parseTarget(targets)
		if err == nil {
			a.source, err = parseSource(mappings[written], sources)
		}
		if err != nil {
			return nil, fmt.Errorf("%s[%q]: %w", property, written, err)
		}
		assignments = append(assignments, a)
	}
	return assignments, nil
}

func (a *assignment) parseTarget(targets []target) error {
	var forms []string
	for _, t := range targets {
		if name, ok := strings.CutPrefix(a.target, t.prefix); ok {
			a.location, a.name = t.location, name
			return checkName(name)
		}
		forms = append(forms, t.prefix+"{name}")
	}
	return fmt.Errorf("the parameter must be %s", strings.Join(forms, " or "))
}

// assign hands on the values of assignments that have any.
func assign(assignments []assignment, x *Exchange, response *Response, set func(event.Location, string, []string)) *failure.Error {
	for i := range assignments {
		a := &assignments[i]
		values, err := a.source.values(x, response)
		if err != nil {
			return configurationError("%s: %w", a.target, err)
		}
		if x.Trace != nil {
			x.Trace.Add(newParameter(x.Trace, a, values))
		}
		if len(values) > 0 {
			set(a.location, a.name, values)
		}
	}
	return nil
}

// newParameter is what a trace is told of an assignment.
func newParameter(to *trace.Trace, a *assignment, values []string) trace.Parameter {
	step := trace.Parameter{Target: a.target, Source: a.written, Values: make([]string, 0, len(values))}
	for _, value := range values[:min(len(values), maxTracedValues)] {
		step.Values = append(step.Values, to.Text(value))
	}
	return step
}

// maxTracedValues is how many values of a parameter a trace is told.
const maxTracedValues = 32

// setParameter replaces a parameter's values. Names are compared by same.
func setParameter(parameters []event.Parameter, name string, values []string, same func(a, b string) bool) []event.Parameter {
	parameters = slices.DeleteFunc(parameters, func(p event.Parameter) bool { return same(p.Name, name) })
	for _, value := range values {
		parameters = append(parameters, event.Parameter{Name: name, Value: value})
	}
	return parameters
}

// headerValues make values safe to be sent in header lines: a client must not
// be able to end a line.
func headerValues(values []string) []string {
	for i, value := range values {
		if strings.ContainsFunc(value, isControl) {
			values = slices.Clone(values)
			for j := i; j < len(values); j++ {
				values[j] = strings.TrimSpace(strings.Map(spaceForControl, values[j]))
			}
			return values
		}
	}
	return values
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7F }

func spaceForControl(r rune) rune {
	if isControl(r) {
		return ' '
	}
	return r
}
