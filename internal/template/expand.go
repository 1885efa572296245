package template

import (
	"fmt"
	"slices"
	"strings"
)

// expander replaces the resources of SAM by those of CloudFormation that they
// stand for, and leaves everything else as it is. The resources that it makes
// have the line of the one that they were made from.
type expander struct {
	*report
	doc        *document
	globals    map[string]*value // defaults by type, for example "AWS::Serverless::Function"
	parameters map[string]*parameter
	out        *value // the expanded section Resources
	aliases    aliases
	implied    []string // logical ids that SAM would make and that are not made here
}

// samTypes are the types that are expanded here.
var samTypes = map[string]func(*expander, *resource){
	"AWS::Serverless::Function":     (*expander).function,
	"AWS::Serverless::LayerVersion": (*expander).layerVersion,
	"AWS::Serverless::SimpleTable":  (*expander).simpleTable,
	"AWS::Serverless::WebSocketApi": (*expander).webSocketAPI,
}

// expandSAM returns the template after SAM's expansion. The content of a
// template without resources of SAM does not change.
func expandSAM(d *document, parameters map[string]*parameter, r *report) *document {
	if d.root.kind != object {
		return d
	}
	e := &expander{
		report: r, doc: d, parameters: parameters,
		globals: readGlobals(d, r), out: newObject(d.root.line), aliases: aliases{},
	}
	for _, res := range d.resources {
		if expand := samTypes[res.typ]; expand != nil {
			expand(e, res)
			continue
		}
		if strings.HasPrefix(res.typ, "AWS::Serverless::") {
			e.suggestType(res)
		}
		e.keep(res)
	}
	root := d.root.without("Globals", "Transform")
	if rest := e.otherTransforms(); rest != nil {
		root.set("Transform", rest)
	}
	for i, m := range root.members {
		switch m.key {
		case "Resources":
			if m.value.kind == object {
				e.aliases.inResources(e.out)
				root.members[i].value = e.out
			}
		case "Outputs":
			e.aliases.in(m.value)
		}
	}
	expanded := newDocument(root, r)
	for _, res := range expanded.resources {
		res.made = d.byID[res.id] == nil
	}
	for _, id := range e.implied {
		if expanded.byID[id] == nil {
			expanded.byID[id] = newImplied(id)
		}
	}
	return expanded
}

// otherTransforms returns the transforms of the template that are not done
// here, nil where there are none.
func (e *expander) otherTransforms() *value {
	given := e.doc.root.get("Transform")
	if given == nil {
		return nil
	}
	transforms := []*value{given}
	if given.kind == list {
		transforms = given.items
	}
	rest := newList(given.line)
	for _, t := range transforms {
		name := t.text
		if t.kind == object {
			name = textOf(t.get("Name"))
		}
		switch name {
		case "AWS::Serverless-2016-10-31", "AWS::Include":
		case "AWS::LanguageExtensions":
			rest.items = append(rest.items, t)
		default:
			rest.items = append(rest.items, t)
			e.notice(Notice{Line: t.line, LogicalID: "Transform", Type: name, Message: "a macro that is not run here"})
		}
	}
	if len(rest.items) == 0 {
		return nil
	}
	return rest
}

// suggestType reports a type of SAM that does not exist, with the one that may
// be meant.
func (e *expander) suggestType(res *resource) {
	types := append(sortedKeys(samTypes),
		"AWS::Serverless::Api", "AWS::Serverless::Application", "AWS::Serverless::CapacityProvider",
		"AWS::Serverless::Connector", "AWS::Serverless::GraphQLApi", "AWS::Serverless::HttpApi",
		"AWS::Serverless::StateMachine")
	if !slices.Contains(types, res.typ) {
		e.problem(res.line, res.id, "unknown type %s%s", res.typ, e.didYouMean(res.typ, types))
	}
}

// invalid reports a mistake in a resource of SAM with SAM's own text.
func (e *expander) invalid(line int, id, format string, args ...any) {
	e.problem(line, id, "Resource with id [%s] is invalid. %s", id, fmt.Sprintf(format, args...))
}

// keep takes a resource over as it is. An invalid resource of SAM is kept too,
// so that references to it are not reported as well.
func (e *expander) keep(res *resource) {
	e.out.members = append(e.out.members, member{key: res.id, line: res.line, value: res.body})
}

// add adds a resource that was made from another one. It reports a logical id
// that is taken.
func (e *expander) add(from *resource, id, typ string, properties *value, attributes ...member) *value {
	line := properties.line
	body := newObject(line, with("Type", newText(line, typ)), with("Properties", properties))
	body.members = append(body.members, attributes...)
	taken := e.out.member(id) != nil
	if id != from.id && e.doc.byID[id] != nil {
		taken = true
	}
	if taken {
		e.invalid(line, from.id, "The logical id %s, which SAM makes of it, is already taken.", id)
		return body
	}
	e.out.members = append(e.out.members, member{key: id, line: line, value: body})
	return body
}

// passed returns those of the named attributes that a resource has, for the
// resources that are made from it.
func passed(res *resource, names ...string) []member {
	var out []member
	for _, m := range res.body.members {
		if slices.Contains(names, m.key) {
			out = append(out, m)
		}
	}
	return out
}

// properties merges a resource's properties with the globals of its type.
func (e *expander) properties(res *resource) *value {
	global := e.globals[res.typ]
	if global == nil {
		return res.properties
	}
	if ignored := res.body.get("IgnoreGlobals"); ignored != nil {
		var names []string
		for _, name := range ignored.items {
			names = append(names, name.text)
		}
		if ignored.is("*") {
			return res.properties
		}
		global = global.without(names...)
	}
	return mergeGlobals(global, res.properties)
}

// required reports a property that is missing, as SAM does.
func (e *expander) required(res *resource, properties *value, name string) bool {
	if v := properties.get(name); v != nil && v.kind != null {
		return true
	}
	e.invalid(res.line, res.id, "Missing required property '%s'.", name)
	return false
}

// knownProperties reports properties that the type does not have.
func (e *expander) knownProperties(res *resource, properties *value, names []string) {
	for _, m := range properties.members {
		if !slices.Contains(names, m.key) {
			e.invalid(m.line, res.id, "property %s not defined for resource of type %s%s", m.key, res.typ, e.didYouMean(m.key, names))
		}
	}
}

// withParameters replaces each Ref to a parameter that has a value by that
// value. SAM does so where the value determines which resources are made.
func (e *expander) withParameters(v *value) *value {
	if v == nil {
		return nil
	}
	if f, ok := asCall(v); ok && f.function == "Ref" && f.argument.kind == text {
		if p := e.parameters[f.argument.text]; p != nil && p.value.isScalar() {
			return newText(v.line, p.value.text)
		}
	}
	out := &value{kind: v.kind, text: v.text, line: v.line}
	for _, item := range v.items {
		out.items = append(out.items, e.withParameters(item))
	}
	for _, m := range v.members {
		out.members = append(out.members, member{key: m.key, line: m.line, value: e.withParameters(m.value)})
	}
	return out
}
