package mapping_test

import (
	"context"
	"errors"
	"strings"
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
		_, err := requests.Map(t.Context(), mapping.NewExchange(&event{Text: long}))
		if !errors.Is(err, vtl.ErrLimit) {
			t.Errorf("%s: %v, want a limit", template, err)
		}
		if got := outcome(err); got != "500 Internal server error" {
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
	_, err := requests.Map(ctx, mapping.NewExchange(new(event)))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
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

// Bytes that are no UTF-8 do no harm.
func TestMessagesThatAreNoText(t *testing.T) {
	t.Parallel()
	requests := compileRequest(t, &apigw.Integration{RequestTemplates: map[string]string{
		"$default": `$input.body|$input.json('$.a')|$util.escapeJavaScript($input.body)|$util.urlEncode($input.body)`,
	}})
	request, err := requests.Map(t.Context(), mapping.NewExchange(&event{Text: "{\"a\": \"\xFF\"}"}))
	if err != nil || !strings.Contains(string(request.Body), "|\"\uFFFD\"|") {
		t.Errorf("%q, %v", request.Body, err)
	}
}
