package gateway_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	. "github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// The events of one connection as a function receives them: specification,
// sections B.1 to B.4. The encoding itself is tested in package integration.
func TestEvents(t *testing.T) {
	t.Parallel()
	g := New(t, websocket.DriverAuto)
	g.Functions.Set("f", Returns(ok))
	g.Deploy(API("testapi123", Route{Key: "$connect", Function: "f"}, Route{Key: "$default", Function: "f"}, Route{Key: "$disconnect", Function: "f"}),
		&apigw.Stage{StageName: "dev", StageVariables: map[string]string{"name": "value"}})
	conn := raw(t, g)
	request := strings.Replace(upgrade, "GET /dev ", "GET /dev?b=1&a=query%20value&b=2 ", 1)
	_, _ = io.WriteString(conn, strings.TrimSuffix(request, "\r\n")+"x-lower: kept\r\nX-MiXeD: kept too\r\nx-lower: again\r\n"+
		"User-Agent: ua\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: gopher\r\n\r\n")
	if response, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || response.StatusCode != 101 {
		t.Fatal(response, err)
	}
	_, _ = conn.Write([]byte{0x81, 0x82, 0, 0, 0, 0, 'h', 'i'})
	g.Functions.Wait(t, "f", 2)
	_ = conn.Close()
	events := g.Functions.Wait(t, "f", 3)

	connect := events[0]
	port := g.Address[strings.LastIndexByte(g.Address, ':')+1:]
	wantHeaders := map[string]string{
		"Host": "x", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13", "User-Agent": "ua",
		"x-lower": "again", "X-MiXeD": "kept too", "X-Amzn-Trace-Id": connect.Headers["X-Amzn-Trace-Id"],
		"X-Forwarded-For": "192.0.2.1, 127.0.0.1", "X-Forwarded-Port": port, "X-Forwarded-Proto": "http",
	}
	if diff := cmp.Diff(wantHeaders, connect.Headers); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if got := connect.MultiValueHeaders["x-lower"]; !cmp.Equal(got, []string{"kept", "again"}) {
		t.Errorf("x-lower: %q", got)
	}
	if !strings.Contains(connect.Raw, `"queryStringParameters":{"a":"query value","b":"2"},"multiValueQueryStringParameters":{"a":["query value"],"b":["1","2"]},"stageVariables":{"name":"value"},"requestContext":`) {
		t.Errorf("query and stage variables: %s", connect.Raw)
	}
	for i, want := range [][]string{
		{"headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters", "stageVariables", "requestContext", "isBase64Encoded"},
		{"stageVariables", "requestContext", "body", "isBase64Encoded"},
		{"headers", "multiValueHeaders", "stageVariables", "requestContext", "isBase64Encoded"},
	} {
		if diff := cmp.Diff(want, keys(t, events[i].Raw)); diff != "" {
			t.Errorf("event %d, members in order (-want +got):\n%s", i, diff)
		}
	}
	checkIDs(t, events)
}

// checkIDs: specification, section B.1.
func checkIDs(t *testing.T, events []Event) {
	t.Helper()
	connection, request := regexp.MustCompile(`^[A-Za-z0-9_-]{18}==$`), regexp.MustCompile(`^[A-Za-z0-9_-]{15}=$`)
	seen := map[string]bool{}
	for _, e := range events {
		c := e.RequestContext
		if !connection.MatchString(c.ConnectionID) || c.ConnectionID != events[0].RequestContext.ConnectionID {
			t.Errorf("connection id %q", c.ConnectionID)
		}
		if !request.MatchString(c.RequestID) || seen[c.RequestID] {
			t.Errorf("request id %q", c.RequestID)
		}
		seen[c.RequestID] = true
		if !strings.Contains(e.Raw, `"extendedRequestId":"`+c.RequestID+`"`) {
			t.Errorf("the extended request id is another one: %s", e.Raw)
		}
	}
	message := events[1].RequestContext
	if !connection.MatchString(message.MessageID) || message.MessageID[8:] != message.ConnectionID[8:] || message.MessageID == message.ConnectionID {
		t.Errorf("message id %q on connection %q", message.MessageID, message.ConnectionID)
	}
}

// keys lists the members of a JSON object in their order.
func keys(t *testing.T, object string) []string {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(object))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	var names []string
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name.(string))
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
	}
	return names
}
