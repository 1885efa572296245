package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/stagedoor/stagedoor/internal/lazyregexp"
	"github.com/stagedoor/stagedoor/internal/shortfile"
	"github.com/stagedoor/stagedoor/internal/spelling"
)

// maxDepth is how deep values may be nested. Aliases are followed.
const maxDepth = 32

// maxNodes is how many values a file may have. Aliases are followed: an alias of
// aliases of aliases is a large file in a few lines.
const maxNodes = 100_000

// decoder reads a file into the variables of the keys.
type decoder struct {
	*report
	file  string
	nodes int
}

// decode reads the text of a file.
func (d *decoder) decode(text []byte, keys section) {
	if yaml.Unmarshal(text, new(yaml.Node)) != nil {
		text = shortfile.QuoteSubjects(text)
	}
	documents := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	switch err := documents.Decode(&document); {
	case errors.Is(err, io.EOF):
		return // an empty file: all defaults
	case err != nil:
		d.syntax(err)
		return
	}
	if err := documents.Decode(&second); !errors.Is(err, io.EOF) {
		if err != nil {
			d.syntax(err)
			return
		}
		d.at(place{d.file, second.Line}, "", "a second document begins; the file has one")
	}
	d.value(document.Content[0], "", keys, 0)
}

var syntaxLine = lazyregexp.New(`^yaml: (?:line (\d+): )?`)

// syntax records that the file is not YAML.
func (d *decoder) syntax(err error) {
	message := err.Error()
	line := 0
	if match := syntaxLine.FindStringSubmatch(message); match != nil {
		message = message[len(match[0]):]
		line, _ = strconv.Atoi(match[1]) // absent: 0
	}
	d.at(place{d.file, line}, "", "not YAML: %s", message)
}

// value reads a node.
func (d *decoder) value(n *yaml.Node, path string, v value, depth int) {
	where := place{d.file, n.Line}
	d.places[path] = where
	for n.Kind == yaml.AliasNode {
		n = n.Alias
		depth++
	}
	if d.nodes++; depth > maxDepth || d.nodes > maxNodes {
		if len(d.problems) == 0 {
			d.at(where, path, "the file is nested too deep or too large")
		}
		return
	}
	switch v := v.(type) {
	case scalar:
		d.scalar(n, path, v)
	case sequence:
		d.sequence(n, path, v)
	case section:
		d.section(n, path, v, depth)
	case dictionary:
		d.dictionary(n, path, v)
	case collection:
		d.collection(n, path, v, depth)
	case documents:
		d.documents(n, path, v)
	case shortForm:
		d.shortForm(n, v)
	}
}

func (d *decoder) scalar(n *yaml.Node, path string, s scalar) {
	if s.boolean && n.Kind == yaml.ScalarNode && n.Tag == "!!bool" {
		n = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: strings.ToLower(n.Value)}
	}
	if text, ok := d.text(n, path); ok {
		if s.path && !filepath.IsAbs(text) && text != "" {
			text = filepath.Join(filepath.Dir(d.file), text)
		}
		if err := s.set(text); err != nil {
			d.problem(path, "%v", err)
		}
	}
}

// text returns a scalar as it was written, so that an account id keeps its zeros. For
// anything else it records a mistake.
func (d *decoder) text(n *yaml.Node, path string) (string, bool) {
	switch {
	case n.Kind == yaml.MappingNode:
		d.problem(path, "expected a single value, not keys")
	case n.Kind == yaml.SequenceNode:
		d.problem(path, "expected a single value, not a list")
	case n.Tag == "!!null":
		d.problem(path, "has no value")
	case n.Tag == "!!bool":
		d.problem(path, "%s is a truth value; write it in quotes if it is a name", n.Value)
	case n.Tag == "!!str" || n.Tag == "!!int" || n.Tag == "!!float" || n.Tag == "!!timestamp":
		return n.Value, true
	default:
		d.problem(path, "the tag %s means nothing here", n.Tag)
	}
	return "", false
}

