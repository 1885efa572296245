package template

import (
	"slices"
	"strings"
)

// forEach begins the keys of loops: Fn::ForEach::Name.
const forEach = "Fn::ForEach"

// languageExtensions is the transform that loops belong to.
const languageExtensions = "AWS::LanguageExtensions"

// looper writes out the loops of a template: the body of a loop appears once
// for each value of its collection, with the value in the place of the
// identifier.
type looper struct {
	*report
	// resolver resolves collections. They can use parameters, mappings and
	// conditions; there are no resources yet.
	resolver *resolver
	declared bool // whether the template has the transform
	values   int  // that were made
	bytes    int  // of the texts that all loops made
	over     bool // a bound was reached; the rest is left out
}

// expandLoops writes out the loops in the sections that may have them. Values
// keep the lines of the loop's body.
func expandLoops(root *value, s stack, parameters map[string]*parameter, r *report) {
	sections := &document{root: root, byID: map[string]*resource{}}
	l := &looper{report: r, resolver: newResolver(sections, s, parameters, r), declared: hasTransform(root, languageExtensions)}
	for _, name := range []string{"Conditions", "Resources", "Outputs"} {
		section := root.get(name)
		if section == nil || section.kind != object {
			continue
		}
		l.members(section)
		if name != "Resources" {
			continue
		}
		for _, m := range section.members {
			if properties := m.value.get("Properties"); properties != nil {
				l.walk(properties)
			}
		}
	}
}

// hasTransform reports whether a template names a transform.
func hasTransform(root *value, name string) bool {
	given := root.get("Transform")
	return given.is(name) || given != nil && slices.ContainsFunc(given.items, func(t *value) bool { return t.is(name) })
}

// walk writes out the loops in a value, however deep they are.
func (l *looper) walk(v *value) {
	l.members(v)
	for _, item := range v.items {
		l.walk(item)
	}
	for _, m := range v.members {
		l.walk(m.value)
	}
}

// members writes out the loops that are members of an object.
func (l *looper) members(v *value) {
	if !slices.ContainsFunc(v.members, isLoop) {
		return
	}
	out := make([]member, 0, len(v.members))
	known := map[string]int{} // lines
	add := func(m member, loop string) {
		if first, twice := known[m.key]; twice && loop != "" {
			l.problem(m.line, "", "%s makes %s, which is already there on line %d", loop, m.key, first)
			return
		}
		known[m.key] = m.line
		out = append(out, m)
	}
	for _, m := range v.members {
		if !isLoop(m) {
			add(m, "")
		}
	}
	for _, m := range v.members {
		if isLoop(m) {
			for _, made := range l.loop(m) {
				add(made, m.key)
			}
		}
	}
	v.members = out
}

func isLoop(m member) bool { return strings.HasPrefix(m.key, forEach) }

// loop returns the members that a loop makes, with the loops in it written out.
func (l *looper) loop(m member) (made []member) {
	name, named := strings.CutPrefix(m.key, forEach+"::")
	if !named || !alphanumeric.MatchString(name) {
		l.problem(m.line, "", "a loop is written Fn::ForEach::Name, with a name of letters and digits, not %s", m.key)
		return nil
	}
	if !l.declared {
		l.problem(m.line, "", "%s needs the transform %s: add it to the template's Transform", m.key, languageExtensions)
		l.declared = true // reported once
	}
	parts := m.value.items
	if m.value.kind != list || len(parts) != 3 || parts[0].kind != text || !alphanumeric.MatchString(parts[0].text) || parts[2].kind != object {
		if m.value.kind != unknown {
			l.problem(m.line, "", "%s takes a list [identifier, [values], {key: value}]", m.key)
		}
		return nil
	}
	items := l.collection(m, parts[1])
	if l.spend(m.line, len(items), 0); l.over { // a parameter can have many values
		return nil
	}
	for _, item := range items {
		r := newReplacement(l, parts[0].text, item)
		for _, inner := range parts[2].members {
			if inner = r.member(inner); isLoop(inner) {
				made = append(made, l.loop(inner)...)
			} else {
				made = append(made, inner)
			}
			if l.over {
				return nil
			}
		}
	}
	return made
}

// collection returns the values that a loop goes through.
func (l *looper) collection(m member, given *value) (items []string) {
	before := len(l.problems)
	l.resolver.at = ""
	collection := l.resolver.resolve(given)
	bad := collection.kind != list
	for _, item := range collection.items {
		bad = bad || !item.isScalar()
		items = append(items, item.text)
	}
	switch {
	case !bad:
		return items
	case collection.kind == unknown && (len(l.problems) > before || l.waits(given)):
		// reported, or will be
	default:
		l.problem(m.line, "", "the values of %s must be a list of strings: written out, a parameter that is a list, or a function of parameters and mappings", m.key)
	}
	return nil
}

// waits reports whether a collection is a parameter without a value, which is
// reported with the parameters.
func (l *looper) waits(given *value) bool {
	f, ok := asCall(given)
	if !ok || f.function != "Ref" {
		return false
	}
	p := l.resolver.parameters[f.argument.text]
	return p != nil && (p.value == nil || p.value.kind == unknown)
}

// replacement puts a value of a collection in the place of an identifier.
type replacement struct {
	*looper
	identifier, item string
	texts            *strings.Replacer
}

// newReplacement makes a replacement of an identifier X by a value: of ${X} by
// the value itself, and of &{X} by its letters and digits.
func newReplacement(l *looper, identifier, item string) *replacement {
	return &replacement{
		looper: l, identifier: identifier, item: item,
		texts: strings.NewReplacer("${"+identifier+"}", item, "&{"+identifier+"}", notAlphanumeric.Compiled().ReplaceAllString(item, "")),
	}
}

func (r *replacement) member(m member) member {
	return member{key: r.text(m.key, m.line), line: m.line, value: r.value(m.value)}
}

func (r *replacement) value(v *value) *value {
	r.spend(v.line, 1, 0)
	if r.over {
		return newUnknown(v.line)
	}
	if f, ok := asCall(v); ok && f.function == "Ref" && f.argument.is(r.identifier) {
		return newText(v.line, r.item)
	}
	out := &value{kind: v.kind, text: v.text, line: v.line}
	if v.kind == text {
		out.text = r.text(v.text, v.line)
	}
	for _, item := range v.items {
		out.items = append(out.items, r.value(item))
	}
	for _, m := range v.members {
		out.members = append(out.members, r.member(m))
	}
	return out
}

func (r *replacement) text(s string, line int) string {
	if !strings.Contains(s, "{"+r.identifier+"}") || r.over {
		return s
	}
	s = r.texts.Replace(s)
	r.spend(line, 0, len(s))
	return s
}

// spend counts values and bytes that are going to be made, against the bounds
// for all loops: a few nested loops could make very much.
func (l *looper) spend(line, values, bytes int) {
	l.values += values
	l.bytes += bytes
	if !l.over && (l.values > maxValues || l.bytes > maxMade) {
		l.over = true
		l.problem(line, "", "the loops of the template make more than %d values or %d bytes", maxValues, maxMade)
	}
}
