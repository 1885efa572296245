package template

import (
	"slices"
	"strings"
)

// checker checks every function of a template, also in resources that are
// ignored and in branches that are not taken. It reports wrong arguments, names
// that do not exist, and cycles.
type checker struct {
	*report
	doc        *document
	parameters map[string]*parameter
	resources  *graph
	conditions *graph
	// at is the part that is being checked.
	at place
}

// place is the part of the template that the checker is in.
type place struct {
	resource  string // a logical id, or empty
	condition string // the name of a condition, or empty
	output    string // the name of an output, or empty
}

func (p place) name() string { return p.resource + p.condition + p.output }

// checkReferences runs a checker over the whole template.
func checkReferences(d *document, parameters map[string]*parameter, r *report) {
	c := &checker{report: r, doc: d, parameters: parameters, resources: newGraph(), conditions: newGraph()}
	conditions := d.section("Conditions")
	for _, m := range conditions.members {
		c.at = place{condition: m.key}
		c.condition(m.value, m.line)
	}
	for _, res := range d.resources {
		c.at = place{resource: res.id}
		c.conditionName(res.condition, res.line)
		for _, name := range res.dependsOn {
			c.dependsOn(name)
		}
		c.value(res.properties)
	}
	for _, m := range d.section("Outputs").members {
		c.at = place{output: m.key}
		if name := m.value.get("Condition"); name != nil {
			c.conditionName(name.text, name.line)
		}
		c.output(m)
	}
	for _, cycle := range c.conditions.cycles(conditions.keys()) {
		c.problem(cycle.line, cycle.path[0], "the conditions refer to each other in a circle: %s", cycle)
	}
	for _, cycle := range c.resources.cycles(d.ids()) {
		c.problem(cycle.line, cycle.path[len(cycle.path)-2], "the resources refer to each other in a circle: %s", cycle)
	}
}

func (c *checker) output(m member) {
	if m.value.kind != object {
		if m.value.kind != unknown {
			c.problem(m.line, m.key, "an output is an object with a Value, not %s", m.value.describe())
		}
		return
	}
	if m.value.get("Value") == nil {
		c.problem(m.line, m.key, "the output has no Value")
	}
	c.value(m.value.without("Condition"))
}

// value checks a value of a resource or an output.
func (c *checker) value(v *value) {
	if f, ok := asCall(v); ok {
		c.call(f)
		return
	}
	for _, item := range v.items {
		if item.kind == null {
			c.problem(item.line, c.at.name(), "'null' values are not allowed in templates")
		}
		c.value(item)
	}
	for _, m := range v.members {
		if m.value.kind == null {
			c.problem(m.line, c.at.name(), "%s has no value; 'null' values are not allowed in templates", m.key)
		}
		if _, isFunction := functions[m.key]; isFunction && strings.HasPrefix(m.key, "Fn::") && len(v.members) > 1 {
			c.problem(m.line, c.at.name(), "%s must be the only member of its object", m.key)
		}
		c.value(m.value)
	}
}

// call checks a function and its arguments.
func (c *checker) call(f call) {
	count, isFunction := functions[f.function]
	if !isFunction {
		c.unsupported(f)
		return
	}
	arguments := []*value{f.argument}
	if count.most > 0 {
		var ok bool
		if f.function == "Fn::GetAtt" {
			c.getAtt(f)
			return
		}
		if arguments, ok = f.arguments(); !ok {
			c.malformed(f)
			return
		}
	}
	switch f.function {
	case "Ref":
		c.ref(f)
	case "Fn::Sub":
		c.sub(f)
	case "Fn::FindInMap":
		c.findInMap(arguments)
	case "Fn::If":
		c.conditionOf(arguments[0])
		c.value(arguments[1])
		c.value(arguments[2])
	case "Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals":
		c.condition(newObject(f.line, with(f.function, f.argument)), f.line)
	default:
		for _, argument := range arguments {
			c.value(argument)
		}
	}
}

func (c *checker) unsupported(f call) {
	switch f.function {
	case "Fn::Transform", "Fn::ForEach":
		c.problem(f.line, c.at.name(), "%s is not supported here", f.function)
	default:
		c.problem(f.line, c.at.name(), "unknown function %s%s", f.function, c.didYouMean(f.function, sortedKeys(functions)))
	}
}

// forms has how each function is written, for the message about wrong
// arguments.
var forms = map[string]string{
	"Condition":     "the name of a condition",
	"Fn::And":       "a list of 2 to 10 conditions",
	"Fn::Cidr":      "a list [block, count, bits]",
	"Fn::Equals":    "a list of two values",
	"Fn::FindInMap": "a list [mapping, key, key]",
	"Fn::GetAtt":    "a list [resource, attribute] or a string resource.attribute",
	"Fn::If":        "a list [condition, value, value]",
	"Fn::Join":      "a list [delimiter, [values]]",
	"Fn::Not":       "a list of one condition",
	"Fn::Or":        "a list of 2 to 10 conditions",
	"Fn::Select":    "a list [index, [values]]",
	"Fn::Split":     "a list [delimiter, string]",
	"Fn::Sub":       "a string, or a list [string, {variables}]",
	"Ref":           "the name of a parameter or a resource",
}

func (c *checker) malformed(f call) {
	if f.argument.kind != unknown {
		c.problem(f.line, c.at.name(), "%s takes %s", f.function, forms[f.function])
	}
}

// ref checks a Ref, or a name without a dot in Fn::Sub.
func (c *checker) ref(f call) {
	if f.argument.kind != text {
		c.malformed(f)
		return
	}
	c.name("Ref", f.argument.text, f.argument.line)
}

