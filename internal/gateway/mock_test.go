package gateway_test

import (
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// MOCK: specification, section D.5.
func TestMock(t *testing.T) {
	t.Parallel()
	const noStatus = "statusCode should be an integer defined in the request template"
	tests := []struct {
		name      string
		message   string
		request   string // template; "" for none
		responses []*apigw.IntegrationResponse
		want      string
		log       string
	}{
		{"empty body", `{"action":"x"}`, `{"statusCode": 200}`, passing, "", ""},
		{"names without quotes", `{"action":"x"}`, `{statusCode: 200}`, passing, "", ""},
		{"single quotes", `{"action":"x"}`, `{'statusCode': 200,}`, passing, "", ""},
		{"directives around it", `{"action":"x"}`, "#set($n = 201)\n{\"statusCode\": $n}\n", []*apigw.IntegrationResponse{answering("201", "made")}, "made", ""},
		{"status by the message", `{"action":"x","deny":true}`, `{"statusCode": #if($input.path('$.deny'))403#{else}200#end}`,
			[]*apigw.IntegrationResponse{answering("/4../", "denied"), answering("$default", "fine")}, "denied", ""},
		{"$input is the empty answer (E.6)", `{"action":"x"}`, `{"statusCode": 200}`, []*apigw.IntegrationResponse{answering("$default", "$input.body $context.stage")}, "{} dev", ""},
		{"the message as it is", `{"action":"x"}`, "", passing, internalFrame, noStatus},
		{"a message with a status", `{"action":"x","statusCode":200}`, "", []*apigw.IntegrationResponse{answering("200", "yes")}, "yes", ""},
		{"no status", `{"action":"x"}`, `{}`, passing, internalFrame, noStatus},
		{"a status that is no integer", `{"action":"x"}`, `{"statusCode": "200"}`, passing, internalFrame, noStatus},
		{"no object", `{"action":"x"}`, `200`, passing, internalFrame, noStatus},
		{"a hostile status", `{"action":"x","s":"\"}]<script>"}`, `{"statusCode": $input.json('$.s')}`, passing, internalFrame, noStatus},
		{"no integration response", `{"action":"x"}`, `{"statusCode": 200}`, nil, internalFrame, "No match for output mapping and no default output mapping configured. Endpoint Response Status Code: 200"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			g := New(t, websocket.DriverAuto)
			i := &apigw.Integration{IntegrationType: "MOCK", IntegrationResponses: test.responses}
			if test.request != "" {
				i = Mock(test.request)
				i.IntegrationResponses = test.responses
			}
			g.DeployRoutes(Route{Key: "x", Integration: i, TwoWay: true})
			c := g.Dial("/dev")
			c.Send(test.message)
			if got := describe(c.Receive()); got != test.want {
				t.Errorf("received %q, want %q", got, test.want)
			}
			if got := g.Records.Wait(t, "message", 1).Error; !strings.Contains(got, test.log) || test.log == "" && got != "" {
				t.Errorf("log %q, want %q", got, test.log)
			}
		})
	}
}

// A template that a message makes run away costs that message, not the
// neighbour, nor the process: sections E.3 and E.6.
func TestHostileTemplates(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("echo", Echo)
	for name, template := range map[string]string{
		"loop":      `#foreach($a in $input.path('$.l'))#foreach($b in $input.path('$.l'))#foreach($c in $input.path('$.l'))$c#end#end#end`,
		"output":    `#set($s = $input.path('$.s'))#foreach($a in $input.path('$.l'))#set($s = "$s$s")#end$s`,
		"recursion": `#macro(again)#again()#end#again()`,
		"evaluate":  `#evaluate($input.path('$.s'))`,
		"pattern":   `$input.path('$.s').replaceAll("(a+)+$", "b")`,
		"search":    `#foreach($a in $input.path('$.l'))$input.path('$..x..y..z')#end`,
	} {
		i := Mock(template + `{"statusCode": 200}`)
		i.IntegrationResponses, i.TimeoutInMillis = passing, 2000
		g.Deploy(API("hostile"+name, Route{Key: "x", Integration: i, TwoWay: true}), &apigw.Stage{StageName: name})
	}
	g.DeployRoutes(Route{Key: "$default", Function: "echo", TwoWay: true})
	neighbour := g.Dial("/dev")
	list := "[" + strings.TrimSuffix(strings.Repeat("1,", 900), ",") + "]"
	for _, name := range []string{"loop", "output", "recursion", "evaluate", "pattern", "search"} {
		c := g.Dial("/" + name)
		text := strings.Repeat("a", 5000) + "!"
		if name == "evaluate" {
			text = "#foreach($i in [1..999])#foreach($j in [1..999])#foreach($k in [1..999])#end#end#end"
		}
		c.Send(`{"action":"x","l":` + list + `,"s":"` + text + `"}`)
		for range 3 {
			neighbour.Send("still here")
			if got := neighbour.Receive(); got != "still here" {
				t.Errorf("%s: the neighbour received %q", name, got)
			}
		}
		switch got := describe(c.Receive()); got {
		case internalFrame, failing("Endpoint request timed out"), "":
		default:
			t.Errorf("%s: received %.200q", name, got)
		}
	}
}
