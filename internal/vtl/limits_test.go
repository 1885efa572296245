package vtl_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
	"github.com/stagedoor/stagedoor/internal/vtl"
)

// Templates that would take the process down end with an error.
func TestHostileTemplates(t *testing.T) {
	t.Parallel()
	loops := strings.Repeat("#foreach($i in [1..1000])", 4) + "x" + strings.Repeat("#end", 4)
	tests := []struct{ name, template string }{
		{"loops in loops", loops},
		{"loops that print nothing", strings.Replace(loops, "x", "", 1)},
		{"a string that doubles", `#set($s = "xxxxxxxx")#foreach($i in [1..1000])#set($s = "$s$s")#end`},
		{"a sum that doubles", `#set($s = "xxxxxxxx")#foreach($i in [1..1000])#set($s = $s + $s)#end`},
		{"a concat that doubles", `#set($s = "xxxxxxxx")#foreach($i in [1..1000])#set($s = $s.concat($s))#end`},
		{"a replace that grows", `#set($s = "xxxxxxxx")#foreach($i in [1..1000])#set($s = $s.replace("x", $s))#end`},
		{"a replaceAll that grows", `#set($s = "xxxxxxxx")#foreach($i in [1..1000])#set($s = $s.replaceAll("(x)", "$1xxxxxxx"))#end`},
		{"a repeat", `#set($s = "x")$s.repeat(2000000000)`},
		{"a huge range", `#set($r = [1..2000000000])`},
		{"a range over everything", `#set($r = [-2147483648..2147483647])`},
		{"a list that doubles", `#set($l = [1, 2])#foreach($i in [1..1000])#set($d = $l.addAll($l))#end`},
		{"a list of large strings", `#set($l = [])#set($s = "x")#set($s = $s.repeat(500000))#foreach($i in [1..1000])#set($d = $l.add("$s$i"))#end`},
		{"a list in itself", `#set($l = [1])#set($d = $l.add($l))$l`},
		{"a map in itself", `#set($m = {})#set($m.m = $m)$m`},
		{"a map in itself twice", `#set($m = {})#set($m.a = $m)#set($m.b = $m)$m`},
		{"equality of lists in themselves", `#set($l = [])#set($d = $l.add($l))#set($k = [])#set($d = $k.add($k))#if($l == $k)x#end`},
		{"hash of a list in itself", `#set($l = [])#set($d = $l.add($l))$l.hashCode()`},
		{"equality of nested pairs", `#set($a = [])#set($b = [])#foreach($i in [1..100])#set($a = [$a, $a])#set($b = [$b, $b])#end#if($a == $b)x#end`},
		{"printing nested pairs", `#set($a = [])#foreach($i in [1..100])#set($a = [$a, $a])#end$a`},
		{"an integer that squares", `#set($n = 9223372036854775807)#foreach($i in [1..1000])#set($n = $n * $n)#end`},
		{"a macro that calls itself", `#macro(m)#m()#end#m()`},
		{"macros that call one another", `#macro(a)#b()#end#macro(b)#a()#end#a()`},
		{"arguments that double", `#macro(m $x)#m("$x$x")#end#m("a")`},
		{"an evaluate of itself", `#set($s = '#evaluate($s)')#evaluate($s)`},
		{"an evaluate that grows", `#set($s = '#set($s = $s + $s)#evaluate($s)')#evaluate($s)`},
		{"a split into many", `#set($s = "x")#set($s = $s.repeat(1000000))$s.split("").size()`},
		{"a search in much text", `#set($s = "x")#set($s = $s.repeat(1000000))$s.matches("(x+x+)+y")`},
		{"a search that goes back and forth", `#set($s = "x")#set($s = $s.repeat(100))$s.matches("(?=x)(x+)+y")`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			template, err := vtl.Compile(test.template)
			if err != nil {
				t.Fatal(err)
			}
			out, err := template.Execute(t.Context(), nil, variables{new(jsonvalue.Object)}, vtl.Limits{})
			if !errors.Is(err, vtl.ErrLimit) || out != nil {
				t.Errorf("%d bytes, error %v, want ErrLimit", len(out), err)
			}
		})
	}
}

