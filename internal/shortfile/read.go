package shortfile

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/mistake"
	"github.com/stagedoor/stagedoor/internal/setting"
	"github.com/stagedoor/stagedoor/internal/spelling"
)

// maxNodes is the largest number of values that are read; values of aliases
// count each time.
const maxNodes = 20_000

// reader reads nodes of YAML and collects mistakes.
type reader struct {
	source   string // the name of the file
	problems mistake.List
	nodes    int
}

// entry is one entry of a mapping.
type entry struct {
	name  string
	path  string // of the entry, with its name
	line  int    // of the name
	value *yaml.Node
}

// field is a key that a mapping may have.
type field struct {
	name string
	read func(entry)
}

type fields []field

// problem records a mistake.
func (r *reader) problem(line int, key, format string, args ...any) {
	if len(r.problems) < maxProblems {
		r.problems = append(r.problems, mistake.Mistake{File: r.source, Line: line, Where: key, Message: fmt.Sprintf(format, args...)})
	}
}

func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// entries calls each with the entries of a mapping. It reports a name that is
// there twice.
func (r *reader) entries(n *yaml.Node, path string, each func(entry)) {
	written := n
	n = resolve(n)
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return // the mapping is empty: its lines are commented out
	}
	if n.Kind != yaml.MappingNode {
		r.problem(written.Line, path, "expected names with a colon, not a single value or a list")
		return
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if r.nodes++; r.nodes > maxNodes {
			r.problem(written.Line, path, "the file is too large")
			return
		}
		name := n.Content[i]
		e := entry{name.Value, path + "." + name.Value, name.Line, n.Content[i+1]}
		switch before, twice := lines[e.name]; {
		case name.Kind != yaml.ScalarNode || name.Tag == "!!merge":
			r.problem(name.Line, path, "a name must be a word")
		case twice:
			r.problem(name.Line, e.path, "was given before, in line %d", before)
		default:
			lines[e.name] = name.Line
			each(e)
		}
	}
}

// fields reads a mapping with a fixed set of keys.
func (r *reader) fields(n *yaml.Node, path string, known fields) {
	r.entries(n, path, func(e entry) {
		names := make([]string, len(known))
		for i, field := range known {
			if names[i] = field.name; field.name == e.name {
				field.read(e)
				return
			}
		}
		hint := spelling.Hint(e.name, names)
		if hint == "" {
			hint = "; there are " + strings.Join(names, ", ")
		}
		r.problem(e.line, e.path, "unknown key%s", hint)
	})
}

// namesOf lists the keys of a mapping.
func namesOf(n *yaml.Node) []string {
	n = resolve(n)
	var names []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		names = append(names, n.Content[i].Value)
	}
	return names
}

// text returns a single value as it was written.
func (r *reader) text(e entry) (string, bool) {
	n := resolve(e.value)
	switch {
	case n.Kind != yaml.ScalarNode:
		r.problem(e.line, e.path, "expected a single value")
	case n.Tag == "!!null" || n.Value == "":
		r.problem(e.line, e.path, "has no value")
	case strings.HasPrefix(n.Tag, "!!"):
		return n.Value, true
	default:
		r.problem(e.line, e.path, "the tag %s means nothing here", n.Tag)
	}
	return "", false
}

// checked sets a text, unless check returns an error for it, which it reports.
func (r *reader) checked(e entry, to *string, check func(string) error) {
	text, ok := r.text(e)
	if !ok {
		return
	}
	if check != nil {
		if err := check(text); err != nil {
			r.problem(e.line, e.path, "%v", err)
			return
		}
	}
	*to = text
}

// texts reads a mapping of names to texts. most is the largest number of names,
// 0 for any number.
func (r *reader) texts(e entry, most int, check func(name string) error) map[string]string {
	values := map[string]string{}
	r.entries(e.value, e.path, func(e entry) {
		if check != nil {
			if err := check(e.name); err != nil {
				r.problem(e.line, e.path, "%v", err)
				return
			}
		}
		if n := resolve(e.value); n.Kind == yaml.ScalarNode && n.Value == "" && n.Tag == "!!str" {
			values[e.name] = "" // a variable may be empty
			return
		}
		if text, ok := r.text(e); ok {
			values[e.name] = text
		}
	})
	if most > 0 && len(values) > most {
		r.problem(e.line, e.path, "there may be %d at most", most)
	}
	return values
}

func (r *reader) duration(e entry, to *time.Duration, least, most time.Duration) {
	r.checked(e, new(string), func(text string) (err error) {
		*to, err = setting.Duration(text, least, most)
		return err
	})
}

func (r *reader) integer(e entry, to *int, least, most int) {
	r.checked(e, new(string), func(text string) (err error) {
		*to, err = setting.Integer(text, least, most)
		return err
	})
}

// boolean reads true or false, and reports whether it could.
func (r *reader) boolean(e entry, to *bool) bool {
	if n := resolve(e.value); n.Kind == yaml.ScalarNode && n.Tag == "!!bool" {
		*to = strings.EqualFold(n.Value, "true")
		return true
	}
	r.problem(e.line, e.path, "is neither true nor false")
	return false
}

// checkURL checks where events are sent.
func checkURL(text string) error {
	u, err := setting.URL(text)
	switch {
	case err != nil:
		return err
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return fmt.Errorf("%q has a space in it: a URL has %%20 in its place", text)
	case !isPort(u.Port()):
		return fmt.Errorf("%q has no port of 1 to 65535", text)
	case u.User != nil:
		return errors.New("the URL has a user's name in it; that is not sent")
	case u.Fragment != "":
		return errors.New("the URL has a # in it; what follows is not sent")
	case strings.ContainsAny(text, "{}$"):
		return fmt.Errorf("%q has {, } or $ in it: events are sent to exactly this URL, nothing is filled in", text)
	}
	return nil
}

// isPort reports whether a URL's port is valid or left out.
func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && n > 0
}

var methods = []string{"POST", "GET", "PUT", "PATCH", "DELETE"}

func checkMethod(text string) error {
	if !slices.Contains(methods, text) {
		return fmt.Errorf("%q is none of %s%s", text, strings.Join(methods, ", "), spelling.Hint(text, methods))
	}
	return nil
}

func checkRuntime(text string) error {
	if !lambda.IsRuntime(text) {
		return fmt.Errorf("%q is none of Lambda's runtimes%s", text, spelling.Hint(text, lambda.Identifiers))
	}
	return nil
}

// checkFolder checks the name of a function's folder. Whether the folder exists
// is checked when the template is read.
func checkFolder(text string) error {
	if strings.Contains(text, "://") {
		return fmt.Errorf("%q is not a folder; a URL goes to url", text)
	}
	return nil
}
