package config

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// row is a key in the tables of the page, with its default and its example.
var row = regexp.MustCompile("(?m)^\\| `([A-Za-z.]+)`( ●)? \\| ([^|]+) \\| `([^|]+)` \\| ")

// The page has every key and no other, with its default, an example that can be
// read, and whether it takes effect without a restart.
func TestPageHasEveryKey(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	standard := defaults(func(string) string { return "" })
	values := map[string]keyed{}
	for _, k := range standard.values() {
		values[k.path] = k
	}
	for _, match := range row.FindAllStringSubmatch(string(page), -1) {
		name, isLive, standing, example := match[1], match[2] != "", match[3], match[4]
		v, found := values[name]
		if !found {
			t.Errorf("the page has %s, which is no key", name)
			continue
		}
		delete(values, name)
		if isLive != v.live {
			t.Errorf("%s: the page is wrong about restarts", name)
		}
		checkDefault(t, name, standing, v.value)
		r := &report{places: map[string]place{}}
		text := ""
		for i, part := range strings.Split(name, ".") {
			text += "\n" + strings.Repeat("  ", i) + part + ":"
		}
		(&decoder{report: r, file: "example"}).decode([]byte(text+" "+example), (&Config{}).keys())
		if err := r.err(); err != nil {
			t.Errorf("%s: its example is wrong: %v", name, err)
		}
	}
	for name := range values {
		t.Errorf("the page lacks %s", name)
	}
}

// checkDefault compares a default that the page gives as code.
func checkDefault(t *testing.T, name, text string, v value) {
	t.Helper()
	code, isCode := strings.CutPrefix(text, "`")
	if code, whole := strings.CutSuffix(code, "`"); isCode && whole && !strings.Contains(code, "`") {
		other := defaults(func(string) string { return "" })
		all := other.values()
		i := slices.IndexFunc(all, func(k keyed) bool { return k.path == name })
		o, ok := all[i].value.(textual)
		if !ok {
			t.Errorf("%s: a default of a key that is not one value", name)
			return
		}
		before := o.current()
		if err := o.set(code); err != nil || !reflect.DeepEqual(o.current(), v.current()) {
			t.Errorf("%s: the default is %v, not %s", name, before, code)
		}
	}
}

func TestExampleIsRight(t *testing.T) {
	t.Parallel()
	const file = "../../examples/serve/stagedoor.yaml"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load(Options{File: file}); err != nil {
		t.Error(err)
	}
	// What is commented out is right as well.
	commented := regexp.MustCompile(`(?m)^#([a-z]|  )`).ReplaceAllString(string(text), "$1")
	if commented == string(text) {
		t.Error("nothing is commented out")
	}
	if _, _, err := Load(Options{File: fileOf(t, commented)}); err != nil {
		t.Error(err)
	}
}