// What nests without an end is refused before it runs.
func TestHostileSources(t *testing.T) {
	t.Parallel()
	const many = 100_000
	for _, part := range []string{
		"#if(true)", "#foreach($x in [1])", "#set($x = [", "#set($x = (", "#set($x = !", `#set($x = {"a":`, "#set($x = $a.b(", "$a.b(", "$a[",
		"#macro(m)", "#define($x)", "#@m()", "#set($x = \"", "${a|", "#literal()",
	} {
		open := strings.Repeat(part, many)
		if prefix, expression, ok := strings.Cut(part, "= "); ok {
			open = prefix + "= " + strings.Repeat(expression, many)
		}
		if _, err := vtl.Compile(open); err == nil {
			t.Errorf("%s many times: no error", part)
		}
	}
	for _, harmless := range []string{"# ", "$ ", `\`, `\\$a `, "#* *#", "#[[ ]]#", "#x ", "#end_ ", "$a.b ", "##\n", "\n#x()"} {
		if _, err := vtl.Compile(strings.Repeat(harmless, many)); err != nil {
			t.Errorf("%q many times: %v", harmless, err)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, template string
		limits         vtl.Limits
		want           string // the output, or "" for ErrLimit
	}{
		{"iterations cut a loop off", "#foreach($i in [1..9])$i#end", vtl.Limits{Iterations: 3}, "123"},
		{"output within", "12345", vtl.Limits{Output: 5}, "12345"},
		{"output past", "123456", vtl.Limits{Output: 5}, ""},
		{"output past with a reference", "12345#set($x = 1)$x", vtl.Limits{Output: 5}, ""},
		{"output past with a list", "#set($x = [1, 2])$x", vtl.Limits{Output: 5}, ""},
		{"steps", "#foreach($i in [1..1000])$i#end", vtl.Limits{Steps: 500}, ""},
		{"memory", "#set($x = [1..1000])", vtl.Limits{Memory: 1000}, ""},
		{"depth within", "#macro(a)#b()#end#macro(b)x#end#a()", vtl.Limits{Depth: 2}, "x"},
		{"depth past", "#macro(a)#b()#end#macro(b)x#end#a()", vtl.Limits{Depth: 1}, ""},
		{"time of expressions", `#set($x = "x")$x.matches("x.*")`, vtl.Limits{RegexpTime: 1}, ""},
	}
	for _, test := range tests {
		template, err := vtl.Compile(test.template)
		if err != nil {
			t.Fatal(err)
		}
		before := []byte("before ")
		out, err := template.Execute(t.Context(), before, variables{new(jsonvalue.Object)}, test.limits)
		switch {
		case test.want == "" && (!errors.Is(err, vtl.ErrLimit) || string(out) != "before "):
			t.Errorf("%s: %q, %v, want ErrLimit", test.name, out, err)
		case test.want != "" && (err != nil || string(out) != "before "+test.want):
			t.Errorf("%s: %q, %v, want %q", test.name, out, err, test.want)
		}
	}
}

func TestContextEnds(t *testing.T) {
	t.Parallel()
	template, err := vtl.Compile(strings.Repeat("#foreach($i in [1..1000])", 4) + strings.Repeat("#end", 4))
	if err != nil {
		t.Fatal(err)
	}
	unlimited := vtl.Limits{Steps: math.MaxInt, Memory: math.MaxInt}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := template.Execute(ctx, nil, variables{new(jsonvalue.Object)}, unlimited); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the deadline's error", err)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	list := jsonvalue.NewList("a", jsonvalue.Int(1))
	if s, err := vtl.Text(list, 100); err != nil || s != `["a",1]` {
		t.Errorf("%q, %v", s, err)
	}
	if s, err := vtl.Text(nil, 100); err != nil || s != "" {
		t.Errorf("%q, %v", s, err)
	}
	if _, err := vtl.Text(list, 3); !errors.Is(err, vtl.ErrLimit) {
		t.Errorf("%v, want ErrLimit", err)
	}
}
