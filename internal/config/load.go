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

// Options say where a configuration comes from. Flags win over the environment, the
// environment over the file, and the file over the defaults.
type Options struct {
	// File is a YAML file; "" stands for none.
	File string
	// Environ are variables as in os.Environ: NAME=value.
	Environ []string
	// Flags are values by key, "listen" or "admin.listen".
	Flags map[string]string
	// FlagNames are the names of the flags, by key, for mistakes: "--listen".
	FlagNames map[string]string
}

// maxFile is the size of the largest file that is read, in bytes.
const maxFile = 4 << 20

// Load reads a configuration. The warnings name variables of the environment that set
// nothing and look like misspelled ones that would. The error is a mistake.List for
// mistakes in the configuration, and another one for a file that cannot be read.
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
	for _, k := range keys.values("", nil) {
		v, ok := k.value.(textual)
		if !ok {
			continue
		}
		variable := Variable(k.path)
		known[variable] = true
		if text := environment[variable]; text != "" {
			r.set(k.path, v, text, place{source: variable})
		}
		if text, given := o.Flags[k.path]; given {
			r.set(k.path, v, text, place{source: o.FlagNames[k.path]})
		}
	}
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

// set sets a key to a value of the environment or of a flag.
func (r *report) set(path string, v textual, text string, where place) {
	r.places[path] = where
	if err := v.set(text); err != nil {
		r.at(where, "", "%v", err)
	}
}

// prefix begins the variables of the environment that set keys.
const prefix = "STAGEDOOR_"

// Variable returns the name of the variable of the environment that sets a key:
// STAGEDOOR_LOG_LEVEL for log.level, STAGEDOOR_NATS_TLS_CA for nats.tls.ca. A capital
// letter in the key begins a new word.
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

// variables returns an environment by name; of two of the same name the last counts.
func variables(environ []string) map[string]string {
	values := make(map[string]string, len(environ))
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		values[name] = value
	}
	return values
}

// misspelled returns a warning for every variable that sets nothing and has nearly the
// name of one that would. Others that begin with the prefix say nothing: Kubernetes
// makes some for a service called stagedoor.
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

// Change is a key whose value is not the same in two configurations.
type Change struct {
	Key string
	// Live: the change takes effect without a restart.
	Live bool
}

// Changes returns the keys whose values differ between c and next, in the order of
// the keys.
func (c *Config) Changes(next *Config) []Change {
	before := c.values()
	var changes []Change
	for i, after := range next.values() {
		if !reflect.DeepEqual(before[i].value.current(), after.value.current()) {
			changes = append(changes, Change{after.path, after.live})
		}
	}
	return changes
}

// TakeLive sets the keys that change without a restart to what they are in next.
func (c *Config) TakeLive(next *Config) {
	from := next.values()
	for i, to := range c.values() {
		if to.live {
			to.value.take(from[i].value)
		}
	}
}

// keyed is a value of a configuration with its key.
type keyed struct {
	path  string // "log.level"
	value value  // anything but a section
	live  bool   // a change takes effect without a restart
}

// values returns all values of c, always in the same order.
func (c *Config) values() []keyed { return c.keys().values("", nil) }

func (s section) values(path string, list []keyed) []keyed {
	for _, k := range s {
		below := join(path, k.name)
		v, isLive := unwrap(k.value)
		if nested, ok := v.(section); ok {
			list = nested.values(below, list)
		} else {
			list = append(list, keyed{below, v, isLive})
		}
	}
	return list
}
