package gateway_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// Templates and messages that are made to hold up the gateway, or to bring out
// what it is made of: specification, sections E.3 to E.6. Each ends with a frame
// of API Gateway's, and the connection and its neighbours go on.
func TestRunawayTemplates(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 20_000) + "!"
	slow := `{"s":"` + strings.Repeat("a", 40) + `!"}` // for a backtracking engine
	deep := strings.Repeat("[", 9000) + strings.Repeat("]", 9000)
	tests := []struct {
		name, template, message string
		want                    string // "any" for a failure or the answer
	}{
		{"nested loops", `#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])#end#end#end`, `{}`, internalFrame},
		{"a range past all numbers", `#foreach($a in [1..99999999999])#end`, `{}`, "any"},
		{"a range past memory", `#set($a = [0..2000000000])$a.size()`, `{}`, "any"},
		{"evaluate that evaluates itself", `#set($t = '#evaluate($t)')#evaluate($t)`, `{}`, internalFrame},
		{"evaluate of a message", `#evaluate($input.path('$.s'))`, `{"s":"#set($t = '#evaluate($t)')#evaluate($t)"}`, internalFrame},
		{"define that prints itself", `#define($d)$d$d#end$d`, `{}`, "any"},
		{"macro that calls itself", `#macro(m)#m()#m()#end#m()`, `{}`, internalFrame},
		{"a text that doubles", `#set($s = "ab")#foreach($i in [1..60])#set($s = "$s$s")#end`, `{}`, internalFrame},
		{"a text that doubles by a method", `#set($s = "ab")#foreach($i in [1..60])#set($s = $s.concat($s))#end`, `{}`, internalFrame},
		{"a text that grows by replacing", `#foreach($i in [1..60])#set($s = $input.body.replaceAll("a", $input.body))#end`, `{"s":"` + long + `"}`, internalFrame},
		{"a list that holds itself", `#set($l = [1])#set($x = $l.add($l))$l`, `{}`, internalFrame},
		{"a map that holds itself", `#set($m = {})#set($m.m = $m)$m.toString() $m.hashCode() $m.equals($m)`, `{}`, internalFrame},
		{"a list that grows while it is gone through", `#set($l = [1])#foreach($i in $l)#set($x = $l.add($l.size()))#end`, `{}`, "any"},
		{"a list of lists that doubles", `#set($l = ["aaaaaaaa"])#foreach($i in [1..60])#set($l = [$l, $l])#end$l`, `{}`, internalFrame},
		{"a regular expression of the message", `$input.path('$.s').matches("(a+)+$")`, `{"s":"` + long + `"}`, internalFrame},
		{"a regular expression with look-around", `$input.path('$.s').matches("(?!x)(a+)+")`, slow, internalFrame},
		{"a pattern out of the message", `$input.path('$.s').matches($input.path('$.p'))`, `{"s":"` + strings.Repeat("a", 40) + `!","p":"(?!x)(a+)+"}`, internalFrame},
		{"a split into very many", `#foreach($i in [1..1000])#set($x = $input.path('$.s').split(""))#end`, `{"s":"` + long + `"}`, internalFrame},
		{"a path with a regular expression", `$input.json("$..[?(@.s =~ /(?!x)(a+)+/)]")`, `{"x":[` + strings.Repeat(slow+",", 100) + slow + `]}`, internalFrame},
		{"a path that searches all of all", `#foreach($i in [1..1000])$input.json("$..[?(@..x)]..y")#end`, `{"l":[` + strings.Repeat(`{"x":[]},`, 2000) + `1]}`, internalFrame},
		{"a path that joins a list that holds itself", `#set($l = $input.path('$.l'))#set($x = $l.add($l))#set($x = $l.add($l))$input.path('$.concat($.l)')`, `{"l":[1]}`, internalFrame},
		{"a path out of the message", `$input.json($input.path('$.p'))`, `{"p":"$` + strings.Repeat("..*", 2000) + `"}`, internalFrame},
		{"a deep message", `$input.json('$') $input.path('$')`, deep, "any"},
		{"a deep text", `$util.parseJson($input.body)`, `"` + deep + `"`, "any"},
		{"a template deeply nested", strings.Repeat("#if(true)", 2000) + strings.Repeat("#end", 2000), `{}`, "any"},
		{"arithmetic without end", `#set($n = 9)#foreach($i in [1..1000])#set($n = $n * $n)#end$n`, `{}`, internalFrame},
		{"an index far away", `#set($l = [])$l.get(99999999999)`, `{}`, internalFrame},
		{"reflection", `$input.class.forName("java.lang.Runtime").getRuntime().exec("id") $util.getClass() $context.class`, `{}`, "any"},
	}
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("echo", Echo)
	g.DeployRoutes(Route{Key: "$default", Function: "echo", TwoWay: true})
	neighbour := g.Dial("/dev")
	for i, test := range tests {
		mock := Mock(test.template + `{"statusCode": 200}`)
		mock.IntegrationResponses = []*apigw.IntegrationResponse{answering("$default", "ended")}
		stage := fmt.Sprint("hostile", i)
		g.Deploy(API(fmt.Sprintf("hostile%03d", i), Route{Key: "$default", Integration: mock, TwoWay: true}), &apigw.Stage{StageName: stage})
		c := g.Dial("/" + stage)
		for range 2 {
			c.Send(test.message)
			neighbour.Send("still here")
			if got := neighbour.Receive(); got != "still here" {
				t.Errorf("%s: the neighbour received %q", test.name, got)
			}
			switch got := c.Receive(); {
			case tellsOurs(got):
				t.Errorf("%s: the client reads %q", test.name, got)
			case describe(got) != test.want && (test.want != "any" || describe(got) != internalFrame && got != "ended"):
				t.Errorf("%s: received %.100q, want %q", test.name, got, test.want)
			}
		}
	}
	for _, r := range g.Records.All("message") {
		if strings.Contains(r.Error, "defect") || len(r.Error) > 500 {
			t.Errorf("log %.1000s", r.Error)
		}
	}
}
