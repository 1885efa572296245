package template

import "strings"

// resolver replaces functions by their values. A function that the checker has
// already reported becomes an unknown value, and is not reported again.
type resolver struct {
	*report
	doc        *document
	stack      stack
	parameters map[string]*parameter
	imports    map[string]string // exports of other stacks, by name
	mappings   *value
	decided    map[string]bool   // conditions
	deciding   map[string]bool   // conditions that are being decided
	made       map[string]*value // names and ids of resources; see once
	spent      int               // bytes of all strings that functions have made
	at         string            // logical id of the resource whose properties are resolved
}

func newResolver(d *document, s stack, parameters map[string]*parameter, r *report) *resolver {
	return &resolver{
		report: r, doc: d, stack: s, parameters: parameters, mappings: d.section("Mappings"),
		decided: map[string]bool{}, deciding: map[string]bool{},
		made: map[string]*value{},
	}
}

// properties returns a resource's properties with every function resolved.
func (r *resolver) properties(res *resource) *value {
	return r.resolveFor(res, res.properties)
}

// resolveFor resolves a value that belongs to a resource.
func (r *resolver) resolveFor(res *resource, v *value) *value {
	before := r.at
	r.at = res.id
	defer func() { r.at = before }()
	return r.resolve(v)
}

// isActive reports whether the resource's condition holds.
func (r *resolver) isActive(res *resource) bool {
	return res.condition == "" || r.conditionNamed(res.condition)
}

// resolve returns the value with every function replaced by its result. A null
// result stands for AWS::NoValue: the member or item that holds it is left out.
func (r *resolver) resolve(v *value) *value {
	if f, ok := asCall(v); ok {
		return r.call(f)
	}
	switch v.kind {
	case list:
		out := newList(v.line)
		for _, item := range v.items {
			if x := r.resolve(item); x.kind != null {
				out.items = append(out.items, x)
			}
		}
		return out
	case object:
		out := newObject(v.line)
		for _, m := range v.members {
			if x := r.resolve(m.value); x.kind != null {
				out.members = append(out.members, member{key: m.key, line: m.line, value: x})
			}
		}
		return out
	}
	return v
}

// call resolves a function. The result carries the line of the call.
func (r *resolver) call(f call) *value {
	count, isFunction := functions[f.function]
	if !isFunction {
		return newUnknown(f.line)
	}
	arguments := []*value{f.argument}
	if count.most > 0 && f.function != "Fn::GetAtt" {
		var ok bool
		if arguments, ok = f.arguments(); !ok {
			return newUnknown(f.line)
		}
	}
	switch f.function {
	case "Ref":
		return r.ref(f)
	case "Fn::GetAtt":
		return r.getAtt(f)
	case "Fn::Sub":
		return r.sub(f)
	case "Fn::If":
		return r.choose(arguments, f.line)
	case "Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals", "Condition":
		return newBool(f.line, r.condition(newObject(f.line, with(f.function, f.argument))))
	}
	if reason, ok := refused[f.function]; ok {
		r.problem(f.line, r.at, "%s", reason)
		return newUnknown(f.line)
	}
	resolved := make([]*value, len(arguments))
	for i, argument := range arguments {
		if resolved[i] = r.resolve(argument); resolved[i].kind == unknown {
			return newUnknown(f.line)
		}
	}
	return r.compute(f, resolved)
}

// ref returns the value of a parameter, or what CloudFormation's Ref gives for
// a resource.
func (r *resolver) ref(f call) *value {
	if f.argument.kind != text {
		return newUnknown(f.line)
	}
	return r.named(f.argument.text, f.argument.line)
}

// named returns the value of a parameter, a pseudo parameter or a resource.
func (r *resolver) named(name string, line int) *value {
	if v := r.stack.pseudo(name, line); v != nil {
		return v
	}
	if p := r.parameters[name]; p != nil {
		return r.parameter(name, p, line)
	}
	res := r.doc.lookup(name)
	if res == nil || !r.mayRefer(res, line) {
		return newUnknown(line)
	}
	return r.reference(res, line)
}

func (r *resolver) parameter(name string, p *parameter, line int) *value {
	if p.value == nil && p.ssm != "" {
		r.problem(p.line, name, "the parameter %s is read from the SSM parameter store (%s), which is not there: give its value", name, p.ssm)
		p.value = newUnknown(line)
	}
	if p.value == nil {
		return newUnknown(line)
	}
	v := *p.value
	v.line = line
	return &v
}

