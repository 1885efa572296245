package mapping_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/mapping"
	"github.com/stagedoor/stagedoor/internal/vtl"
)

// A hostile template or message ends with an error, which the client does not
// see (E.3, E.6).
func TestHostileTemplates(t *testing.T) {
	t.Parallel()
	long := `{"text": "` + strings.Repeat("x", 100_000) + `", "l": [` + strings.Repeat("[],", 5000) + `[]]}`
	templates := []string{
		"#foreach($i in [1..1000])#foreach($j in [1..1000])#foreach($k in [1..1000])x#end#end#end",
		"#foreach($i in [1..1000])#set($x = $input.json('$'))#end",
		"#foreach($i in [1..1000])#set($x = $input.json('$..nothing'))#end",
		"#foreach($i in [1..1000])#set($x = $util.base64Encode($input.body))#end",
		"#foreach($i in [1..1000])#set($x = $util.parseJson($input.body))#end",
		"#set($x = $input.body)#foreach($i in [1..1000])#set($x = $util.urlEncode(\"$x$x\"))#end",
		"#macro(m)#m()#m()#end#m()",
		"#set($r = $input.path('$'))$r.l.add($r)$util.escapeJavaScript($r)",
		"#set($r = $input.path('$'))$r.l.add($r)$context.requestOverride.header.put('x', $r)",
	}
	for _, template := range templates {
		requests := compileRequest(t, &apigw.Integration{RequestTemplates: map[string]string{"$default": template}})
		_, err := requests.Map(t.Context(), mapping.NewExchange(&fakeEvent{Text: long}))
		if !errors.Is(err, vtl.ErrLimit) {
			t.Errorf("%s: %v, want a limit", template, err)
		}
		if got := outcome(err); got != "configuration" {
			t.Errorf("%s: the client sees %s", template, got)
		}
	}
}

// A loop goes round 1,000 times, and no more (E.3).
func TestIterations(t *testing.T) {
	t.Parallel()
	c := goldenCase{template: "#set($n = 0)#foreach($i in [1..5000])#set($n = $n + 1)#end$n"}
	if got := c.render(t); got != "1000" {
		t.Error(got)
	}
}

// A template ends with the time that the integration has.
func TestDeadline(t *testing.T) {
	t.Parallel()
	requests := compileRequest(t, &apigw.Integration{RequestTemplates: map[string]string{
		"$default": "#foreach($i in [1..1000])#foreach($j in [1..1000])$i#end#end",
	}})
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	_, err := requests.Map(ctx, mapping.NewExchange(new(fakeEvent)))
	if got := outcome(err); !errors.Is(err, context.DeadlineExceeded) || got != "timeout" {
		t.Error(got, err)
	}
}

// Messages that are not asked for are not parsed, and paths made out of
// messages do not pile up.
func TestPathsFromMessages(t *testing.T) {
	t.Parallel()
	c := goldenCase{
		template: `#foreach($i in [0..999])#set($last = $input.path("$.l[$i]"))#end$last`,
		event:    `{"message": "{\"l\": [` + strings.Repeat("1,", 999) + `7]}"}`,
	}
	if got := c.render(t); got != "7" {
		t.Error(got)
	}
}

// The log names the template and the line that failed.
func TestFailuresAreNamed(t *testing.T) {
	t.Parallel()
	i := &apigw.Integration{
		RequestTemplates: map[string]string{"$default": "\n#set($l = [])\n$l.get(1)"},
		IntegrationResponses: []*apigw.IntegrationResponse{{
			IntegrationResponseKey: "/200/", ResponseTemplates: map[string]string{"$default": "$input.json('$[')"},
		}},
	}
	_, err := compileRequest(t, i).Map(t.Context(), mapping.NewExchange(new(fakeEvent)))
	if want := `requestTemplates["$default"]: line 3, column 1: `; err == nil || !strings.HasPrefix(err.Reason, want) {
		t.Errorf("%v, want %s", err, want)
	}
	_, err = compileResponses(t, i).Map(t.Context(), mapping.NewExchange(new(fakeEvent)), &mapping.Response{Status: 200})
	if want := `integration response "/200/": responseTemplates["$default"]: line 1, column 1: `; err == nil || !strings.HasPrefix(err.Reason, want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// What is probably a mistake is told to the event that comes upon it first.
func TestTemplatesAreLogged(t *testing.T) {
	t.Parallel()
	requests := compileRequest(t, &apigw.Integration{RequestTemplates: map[string]string{"$default": "\n #set($x = $none)"}})
	e := new(fakeEvent)
	if _, err := requests.Map(t.Context(), mapping.NewExchange(e)); err != nil {
		t.Fatal(err)
	}
	if want := `requestTemplates["$default"] 2:2 #set of $x has no value`; len(e.logged) != 1 || !strings.HasPrefix(e.logged[0], want) {
		t.Errorf("%q, want %s", e.logged, want)
	}
}

// What is compiled is shared by all events of an integration.
func TestMappingsAreShared(t *testing.T) {
	t.Parallel()
	i := &apigw.Integration{
		RequestTemplates: map[string]string{"$default": `$input.path("$.l[$input.path('$.i')]")#set($context.responseOverride.header.X = $input.path('$.i'))`},
		IntegrationResponses: []*apigw.IntegrationResponse{{
			IntegrationResponseKey: "$default", ResponseTemplates: map[string]string{"$default": "$context.responseOverride.header.X$input.json('$')"},
		}},
	}
	requests, responses := compileRequest(t, i), compileResponses(t, i)
	var group sync.WaitGroup
	for n := range 8 {
		group.Go(func() {
			message := fmt.Sprintf(`{"i": %d, "l": [0, 10, 20, 30, 40, 50, 60, 70]}`, n)
			for range 20 {
				x := mapping.NewExchange(&fakeEvent{Text: message})
				request, err := requests.Map(t.Context(), x)
				if err != nil {
					t.Error(err)
					return
				}
				reply, err := responses.Map(t.Context(), x, &mapping.Response{Status: 200, Body: request.Body})
				if got, want := describeReply(reply, err), fmt.Sprintf("%[1]d%[2]d 200 map[X:[%[1]d]]", n, n*10); got != want {
					t.Errorf("%s, want %s", got, want)
				}
			}
		})
	}
	group.Wait()
}

// Bytes that are no UTF-8 do no harm.
func TestMessagesThatAreNoText(t *testing.T) {
	t.Parallel()
	requests := compileRequest(t, &apigw.Integration{RequestTemplates: map[string]string{
		"$default": `$input.body|$input.json('$.a')|$util.escapeJavaScript($input.body)|$util.urlEncode($input.body)`,
	}})
	request, err := requests.Map(t.Context(), mapping.NewExchange(&fakeEvent{Text: "{\"a\": \"\xFF\"}"}))
	if err != nil || !strings.Contains(string(request.Body), "|\"\uFFFD\"|") {
		t.Errorf("%q, %v", request.Body, err)
	}
}