func (d *decoder) sequence(n *yaml.Node, path string, s sequence) {
	items := []*yaml.Node{n} // one alone stands for a list of it
	switch {
	case n.Kind == yaml.MappingNode:
		d.problem(path, "expected a list, not keys")
		return
	case n.Kind == yaml.SequenceNode:
		items = n.Content
	case n.Tag == "!!null":
		items = nil
	}
	if len(items) < s.least() {
		d.problem(path, "the list is empty")
		return
	}
	s.clear()
	for i, item := range items {
		at := path
		if n.Kind == yaml.SequenceNode {
			at = fmt.Sprintf("%s[%d]", path, i)
			d.places[at] = place{d.file, item.Line}
		}
		if item.Kind == yaml.AliasNode {
			item = item.Alias
		}
		text, ok := d.text(item, at)
		if !ok {
			continue
		}
		if err := s.add(text); err != nil {
			d.problem(at, "%v", err)
		}
	}
}

// pairs calls each for every name of a mapping, and records what is not a mapping and
// names that are there twice.
func (d *decoder) pairs(n *yaml.Node, path string, each func(name string, at place, value *yaml.Node)) {
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return // all that stands below is commented out
	case n.Kind != yaml.MappingNode && path == "":
		d.problem(path, "expected keys, such as \"listen: :8080\"")
		return
	case n.Kind != yaml.MappingNode:
		d.problem(path, "expected keys, not a single value or a list")
		return
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, at := n.Content[i], place{d.file, n.Content[i].Line}
		switch before, twice := lines[name.Value]; {
		case name.Kind != yaml.ScalarNode:
			d.at(at, path, "a key must be a word")
		case twice:
			d.at(at, join(path, name.Value), "was given before, in line %d", before)
		default:
			lines[name.Value] = at.line
			each(name.Value, at, n.Content[i+1])
		}
	}
}

func (d *decoder) section(n *yaml.Node, path string, s section, depth int) {
	d.pairs(n, path, func(name string, at place, child *yaml.Node) {
		v := s.find(name)
		if v == nil {
			d.at(at, join(path, name), "unknown key%s", hint(path, name, s))
			return
		}
		d.value(child, join(path, name), v, depth+1)
	})
}

// hint returns what an unknown key may have meant: the name that it nearly is, or all
// names of its section. At the top, where there are many, it returns "".
func hint(path, name string, s section) string {
	names := s.names()
	if near := spelling.Hint(name, names); near != "" {
		return near
	}
	if path != "" {
		return "; " + path + " has " + strings.Join(names, ", ")
	}
	return ""
}

// items returns the nodes of a list.
func (d *decoder) items(n *yaml.Node, path string) []*yaml.Node {
	switch {
	case n.Kind == yaml.SequenceNode:
		return n.Content
	case n.Kind != yaml.ScalarNode || n.Tag != "!!null": // commented out
		d.problem(path, "expected a list, each of its entries behind a -")
	}
	return nil
}

func (d *decoder) collection(n *yaml.Node, path string, c collection, depth int) {
	for i, item := range d.items(n, path) {
		at, keys := fmt.Sprintf("%s[%d]", path, i), c.grow()
		if item.Kind == yaml.ScalarNode || item.Kind == yaml.SequenceNode {
			d.at(place{d.file, item.Line}, at, "expected keys, not a single value or a list")
			continue
		}
		d.value(item, at, keys, depth+1)
	}
}

func (d *decoder) documents(n *yaml.Node, path string, v documents) {
	for i, item := range d.items(n, path) {
		at := fmt.Sprintf("%s[%d]", path, i)
		d.places[at] = place{d.file, item.Line}
		document, err := toJSON(item)
		if err == nil {
			err = v.check(string(document))
		}
		if err != nil {
			d.problem(at, "%v", err)
			continue
		}
		*v.to = append(*v.to, string(document))
	}
}

// shortForm reads the APIs of the file.
func (d *decoder) shortForm(n *yaml.Node, v shortForm) {
	file, problems := shortfile.Parse(d.file, n)
	for _, p := range problems {
		d.at(place{d.file, p.Line}, p.Where, "%s", p.Message)
	}
	*v.to = file
}

func (d *decoder) dictionary(n *yaml.Node, path string, entries dictionary) {
	entries.clear()
	d.pairs(n, path, func(name string, at place, child *yaml.Node) {
		below := join(path, name)
		d.places[below] = place{d.file, child.Line}
		if err := entries.checkName(name); err != nil {
			d.at(at, path, "%v", err)
			return
		}
		if child.Kind == yaml.AliasNode {
			child = child.Alias
		}
		text, ok := d.text(child, below)
		if !ok {
			return
		}
		if err := entries.put(name, text); err != nil {
			d.problem(below, "%v", err)
		}
	})
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
