package template

import (
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

// Limits of CloudFormation.
const (
	maxResources  = 500
	maxParameters = 200
)

// sections are the top-level members of a template. Those that are true are
// objects with named entries.
var sections = map[string]bool{
	"AWSTemplateFormatVersion": false,
	"Conditions":               true,
	"Description":              false,
	"Globals":                  true,
	"Hooks":                    true,
	"Mappings":                 true,
	"Metadata":                 true,
	"Outputs":                  true,
	"Parameters":               true,
	"Resources":                true,
	"Rules":                    true,
	"Transform":                false,
}

// document is a template, split into its sections, before any reference is
// resolved.
type document struct {
	root      *value
	resources []*resource
	byID      map[string]*resource
}

// resource is one entry of the section Resources.
type resource struct {
	id         string
	typ        string
	line       int
	body       *value // the object below the logical id
	properties *value // an object, possibly empty
	condition  string // name of a condition, or empty
	dependsOn  []*value
	made       bool // by SAM's expansion; it is not written in the template
}

// attributes are the members of a resource beside its properties.
var attributes = []string{
	"Type", "Properties", "Condition", "Connectors", "CreationPolicy", "DeletionPolicy", "DependsOn", "Description",
	"Fn::Transform", "IgnoreGlobals", "Metadata", "Transform", "UpdatePolicy", "UpdateReplacePolicy", "Version",
}

var alphanumeric = lazyregexp.New(`^[A-Za-z0-9]+$`)

// newDocument splits a template into its sections and resources, and reports
// those that do not have the right form.
func newDocument(root *value, r *report) *document {
	d := &document{root: root, byID: map[string]*resource{}}
	if root.kind != object {
		if root.kind != unknown {
			r.problem(root.line, "", "a template is an object with a section Resources, not %s", root.describe())
		}
		return d
	}
	for _, m := range root.members {
		named, known := sections[m.key]
		switch {
		case m.key == "Fn::Transform":
		case !known:
			r.problem(m.line, "", "unknown section %s%s", m.key, r.didYouMean(m.key, sortedKeys(sections)))
		case named && m.value.kind != object && m.value.kind != unknown && m.value.kind != null:
			r.problem(m.line, "", "the section %s must be an object, not %s", m.key, m.value.describe())
		}
	}
	if n := len(d.section("Parameters").members); n > maxParameters {
		r.problem(root.member("Parameters").line, "", "the template has %d parameters; CloudFormation accepts at most %d", n, maxParameters)
	}
	d.readResources(r)
	return d
}

// section returns the named section, or an empty object.
func (d *document) section(name string) *value {
	if s := d.root.get(name); s != nil && s.kind == object {
		return s
	}
	return newObject(d.root.line)
}

func (d *document) readResources(r *report) {
	m := d.root.member("Resources")
	switch {
	case m == nil:
		r.problem(0, "", "the template has no section Resources")
		return
	case m.value.kind == unknown:
		return
	case len(m.value.members) == 0:
		r.problem(m.line, "", "the section Resources is empty")
		return
	case len(m.value.members) > maxResources:
		r.problem(m.line, "", "the template has %d resources; CloudFormation accepts at most %d", len(m.value.members), maxResources)
		return
	}
	for _, entry := range m.value.members {
		if res := readResource(entry, r); res != nil {
			d.add(res)
		}
	}
}

// lookup returns the resource with a logical id, or nil. It also returns one
// for the resources that SAM makes and this package does not: their logical ids
// begin with that of the SAM resource.
func (d *document) lookup(id string) *resource {
	if res := d.byID[id]; res != nil {
		return res
	}
	for _, res := range d.resources {
		if strings.HasPrefix(res.typ, "AWS::Serverless::") && strings.HasPrefix(id, res.id) {
			return newImplied(id)
		}
	}
	return nil
}

// typeImplied stands for the type of such a resource.
const typeImplied = "AWS::Serverless::Implied"

// newImplied makes the stand-in for such a resource.
func newImplied(id string) *resource {
	return &resource{id: id, typ: typeImplied, body: newObject(0), properties: newObject(0)}
}

func (d *document) add(res *resource) {
	d.resources = append(d.resources, res)
	d.byID[res.id] = res
}

// ids lists the logical ids of all resources.
func (d *document) ids() []string {
	ids := make([]string, len(d.resources))
	for i, res := range d.resources {
		ids[i] = res.id
	}
	return ids
}

// readResource reads one entry of Resources. It returns nil for an entry that
// cannot be used, which it reports.
func readResource(entry member, r *report) *resource {
	id, body := entry.key, entry.value
	switch {
	case body.kind == unknown || strings.HasPrefix(id, "Fn::Transform"):
		return nil
	case body.kind != object:
		r.problem(entry.line, id, "a resource is an object with Type and Properties, not %s", body.describe())
		return nil
	case !alphanumeric.MatchString(id):
		r.problem(entry.line, id, "a logical id has letters and digits only")
	}
	res := &resource{id: id, line: entry.line, body: body, properties: newObject(entry.line)}
	for _, m := range body.members {
		switch m.key {
		case "Type":
			if m.value.kind == text {
				res.typ = m.value.text
			}
		case "Properties":
			switch m.value.kind {
			case object:
				res.properties = m.value
			case null, unknown:
			default:
				r.problem(m.line, id, "Properties must be an object, not %s", m.value.describe())
			}
		case "Condition":
			if m.value.kind == text {
				res.condition = m.value.text
			} else if m.value.kind != unknown {
				r.problem(m.line, id, "Condition must be the name of a condition, not %s", m.value.describe())
			}
		case "DependsOn":
			res.dependsOn = readDependsOn(m, id, r)
		default:
			if !slices.Contains(attributes, m.key) {
				r.problem(m.line, id, "unknown attribute %s%s", m.key, r.didYouMean(m.key, attributes))
			}
		}
	}
	if res.typ == "" {
		r.problem(entry.line, id, "the resource has no Type")
		return nil
	}
	return res
}

func readDependsOn(m member, id string, r *report) []*value {
	names := []*value{m.value}
	if m.value.kind == list {
		names = m.value.items
	}
	for _, name := range names {
		if name.kind != text && name.kind != unknown {
			r.problem(m.line, id, "DependsOn takes logical ids, not %s", name.describe())
			return nil
		}
	}
	return names
}
