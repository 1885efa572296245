package mapping_test

import (
	"math"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// A mapping template of 30 lines that puts a message into a table.
const tableTemplate = `## A chat message becomes an item.
#set($root = $input.path('$'))
#set($expires = $context.requestTimeEpoch + 86400000)
#set($room = "lobby")
#if($root.room && $root.room != "")
  #set($room = $root.room)
#end
{
  "TableName": "$stageVariables.table",
  "Item": {
    "pk": {"S": "ROOM#${room}"},
    "sk": {"N": "$context.requestTimeEpoch"},
    "expires": {"N": "$expires"},
    "connection": {"S": "$context.connectionId"},
    #if($root.urgent == true)
    "urgent": {"BOOL": true},
    #elseif($root.priority > 3)
    "priority": {"N": "$root.priority"},
    #else
    "priority": {"N": "0"},
    #end
    "text": {"S": "$util.escapeJavaScript($root.text).replaceAll("\\'", "'")"},
    "body": $input.json('$.text'),
    "tags": {"L": [
      #foreach($tag in $root.tags)
      {"S": "$tag"}#if($foreach.hasNext),#end

      #end
    ]},
    "from": {"S": "$context.identity.sourceIp"}
  }
}`

const tableEvent = `{
	"message": "{\"action\": \"send\", \"room\": \"garden\", \"text\": \"Hello everyone in the garden!\", \"priority\": 7, \"tags\": [\"a\", \"b\", \"c\"]}",
	"context": {"requestTimeEpoch": 1790000000000, "connectionId": "L0SM9cOFvHcCIhw=", "identity.sourceIp": "192.0.2.1"},
	"stageVariables": {"table": "messages"}
}`

func tableMapping(t testing.TB) (*mapping.Requests, *fakeEvent) {
	t.Helper()
	requests := compileRequest(t, &apigw.Integration{
		TemplateSelectionExpression: "$request.body.action",
		RequestTemplates:            map[string]string{"send": tableTemplate},
	})
	return requests, readEvent(t, tableEvent)
}

// A template of 30 lines takes few allocations: one for each value of the
// message, and one for each that the template makes.
func TestAllocations(t *testing.T) {
	const most = 20
	requests, e := tableMapping(t)
	request, err := requests.Map(t.Context(), mapping.NewExchange(e))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jsonvalue.Parse(request.Body); err != nil || !request.Rendered {
		t.Fatalf("%v: %s", err, request.Body)
	}
	// Of many, for under the race detector pools lose things at random.
	least := math.MaxFloat64
	for range 50 {
		least = min(least, testing.AllocsPerRun(1, func() { _, _ = requests.Map(t.Context(), mapping.NewExchange(e)) }))
	}
	if least > most {
		t.Errorf("%v allocations, more than %d", least, most)
	}
}

func BenchmarkTemplate(b *testing.B) {
	requests, e := tableMapping(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := requests.Map(b.Context(), mapping.NewExchange(e)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	integration := &apigw.Integration{RequestTemplates: map[string]string{"$default": tableTemplate}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := mapping.CompileRequest(integration); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMockStatus(b *testing.B) {
	text := []byte(`{"statusCode": 200}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := mapping.MockStatus(text); err != nil {
			b.Fatal(err)
		}
	}
}
