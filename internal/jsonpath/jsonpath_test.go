package jsonpath

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// TestMain lets the clock of the engine for look-around run on: it ends a
// while after its last search.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2.runClock"))
}

// golden is one case of the files in testdata: a document, a line of dashes,
// then pairs of lines: a path, and its result. A definite path's result begins
// with =, an indefinite one's with ~, and ! stands before what the error says
// of a path that does not compile. Lines that begin with # are comments.
type golden struct {
	file, document, path, want string
}

func goldens(t testing.TB) []golden {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	var all []golden
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		document, cases, _ := strings.Cut(string(text), "\n----\n")
		path := ""
		for line := range strings.SplitSeq(cases, "\n") {
			switch {
			case strings.TrimSpace(line) == "" || line[0] == '#':
			case path == "":
				path = line
			default:
				all = append(all, golden{file, document, path, line})
				path = ""
			}
		}
	}
	return all
}

func parse(t testing.TB, text string) any {
	t.Helper()
	v, err := jsonvalue.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Specification, section E.5; the results are Jayway's.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, g := range goldens(t) {
		if got := evaluated(t, g); !strings.HasPrefix(g.want, "!") && got != g.want {
			t.Errorf("%s: %s\n got %s\nwant %s", g.file, g.path, got, g.want)
		} else if text, _ := strings.CutPrefix(g.want, "! "); !strings.Contains(got, text) {
			t.Errorf("%s: %s\n got %s\nwant an error with %q", g.file, g.path, got, text)
		}
	}
}

// evaluated writes a result as the golden files do.
func evaluated(t *testing.T, g golden) string {
	t.Helper()
	path, err := Compile(g.path)
	if err != nil {
		return "! " + err.Error()
	}
	document := parse(t, g.document)
	value, found, err := path.Evaluate(document)
	if got := string(jsonvalue.Append(nil, document)); got != string(jsonvalue.Append(nil, parse(t, g.document))) {
		t.Errorf("%s changed the document", g.path)
	}
	switch {
	case err != nil:
		return err.Error()
	case !found:
		return "= nothing"
	}
	mark := "~ "
	if path.Definite() {
		mark = "= "
	}
	return string(jsonvalue.Append([]byte(mark), value))
}

func TestCompileLimits(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"":                                    "empty",
		"  ":                                  "empty",
		"$." + strings.Repeat("a", MaxLength): "longer than 4096 bytes",
		"$[?(" + strings.Repeat("(", 100) + "@.a" + strings.Repeat(")", 101) + "]": "nested too deep",
		"$[?(" + strings.Repeat("!", 100) + "@.a)]":                                "nested too deep",
		"$[?(@.a == " + strings.Repeat("[", 100):                                   "nested too deep",
		"$" + strings.Repeat("[?(@", 100):                                          "nested too deep",
		strings.Repeat("$.sum(", 100):                                              "nested too deep",
	} {
		if _, err := Compile(source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Compile(%.30q…): %v, want %q", source, err, want)
		}
	}
}

// Paths that multiply and documents made for them end with an error, soon.
func TestWorkIsBounded(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":[`, 450) + strings.Repeat("]}", 450)
	wide := "[" + strings.Repeat(`{"a":1},`, 10_000) + "0]"
	texts := `{"a":[` + strings.Repeat("0,", 10_000) + `0],"b":["` + strings.Repeat("x", 60_000) + `"]}`
	equal := "[" + strings.Repeat(`["a","b","c","d","e","f","g","h"],`, 4000) + "0]"
	for _, test := range []struct{ path, document string }{
		{"$" + strings.Repeat("..*", 5), deep},
		{"$..[?(@..a)]..*", deep},
		{"$..[?($..a && @..a)]..[?(@..a)]", deep},
		{"$[?(@.a in $)]", wide},
		{"$[?($[?(@.a == 1)].length() == @.a)]", wide}, // cached: no error
		{"$.a[*].concat($.b)", texts},
		{"$[?(@[0] in $)]", equal},
		{"$[*][?(@ nin $[*])]", equal},
	} {
		path, err := Compile(test.path)
		if err != nil {
			t.Error(err)
			continue
		}
		_, _, err = path.Evaluate(parse(t, test.document))
		if cheap := strings.Contains(test.path, "length()"); cheap != (err == nil) || err != nil && !errors.Is(err, ErrTooMuchWork) {
			t.Errorf("%s: %v", test.path, err)
		}
	}
}

// A value that contains itself, as a template can make one, is no way out.
func TestCyclesEnd(t *testing.T) {
	t.Parallel()
	self := &jsonvalue.List{}
	self.Add(self)
	self.Add(self)
	for _, source := range []string{"$..*", "$..[0]", "$..[?(@..[0])]", "$.concat($)"} {
		path, err := Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := path.Evaluate(self); !errors.Is(err, ErrTooMuchWork) {
			t.Errorf("%s: %v", source, err)
		}
	}
}

func TestString(t *testing.T) {
	t.Parallel()
	if path, err := Compile("a.b"); err != nil || path.String() != "a.b" {
		t.Errorf("%v, %v", path, err)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"a['b c'][2]": "[{a 0 false} {b c 0 false} { 2 true}]",
		"$":           "[]",
		"a[-1]":       "false", "a[0,1]": "false", "a.*": "false", "$..a": "false", "a.size()": "false", "['a','b']": "false",
	} {
		path, err := Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		got := "false"
		if keys, ok := path.Keys(); ok {
			got = fmt.Sprint(keys)
		}
		if got != want {
			t.Errorf("%s has the keys %s, want %s", source, got, want)
		}
	}
}

func TestAllocations(t *testing.T) {
	path, err := Compile("$.store.book[-1].title")
	if err != nil {
		t.Fatal(err)
	}
	document := parse(t, `{"store":{"book":[{"title":"a"},{"title":"b"}]}}`)
	if n := testing.AllocsPerRun(100, func() { _, _, _ = path.Evaluate(document) }); n > 1 {
		t.Errorf("a definite path allocates %v times", n)
	}
}

func FuzzEvaluate(f *testing.F) {
	for _, g := range goldens(f) {
		f.Add(g.path, g.document)
	}
	f.Fuzz(func(t *testing.T, source, text string) {
		path, err := Compile(source)
		if err != nil {
			return
		}
		document, err := jsonvalue.Parse([]byte(text))
		if err != nil {
			return
		}
		before := string(jsonvalue.Append(nil, document))
		value, found, err := path.Evaluate(document)
		if _, isList := value.(*jsonvalue.List); err == nil && !path.Definite() && (!isList || !found) {
			t.Fatalf("%s is indefinite and found %v", source, value)
		}
		if after := string(jsonvalue.Append(nil, document)); after != before {
			t.Fatalf("%s changed %s to %s", source, before, after)
		}
	})
}

func BenchmarkEvaluate(b *testing.B) {
	all := goldens(b)
	document := parse(b, all[0].document)
	for _, source := range []string{"$.store.bicycle.color", "$.store.book[?(@.price < 10)].title", "$..price"} {
		path, err := Compile(source)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(source, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := path.Evaluate(document); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
