package template

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// maxMade bounds, in bytes, all strings that the functions of one template
// make: a few nested ones could otherwise make very long ones.
const maxMade = 16 << 20

// compute returns the result of a function whose arguments are resolved and
// known.
func (r *resolver) compute(f call, arguments []*value) *value {
	switch f.function {
	case "Fn::Base64":
		return r.base64(f, arguments[0])
	case "Fn::FindInMap":
		return r.findInMap(f, arguments)
	case "Fn::ImportValue":
		return r.importValue(f, arguments[0])
	case "Fn::GetAZs":
		return r.zones(f, arguments[0])
	case "Fn::Join":
		return r.join(f, arguments[0], arguments[1])
	case "Fn::Length":
		if arguments[0].kind != list {
			return r.wrong(f, "takes a list, not %s", arguments[0].describe())
		}
		return &value{kind: number, text: strconv.Itoa(len(arguments[0].items)), line: f.line}
	case "Fn::Select":
		return r.selectItem(f, arguments[0], arguments[1])
	case "Fn::Split":
		return r.split(f, arguments[0], arguments[1])
	case "Fn::ToJsonString":
		encoded, err := compactJSON(arguments[0])
		if err != nil {
			return r.wrong(f, "cannot write its value: %v", err)
		}
		return r.text(f, string(encoded))
	}
	return newUnknown(f.line)
}

// text returns a string that a function has made as a value, unless it is
// beyond maxMade.
func (r *resolver) text(f call, s string) *value {
	if !r.spend(f, len(s)) {
		return newUnknown(f.line)
	}
	return newText(f.line, s)
}

// spend counts the length of a string that is going to be made, and reports
// whether it is within maxMade.
func (r *resolver) spend(f call, bytes int) bool {
	if r.spent > maxMade {
		return false // reported
	}
	if r.spent += bytes; r.spent > maxMade {
		r.wrong(f, "makes too much: the functions of a template may make strings of %d bytes in all", maxMade)
		return false
	}
	return true
}

// wrong reports a function whose argument has a value that it cannot take.
func (r *resolver) wrong(f call, format string, args ...any) *value {
	r.problem(f.line, r.at, f.function+" "+format, args...)
	return newUnknown(f.line)
}

func (r *resolver) base64(f call, v *value) *value {
	if !v.isScalar() {
		return r.wrong(f, "takes a string, not %s", v.describe())
	}
	return r.text(f, base64.StdEncoding.EncodeToString([]byte(v.text)))
}

func (r *resolver) join(f call, delimiter, values *value) *value {
	if !delimiter.isScalar() {
		return r.wrong(f, "takes a string as its delimiter, not %s", delimiter.describe())
	}
	if values.kind != list {
		return r.wrong(f, "takes a list of strings, not %s", values.describe())
	}
	parts := make([]string, len(values.items))
	length := 0
	for i, item := range values.items {
		if item.kind == unknown {
			return newUnknown(f.line)
		}
		if !item.isScalar() {
			return r.wrong(f, "takes a list of strings; item %d is %s", i, item.describe())
		}
		parts[i] = item.text
		length += len(item.text) + len(delimiter.text)
	}
	if !r.spend(f, length) {
		return newUnknown(f.line)
	}
	return newText(f.line, strings.Join(parts, delimiter.text))
}

func (r *resolver) selectItem(f call, index, values *value) *value {
	if values.kind != list {
		return r.wrong(f, "takes a list of values, not %s", values.describe())
	}
	i, err := strconv.Atoi(index.text)
	if err != nil || !index.isScalar() {
		return r.wrong(f, "takes a number as its index, not %q", index.text)
	}
	if i < 0 || i >= len(values.items) {
		return r.wrong(f, "takes item %d of a list of %d", i, len(values.items))
	}
	return values.items[i]
}

func (r *resolver) split(f call, delimiter, source *value) *value {
	if !delimiter.isScalar() || delimiter.text == "" {
		return r.wrong(f, "takes a string that is not empty as its delimiter")
	}
	if !source.isScalar() {
		return r.wrong(f, "takes a string, not %s", source.describe())
	}
	count := strings.Count(source.text, delimiter.text) + 1
	if !r.spend(f, len(source.text)+64*count) {
		return newUnknown(f.line)
	}
	out := newList(f.line)
	for part := range strings.SplitSeq(source.text, delimiter.text) {
		out.items = append(out.items, newText(f.line, part))
	}
	return out
}

func (r *resolver) findInMap(f call, arguments []*value) *value {
	for _, argument := range arguments[:3] {
		if !argument.isScalar() {
			return r.wrong(f, "takes strings, not %s", argument.describe())
		}
	}
	names := []string{arguments[0].text, arguments[1].text, arguments[2].text}
	at := r.mappings
	for i, name := range names {
		m := at.member(name)
		if m != nil {
			at = m.value
			continue
		}
		if len(arguments) == 4 {
			if fallback := arguments[3].get("DefaultValue"); fallback != nil {
				return fallback
			}
		}
		if i == 0 {
			if f.argument.items[0].kind == text {
				return newUnknown(f.line) // reported by the checker
			}
			return r.wrong(f, "names the mapping %s, which does not exist%s", name, r.didYouMean(name, at.keys()))
		}
		return r.wrong(f, "finds no key %s in %s%s", name, strings.Join(names[:i], "."), r.didYouMean(name, at.keys()))
	}
	return at
}

// importValue returns the value that another stack exports. There is no other
// stack here, so the values are given when the gateway is started.
func (r *resolver) importValue(f call, name *value) *value {
	if !name.isScalar() {
		return r.wrong(f, "takes the name of an export, not %s", name.describe())
	}
	imported, given := r.imports[name.text]
	if !given {
		return r.wrong(f, "needs the value of the export %s, which another stack has: give it with --import %s=VALUE%s",
			name.text, name.text, r.didYouMean(name.text, sortedKeys(r.imports)))
	}
	return newText(f.line, imported)
}

// zones returns three availability zones of a region.
func (r *resolver) zones(f call, region *value) *value {
	if !region.isScalar() {
		return r.wrong(f, "takes the name of a region, not %s", region.describe())
	}
	name := region.text
	if name == "" {
		name = r.stack.region
	}
	out := newList(f.line)
	for _, letter := range []string{"a", "b", "c"} {
		out.items = append(out.items, newText(f.line, name+letter))
	}
	return out
}