// mayRefer reports a reference to a resource whose condition leaves it out.
func (r *resolver) mayRefer(res *resource, line int) bool {
	if r.isActive(res) {
		return true
	}
	r.problem(line, r.at, "refers to %s, which is left out because its condition %s does not hold", res.id, res.condition)
	return false
}

func (r *resolver) getAtt(f call) *value {
	id, attribute, ok := f.attribute()
	if !ok {
		return newUnknown(f.line)
	}
	if attribute = r.resolve(attribute); attribute.kind != text {
		return newUnknown(f.line)
	}
	return r.attributeNamed(id.text, attribute.text, f.line)
}

func (r *resolver) attributeNamed(id, attribute string, line int) *value {
	res := r.doc.lookup(id)
	if res == nil || !r.mayRefer(res, line) {
		return newUnknown(line)
	}
	return r.attribute(res, attribute, line)
}

func (r *resolver) sub(f call) *value {
	s, ok := f.asSubstitution()
	if !ok {
		return newUnknown(f.line)
	}
	var out strings.Builder
	for _, fragment := range s.fragments {
		if !fragment.variable {
			out.WriteString(fragment.text)
			continue
		}
		v := r.variable(s, fragment.text)
		switch {
		case v.isScalar() && out.Len()+len(v.text) <= maxMade:
			out.WriteString(v.text)
		case v.isScalar():
			return r.text(f, out.String()+v.text)
		case v.kind == unknown:
			return newUnknown(f.line)
		default:
			r.problem(s.line, r.at, "${%s} in Fn::Sub is %s, not a string", fragment.text, v.describe())
			return newUnknown(f.line)
		}
	}
	return r.text(f, out.String())
}

// variable returns the value of a name in the string of Fn::Sub.
func (r *resolver) variable(s substitution, name string) *value {
	if m := s.variables.member(name); m != nil {
		return r.resolve(m.value)
	}
	if id, attribute, dotted := strings.Cut(name, "."); dotted {
		return r.attributeNamed(id, attribute, s.line)
	}
	return r.named(name, s.line)
}

// choose resolves Fn::If. It resolves only the branch that is taken.
func (r *resolver) choose(arguments []*value, line int) *value {
	if arguments[0].kind != text {
		return newUnknown(line)
	}
	if r.conditionNamed(arguments[0].text) {
		return r.resolve(arguments[1])
	}
	return r.resolve(arguments[2])
}

// conditionNamed reports whether a condition holds, and decides each one once.
// A condition that refers to itself, or does not exist, was reported and does
// not hold.
func (r *resolver) conditionNamed(name string) bool {
	if holds, ok := r.decided[name]; ok {
		return holds
	}
	m := r.doc.section("Conditions").member(name)
	if m == nil || r.deciding[name] {
		return false
	}
	r.deciding[name] = true
	before := r.at
	r.at = name
	holds := r.condition(m.value)
	r.at = before
	delete(r.deciding, name)
	r.decided[name] = holds
	return holds
}

func (r *resolver) condition(v *value) bool {
	f, ok := asConditionCall(v)
	if !ok {
		return false
	}
	if f.function == "Condition" {
		return f.argument.kind == text && r.conditionNamed(f.argument.text)
	}
	arguments, ok := f.arguments()
	if !ok {
		return false
	}
	switch f.function {
	case "Fn::And":
		for _, argument := range arguments {
			if !r.condition(argument) {
				return false
			}
		}
		return true
	case "Fn::Or":
		for _, argument := range arguments {
			if r.condition(argument) {
				return true
			}
		}
		return false
	case "Fn::Not":
		return !r.condition(arguments[0])
	case "Fn::Equals":
		return equal(r.resolve(arguments[0]), r.resolve(arguments[1]))
	}
	return false
}

// equal compares as Fn::Equals does: scalars by their text, lists item by item.
func equal(a, b *value) bool {
	if a.isScalar() && b.isScalar() {
		return a.text == b.text
	}
	if a.kind != b.kind || len(a.items) != len(b.items) || len(a.members) != len(b.members) {
		return false
	}
	for i := range a.items {
		if !equal(a.items[i], b.items[i]) {
			return false
		}
	}
	for _, m := range a.members {
		if other := b.get(m.key); other == nil || !equal(m.value, other) {
			return false
		}
	}
	return true
}