// name checks the name of a parameter or a resource.
func (c *checker) name(function, name string, line int) {
	if c.parameters[name] != nil || slices.Contains(pseudoParameters, name) {
		return
	}
	if c.doc.lookup(name) != nil {
		if c.at.condition != "" {
			c.problem(line, c.at.name(), "a condition cannot refer to the resource %s: conditions are decided before there are resources", name)
			return
		}
		c.refersTo(name, line)
		return
	}
	candidates := slices.Concat(c.doc.section("Parameters").keys(), c.doc.ids(), pseudoParameters)
	c.problem(line, c.at.name(), "%s names %s, which is neither a parameter nor a resource%s", function, name, c.didYouMean(name, candidates))
}

// refersTo records that the resource that is being checked needs another one
// first.
func (c *checker) refersTo(id string, line int) {
	if c.at.resource != "" {
		c.resources.add(c.at.resource, id, line)
	}
}

func (c *checker) getAtt(f call) {
	id, attribute, ok := f.attribute()
	if !ok {
		c.malformed(f)
		return
	}
	name := ""
	if attribute.kind == text {
		name = attribute.text
	} else {
		c.value(attribute)
	}
	c.attribute("Fn::GetAtt", id.text, name, id.line)
}

// attribute checks a resource's logical id and the name of one of its
// attributes, which is empty where it is not known yet.
func (c *checker) attribute(function, id, attribute string, line int) {
	res := c.doc.lookup(id)
	if res == nil {
		c.problem(line, c.at.name(), "%s names %s, which is not a resource%s", function, id, c.didYouMean(id, c.doc.ids()))
		return
	}
	if c.at.condition != "" {
		c.problem(line, c.at.name(), "a condition cannot refer to the resource %s: conditions are decided before there are resources", id)
		return
	}
	c.refersTo(id, line)
	if names := typeAttributes[res.typ]; attribute != "" && names != nil && !slices.Contains(names, attribute) {
		c.problem(line, c.at.name(), "%s has no attribute %s%s", res.typ, attribute, c.didYouMean(attribute, names))
	}
}

func (c *checker) sub(f call) {
	s, ok := f.asSubstitution()
	if !ok {
		c.malformed(f)
		return
	}
	for _, m := range s.variables.members {
		c.value(m.value)
	}
	for _, fragment := range s.fragments {
		if !fragment.variable || s.variables.member(fragment.text) != nil {
			continue
		}
		function := "${" + fragment.text + "} in Fn::Sub"
		if id, attribute, dotted := strings.Cut(fragment.text, "."); dotted {
			c.attribute(function, id, attribute, s.line)
			continue
		}
		c.name(function, fragment.text, s.line)
	}
}

func (c *checker) findInMap(arguments []*value) {
	for _, argument := range arguments[1:3] {
		c.value(argument)
	}
	if len(arguments) == 4 {
		if fallback := arguments[3].get("DefaultValue"); fallback != nil {
			c.value(fallback)
		}
	}
	mapping := arguments[0]
	if mapping.kind != text {
		c.value(mapping)
		return
	}
	mappings := c.doc.section("Mappings")
	if mappings.member(mapping.text) == nil && len(arguments) < 4 {
		c.problem(mapping.line, c.at.name(), "Fn::FindInMap names the mapping %s, which does not exist%s", mapping.text, c.didYouMean(mapping.text, mappings.keys()))
	}
}

func (c *checker) dependsOn(name *value) {
	if name.kind != text {
		return
	}
	if c.doc.lookup(name.text) == nil {
		c.problem(name.line, c.at.name(), "DependsOn names %s, which is not a resource%s", name.text, c.didYouMean(name.text, c.doc.ids()))
		return
	}
	c.refersTo(name.text, name.line)
}

// condition checks a value that must be a condition: Fn::And, Or, Not, Equals,
// or the name of another condition.
func (c *checker) condition(v *value, line int) {
	f, ok := asConditionCall(v)
	if !ok {
		if v.kind != unknown {
			c.problem(line, c.at.name(), "a condition is made of Fn::And, Fn::Equals, Fn::Not, Fn::Or and Condition, not %s", v.describe())
		}
		return
	}
	switch f.function {
	case "Condition":
		c.conditionOf(f.argument)
	case "Fn::And", "Fn::Or", "Fn::Not":
		arguments, ok := f.arguments()
		if !ok {
			c.malformed(f)
			return
		}
		for _, argument := range arguments {
			c.condition(argument, f.line)
		}
	case "Fn::Equals":
		arguments, ok := f.arguments()
		if !ok {
			c.malformed(f)
			return
		}
		for _, argument := range arguments {
			c.value(argument)
		}
	default:
		c.problem(f.line, c.at.name(), "a condition is made of Fn::And, Fn::Equals, Fn::Not, Fn::Or and Condition, not %s", f.function)
	}
}

func (c *checker) conditionOf(name *value) {
	if name.kind != text {
		if name.kind != unknown {
			c.problem(name.line, c.at.name(), "the name of a condition is a string, not %s", name.describe())
		}
		return
	}
	c.conditionName(name.text, name.line)
}

func (c *checker) conditionName(name string, line int) {
	if name == "" {
		return
	}
	conditions := c.doc.section("Conditions")
	if conditions.member(name) == nil {
		c.problem(line, c.at.name(), "the condition %s does not exist%s", name, c.didYouMean(name, conditions.keys()))
		return
	}
	if c.at.condition != "" {
		c.conditions.add(c.at.condition, name, line)
	}
}
