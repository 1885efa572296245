package vtl_test

import (
	"testing"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
	"github.com/stagedoor/stagedoor/internal/vtl"
)

// A mapping template of 30 lines, as one writes it to put a message into a
// table.
const mappingTemplate = `## A chat message becomes an item.
#set($root = $body)
#set($now = $time + 86400000)
#set($room = "lobby")
#if($root.room && $root.room != "")
  #set($room = $root.room)
#end
{
  "TableName": "messages",
  "Item": {
    "pk": {"S": "ROOM#${room}"},
    "sk": {"N": "$time"},
    "expires": {"N": "$now"},
    "connection": {"S": "$connectionId"},
    #if($root.urgent == true)
    "urgent": {"BOOL": true},
    #elseif($root.priority > 3)
    "priority": {"N": "$root.priority"},
    #else
    "priority": {"N": "0"},
    #end
    "text": {"S": "$root.text.replaceAll("x", "y")"},
    "length": {"N": "$root.text.length()"},
    "tags": {"L": [
      #foreach($tag in $root.tags)
      {"S": "$tag"}#if($foreach.hasNext),#end

      #end
    ]},
    "source": {"S": "websocket"}
  }
}`

const mappingVariables = `{
	"time": 1790000000000, "connectionId": "L0SM9cOFvHcCIhw=",
	"body": {"action": "send", "room": "garden", "text": "Hello everyone in the garden!", "priority": 7, "tags": ["a", "b", "c"]}
}`

func mapping(t testing.TB) (*vtl.Template, variables) {
	t.Helper()
	template, err := vtl.Compile(mappingTemplate)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jsonvalue.Parse([]byte(mappingVariables))
	if err != nil {
		t.Fatal(err)
	}
	object, _ := parsed.(*jsonvalue.Object)
	return template, variables{object}
}

// A mapping template of 30 lines takes at most 20 allocations.
func TestAllocations(t *testing.T) {
	template, vars := mapping(t)
	var out []byte
	allocations := testing.AllocsPerRun(100, func() {
		var err error
		if out, err = template.Execute(t.Context(), out[:0], vars, vtl.Limits{}); err != nil {
			t.Fatal(err)
		}
	})
	if parsed, err := jsonvalue.Parse(out); err != nil {
		t.Errorf("%v: %s %v", err, out, parsed)
	}
	if allocations > 20 {
		t.Errorf("%v allocations, more than 20", allocations)
	}
}

func BenchmarkMapping(b *testing.B) {
	template, vars := mapping(b)
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if out, err = template.Execute(b.Context(), out[:0], vars, vtl.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := vtl.Compile(mappingTemplate); err != nil {
			b.Fatal(err)
		}
	}
}
