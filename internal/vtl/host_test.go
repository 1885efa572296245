package vtl_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
	"github.com/stagedoor/stagedoor/internal/vtl"
)

// host is a scope with an object of its own, and a logger.
type host struct {
	object *object
	logged []string
}

func (h *host) Variable(name string) (any, bool) {
	switch name {
	case "host":
		return h.object, true
	case "plain":
		return 7, true
	}
	return nil, false
}

func (h *host) Log(line, column int, message string) {
	h.logged = append(h.logged, fmt.Sprintf("%d:%d %s", line, column, message))
}

// object is a Caller with all that a Caller may have.
type object struct{ properties map[string]any }

func (o *object) Call(method string, args []any) (any, error) {
	switch method {
	case "echo":
		return args[0], nil
	case "join":
		return fmt.Sprint(args...), nil
	case "fail":
		return nil, errors.New("it failed")
	}
	return nil, nil
}

func (o *object) Property(name string) (any, bool) {
	v, ok := o.properties[name]
	return v, ok
}

func (o *object) SetProperty(name string, value any) bool {
	o.properties[name] = value
	return true
}

func (o *object) Items() []any { return []any{"x", "y"} }

func TestHostObjects(t *testing.T) {
	t.Parallel()
	tests := []struct{ template, want, logged string }{
		{"$host.echo('a') $host.echo($plain)", "a 7", ""},
		{"[$host.nothing()][$host.nothing][$host]", "[][][]", ""},
		{"$host.id $host['id'] ${host.id}", "42 42 42", ""},
		{"#set($host.id = 'new')$host.id#set($host['other'] = 1)$host.other", "new1", ""},
		{"#foreach($x in $host)$x#end", "xy", ""},
		{"$host.echo($host).id", "42", ""},
		{"#define($d)text#end$host.echo($d).length()", "4", ""},
		{"$host.echo($host.join('a', $host.echo('b')))", "ab", ""},
		{"#set($m = {'h': $host})$m.h.id", "42", ""},
		{"a $host.fail()", "error: line 1, column 3: fail: it failed", ""},
		{"#set($x = $none + 1)", "", "1:17 arithmetic with a value that is not a number has no value"},
		{"#set($x = $none)", "", "1:1 #set of $x has no value, and is left out"},
		{"#if('a' < 1)#end", "", "1:9 a comparison with a value that is not a number is false"},
		{"#set($none.x = 1)", "", "1:6 cannot set $none.x: the part before has no value"},
	}
	for _, test := range tests {
		template, err := vtl.Compile(test.template)
		if err != nil {
			t.Fatal(err)
		}
		scope := &host{object: &object{properties: map[string]any{"id": "42"}}}
		out, err := template.Execute(t.Context(), nil, scope, vtl.Limits{})
		got := string(out)
		if err != nil {
			got = "error: " + err.Error()
		}
		logged, _, _ := strings.Cut(strings.Join(scope.logged, "\n"), "\n")
		if got != test.want || logged != test.logged {
			t.Errorf("%s: %q, logged %q", test.template, got, scope.logged)
		}
	}
}

// A template may be executed by many at a time, and leaves nothing behind.
func TestTemplatesAreShared(t *testing.T) {
	t.Parallel()
	template, err := vtl.Compile(`[$!left]#set($left = $i)#macro(m $x)$x#end#foreach($x in [1..3])#m($i)#end` +
		`#evaluate('#set($new = $i)$new')#if($i.toString().matches("(?=\d)\d+"))!#end`)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			object := jsonvalue.NewObject(1)
			object.Set("i", jsonvalue.Int(int64(i)))
			want := fmt.Sprintf("[]%d%d%d%d!", i, i, i, i)
			for range 20 {
				out, err := template.Execute(t.Context(), nil, variables{object}, vtl.Limits{RegexpTime: time.Hour})
				if err != nil || string(out) != want {
					t.Errorf("%s, %v, want %s", out, err, want)
				}
			}
		})
	}
	group.Wait()
}
