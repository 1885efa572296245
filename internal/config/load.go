package config

import (
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/stagedoor/stagedoor/internal/spelling"
)

// Options say where a configuration comes from. What comes later wins: the
// defaults, the file, the environment, the flags.
type Options struct {
	// File is a YAML file; "" stands for none.
	File string
	// Environ are variables as in os.Environ: NAME=value.
	Environ []string
	// Flags are values by key, "listen" or "admin.listen".
	Flags map[string]string
	// FlagNames are the names under which mistakes in flags are told, by key.
	FlagNames map[string]string
}

// maxFile is the size of the largest file that is read, in bytes.
const maxFile = 4 << 20

// Load reads a configuration. The warnings are about what was not taken,
// though it looks as if it was meant for Stagedoor. The error is a mistake.List for
// mistakes in the configuration.
func Load(o Options) (c *Config, warnings []string, err error) {
	var file []byte
	if o.File != "" {
		if file, err = readFile(o.File); err != nil {
			return nil, nil, err
		}
	}
	environment := variables(o.Environ)
	c = defaults(func(name string) string { return environment[name] })
	keys := c.keys()
	r := &report{places: map[string]place{}}
	(&decoder{report: r, file: o.File}).decode(file, keys)
	known := map[string]bool{}
	eachTextual(keys, "", func(path string, v textual) {
		variable := Variable(path)
		known[variable] = true
		if text := environment[variable]; text != "" {
			r.set(path, v, text, place{source: variable})
		}
		if text, given := o.Flags[path]; given {
			r.set(path, v, text, place{source: o.FlagNames[path]})
		}
	})
	c.validate(r)
	if err := r.err(); err != nil {
		return nil, nil, err
	}
	return c, misspelled(environment, known), nil
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("the configuration: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes", name, maxFile)
	}
	if err != nil {
		return nil, fmt.Errorf("the configuration: %w", err)
	}
	return text, nil
}

// set gives a key a value from outside of the file.
func (r *report) set(path string, v textual, text string, where place) {
	r.places[path] = where
	if err := v.set(text); err != nil {
		r.at(where, "", "%v", err)
	}
}

// eachTextual calls f for every key that can be written in one word.
func eachTextual(s section, path string, f func(path string, v textual)) {
	for _, k := range s {
		below := join(path, k.name)
		switch v := k.value.(type) {
		case textual:
			f(below, v)
		case section:
			eachTextual(v, below, f)
		}
	}
}

// prefix begins the variables of the environment that set keys.
const prefix = "STAGEDOOR_"

// Variable is the variable of the environment that sets a key:
// STAGEDOOR_LOG_LEVEL for log.level. A capital letter begins a word.
func Variable(path string) string {
	var b strings.Builder
	b.WriteString(prefix)
	for _, c := range path {
		switch {
		case c == '.':
			b.WriteByte('_')
		case unicode.IsUpper(c):
			b.WriteByte('_')
			b.WriteRune(c)
		default:
			b.WriteRune(unicode.ToUpper(c))
		}
	}
	return b.String()
}

// variables are those of an environment, by name; the last of a name counts.
func variables(environ []string) map[string]string {
	values := make(map[string]string, len(environ))
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		values[name] = value
	}
	return values
}

// misspelled finds variables that set nothing and are close to one that would.
// Others are left alone: Kubernetes makes some for a service of our name.
func misspelled(environment map[string]string, known map[string]bool) []string {
	var names, warnings []string
	for variable := range known {
		names = append(names, strings.TrimPrefix(variable, prefix))
	}
	slices.Sort(names)
	for variable := range environment {
		name, ours := strings.CutPrefix(variable, prefix)
		if !ours || known[variable] {
			continue
		}
		if hint := spelling.Hint(name, names); hint != "" {
			warnings = append(warnings, variable+" sets nothing"+strings.Replace(hint, "mean ", "mean "+prefix, 1))
		}
	}
	slices.Sort(warnings)
	return warnings
}

// Change is a key that two configurations have different values for.
type Change struct {
	Key string
	// Live: the change takes effect without a restart.
	Live bool
}

// Changes are the keys whose values differ between c and next.
func (c *Config) Changes(next *Config) []Change {
	before := map[string]any{}
	eachValue(c.keys(), "", func(path string, v value) { before[path] = v.current() })
	var changes []Change
	eachValue(next.keys(), "", func(path string, v value) {
		if !reflect.DeepEqual(before[path], v.current()) {
			changes = append(changes, Change{path, slices.ContainsFunc(live, func(p string) bool {
				return path == p || strings.HasPrefix(path, p+".")
			})})
		}
	})
	return changes
}

// TakeLive takes over what next has for the keys that change without a restart.
func (c *Config) TakeLive(next *Config) {
	c.Log.Level, c.Log.Events, c.Functions = next.Log.Level, next.Log.Events, next.Functions
	c.Credentials, c.TLS.Certificates = next.Credentials, next.TLS.Certificates
	c.Limits.Each, c.APIs = next.Limits.Each, next.APIs
}

// eachValue calls f for every value that is no section.
func eachValue(s section, path string, f func(path string, v value)) {
	for _, k := range s {
		below := join(path, k.name)
		if v, nested := k.value.(section); nested {
			eachValue(v, below, f)
		} else {
			f(below, k.value)
		}
	}
}
