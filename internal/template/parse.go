package template

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

const (
	// maxBytes is CloudFormation's own limit of a template's size.
	maxBytes = 1 << 20
	// maxDepth bounds the nesting of a template.
	maxDepth = 100
	// maxValues bounds how many values a template may hold once its aliases
	// are expanded: a few lines of YAML can stand for billions.
	maxValues = 250_000
)

// readTemplate reads the file of a report. A file beyond CloudFormation's limit
// is not read; that is a problem.
func readTemplate(r *report) ([]byte, error) {
	f, err := os.Open(r.file)
	if err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	defer f.Close()
	source, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	if len(source) <= maxBytes {
		return source, nil
	}
	size := "more"
	if info, err := f.Stat(); err == nil {
		size = strconv.FormatInt(info.Size(), 10)
	}
	r.problem(0, "", "the template has %s bytes; CloudFormation accepts at most %d", size, maxBytes)
	return nil, r.err()
}

// Source returns the text of a template. The error is mistake.List where it is not
// YAML or JSON, or too large.
func Source(file string) ([]byte, error) {
	r := newReport(file)
	source, err := readTemplate(r)
	if err != nil {
		return nil, err
	}
	if root := parse(source, r); root != nil && root.kind != object {
		r.problem(root.line, "", "a template is an object with a section Resources, not %s", root.describe())
	}
	return source, r.err()
}

// parse reads YAML or JSON; the same parser reads both, so that lines are known
// for both. It returns nil when the source cannot be read to its end.
func parse(source []byte, r *report) *value {
	decoder := yaml.NewDecoder(bytes.NewReader(jsonEscapes(source)))
	var root yaml.Node
	switch err := decoder.Decode(&root); {
	case errors.Is(err, io.EOF):
		r.problem(0, "", "the template is empty")
		return nil
	case err != nil:
		reportSyntax(source, err, r)
		return nil
	}
	var second yaml.Node
	if err := decoder.Decode(&second); err == nil {
		r.problem(second.Line, "", "a template is one YAML document; a second one starts here")
	} else if !errors.Is(err, io.EOF) {
		reportSyntax(source, err, r)
		return nil
	}
	c := converter{report: r, open: map[*yaml.Node]bool{}}
	if v := c.convert(&root, 0); !c.over {
		return v
	}
	return nil
}

var yamlError = lazyregexp.New(`^yaml: (?:line (\d+): )?(.*)`)

// grammarErrors are the messages for which the YAML library counts lines from
// zero; for all others it counts from one.
var grammarErrors = lazyregexp.New(`^(did not find expected (<|node content|'-' indicator|key|',' or)|found (duplicate %|incompatible YAML|undefined tag))`)

// wholeFile are the messages that the YAML library gives without a line.
var wholeFile = lazyregexp.New(`^(unknown anchor|control characters|.*octet|.*UTF-|.*surrogate)`)

// reportSyntax reports a syntax error, with the line where the construct at
// fault begins, or where the error was noticed.
func reportSyntax(source []byte, err error, r *report) {
	message, line := err.Error(), 1
	if m := yamlError.FindStringSubmatch(message); m != nil {
		message = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
			if grammarErrors.MatchString(message) {
				line++
			}
		} else if wholeFile.MatchString(message) {
			line = 0
		}
	}
	line = min(line, bytes.Count(bytes.TrimRight(source, "\n"), []byte("\n"))+1)
	r.problem(line, "", "not valid YAML or JSON: %s", message)
}

// converter turns YAML nodes into values within its bounds.
type converter struct {
	report *report
	open   map[*yaml.Node]bool // aliased nodes that are being expanded
	values int
	over   bool // a bound was reached; the rest is left out
}

// convert returns the value of a node. A node that cannot be converted is
// reported, and its value is unknown.
func (c *converter) convert(n *yaml.Node, depth int) *value {
	c.values++
	switch {
	case c.over:
		return newUnknown(n.Line)
	case c.values > maxValues:
		return c.stop(n.Line, "the template has more than %d values once its aliases are expanded", maxValues)
	case depth > maxDepth:
		return c.stop(n.Line, "the template is nested deeper than %d levels", maxDepth)
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return c.convert(n.Content[0], depth)
	case yaml.AliasNode:
		return c.alias(n, depth)
	}
	if function, ok := shortForms[n.Tag]; ok {
		return longForm(function, c.plain(n, depth+1))
	}
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		c.report.problem(n.Line, "", "unknown tag %s%s", n.Tag, c.report.didYouMean(n.Tag, sortedKeys(shortForms)))
		return newUnknown(n.Line)
	}
	return c.plain(n, depth)
}

func (c *converter) stop(line int, format string, args ...any) *value {
	c.over = true
	c.report.problem(line, "", format, args...)
	return newUnknown(line)
}

func (c *converter) alias(n *yaml.Node, depth int) *value {
	if c.open[n.Alias] {
		c.report.problem(n.Line, "", "the alias *%s contains itself", n.Value)
		return newUnknown(n.Line)
	}
	c.open[n.Alias] = true
	defer delete(c.open, n.Alias)
	return c.convert(n.Alias, depth+1)
}

// plain converts a node, and ignores its tag.
func (c *converter) plain(n *yaml.Node, depth int) *value {
	switch n.Kind {
	case yaml.SequenceNode:
		v := newList(n.Line)
		for _, item := range n.Content {
			v.items = append(v.items, c.convert(item, depth+1))
		}
		return v
	case yaml.MappingNode:
		return c.mapping(n, depth)
	}
	v := newText(n.Line, n.Value)
	switch n.Tag {
	case "!!null":
		v.kind = null
	case "!!bool":
		v.kind, v.text = boolean, strings.ToLower(n.Value)
	case "!!int", "!!float":
		v.kind, v.text = number, decimalDigits(n.Value)
	}
	return v
}

func (c *converter) mapping(n *yaml.Node, depth int) *value {
	v := newObject(n.Line)
	seen := make(map[string]int, len(n.Content)/2)
	var merged []*value
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, node := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			c.report.problem(key.Line, "", "a key must be a string")
			continue
		}
		x := c.convert(node, depth+1)
		if key.Tag == "!!merge" {
			merged = append(merged, x)
			continue
		}
		if first, twice := seen[key.Value]; twice {
			c.report.problem(key.Line, "", "the key %q is already there on line %d", key.Value, first)
			continue
		}
		seen[key.Value] = key.Line
		v.members = append(v.members, member{key: key.Value, line: n.Content[i].Line, value: x})
	}
	for _, x := range merged {
		c.merge(v, seen, x)
	}
	return v
}

// merge adds the members of a YAML merge key ("<<") that are not there yet.
func (c *converter) merge(into *value, seen map[string]int, from *value) {
	switch from.kind {
	case unknown:
	case list:
		for _, x := range from.items {
			c.merge(into, seen, x)
		}
	case object:
		for _, m := range from.members {
			if _, there := seen[m.key]; !there {
				seen[m.key] = m.line
				into.members = append(into.members, m)
			}
		}
	default:
		c.report.problem(from.line, "", "a merge key (<<) takes an object, not %s", from.describe())
	}
}
