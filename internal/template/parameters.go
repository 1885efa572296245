package template

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// parameter is an entry of the section Parameters with the value it has.
type parameter struct {
	line  int
	typ   string
	value *value // nil when it has none
	// ssm is a name in the SSM parameter store, for a parameter whose value is
	// kept there.
	ssm string
}

// parameterMembers are the members of an entry of Parameters.
var parameterMembers = []string{
	"AllowedPattern", "AllowedValues", "ConstraintDescription", "Default", "Description",
	"MaxLength", "MaxValue", "MinLength", "MinValue", "NoEcho", "Type",
}

// readParameters returns the parameters with their values: the one that is
// given, or the default. A value that is missing or not allowed is a problem.
func readParameters(d *document, given map[string]string, r *report) map[string]*parameter {
	section := d.section("Parameters")
	parameters := map[string]*parameter{}
	for _, m := range section.members {
		if m.value.kind != object {
			if m.value.kind != unknown {
				r.problem(m.line, m.key, "a parameter is an object with a Type, not %s", m.value.describe())
			}
			parameters[m.key] = &parameter{line: m.line, value: newUnknown(m.line)}
			continue
		}
		parameters[m.key] = readParameter(m, given, r)
	}
	for _, name := range sortedKeys(given) {
		if parameters[name] == nil {
			r.problem(0, "", "the template has no parameter %s%s", name, r.didYouMean(name, section.keys()))
		}
	}
	return parameters
}

func readParameter(m member, given map[string]string, r *report) *parameter {
	for _, entry := range m.value.members {
		if !slices.Contains(parameterMembers, entry.key) {
			r.problem(entry.line, m.key, "unknown member %s of a parameter%s", entry.key, r.didYouMean(entry.key, parameterMembers))
		}
	}
	p := &parameter{line: m.line}
	if t := m.value.get("Type"); t != nil && t.kind == text {
		p.typ = t.text
	}
	if !parameterType(p.typ) {
		r.problem(m.line, m.key, "the Type of a parameter is String, Number, List<Number>, CommaDelimitedList or a type of AWS, not %q", p.typ)
	}
	raw, isGiven := given[m.key]
	preset := m.value.get("Default")
	switch {
	case isGiven:
		p.value = p.read(m, newText(m.line, raw), r)
	case strings.HasPrefix(p.typ, "AWS::SSM::Parameter::Value<"):
		p.ssm = "without a Default"
		if preset.isScalar() {
			p.ssm = preset.text
		}
	case preset.isScalar():
		p.value = p.read(m, preset, r)
	case preset != nil:
		r.problem(preset.line, m.key, "the Default of a parameter is a string or a number, not %s", preset.describe())
		p.value = newUnknown(m.line)
	case strings.HasPrefix(m.key, "AssetParameters"):
		// These are CDK's parameters for the place of an asset; the asset is
		// local here.
		p.value = newText(m.line, m.key)
	}
	return p
}

// parameterType reports whether CloudFormation has a type of parameters with
// this name.
func parameterType(typ string) bool {
	switch typ {
	case "String", "Number", "List<Number>", "CommaDelimitedList":
		return true
	}
	return strings.HasPrefix(typ, "AWS::") || strings.HasPrefix(typ, "List<AWS::") || typ == "List<String>"
}

// isList reports whether the parameter's value is a list.
func (p *parameter) isList() bool {
	return p.typ == "CommaDelimitedList" || strings.HasPrefix(p.typ, "List<") || strings.HasSuffix(p.typ, "Value<CommaDelimitedList>") ||
		strings.HasPrefix(p.typ, "AWS::SSM::Parameter::Value<List<")
}

// read checks a value against the constraints of the parameter.
func (p *parameter) read(m member, raw *value, r *report) *value {
	items := []string{raw.text}
	if p.isList() {
		items = strings.Split(raw.text, ",")
	}
	v := newList(raw.line)
	for _, item := range items {
		if p.isList() {
			item = strings.TrimSpace(item)
		}
		if reason := p.refuse(m.value, item); reason != "" {
			if d := m.value.get("ConstraintDescription"); d.isScalar() {
				reason += ": " + d.text
			}
			shown := strconv.Quote(item)
			if noEcho := m.value.get("NoEcho"); noEcho.isScalar() && strings.EqualFold(noEcho.text, "true") {
				shown = "(not shown)"
			}
			r.problem(m.line, m.key, "the value %s of the parameter %s", shown, reason)
			return newUnknown(raw.line)
		}
		v.items = append(v.items, newText(raw.line, item))
	}
	if p.isList() {
		return v
	}
	return v.items[0]
}

// refuse returns the constraint that a value breaks, as the end of a sentence,
// or "".
func (p *parameter) refuse(constraints *value, item string) string {
	if strings.Contains(p.typ, "Number") {
		if _, err := strconv.ParseFloat(item, 64); err != nil {
			return "is not a number"
		}
	}
	if allowed := constraints.get("AllowedValues"); allowed != nil && allowed.kind == list {
		if !slices.ContainsFunc(allowed.items, func(a *value) bool { return a.text == item }) {
			return "is none of its AllowedValues"
		}
	}
	if pattern := constraints.get("AllowedPattern"); pattern.isScalar() {
		// A pattern that RE2 does not have is not checked.
		if re, err := regexp.Compile(`^(?:` + pattern.text + `)$`); err == nil && !re.MatchString(item) {
			return "does not match its AllowedPattern " + pattern.text
		}
	}
	return p.refuseBounds(constraints, item)
}

func (p *parameter) refuseBounds(constraints *value, item string) string {
	bounds := []struct {
		name   string
		actual func() float64
		sign   float64
		says   string
	}{
		{"MinLength", func() float64 { return float64(len([]rune(item))) }, 1, "is shorter than its MinLength "},
		{"MaxLength", func() float64 { return float64(len([]rune(item))) }, -1, "is longer than its MaxLength "},
		{"MinValue", func() float64 { f, _ := strconv.ParseFloat(item, 64); return f }, 1, "is less than its MinValue "},
		{"MaxValue", func() float64 { f, _ := strconv.ParseFloat(item, 64); return f }, -1, "is more than its MaxValue "},
	}
	for _, b := range bounds {
		bound := constraints.get(b.name)
		if !bound.isScalar() {
			continue
		}
		if limit, err := strconv.ParseFloat(bound.text, 64); err == nil && b.sign*b.actual() < b.sign*limit {
			return b.says + bound.text
		}
	}
	return ""
}

// requireValues reports the parameters that have no value.
func requireValues(d *document, parameters map[string]*parameter, r *report) {
	for _, m := range d.section("Parameters").members {
		if p := parameters[m.key]; p.value == nil && p.ssm == "" {
			r.problem(m.line, m.key, "the parameter %s has no Default and no value is given", m.key)
			p.value = newUnknown(m.line)
		}
	}
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
