package conformance

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReload saves files of an application while a client stays connected.
func TestReload(t *testing.T) {
	t.Parallel()
	requireCommand(t, "node")
	d := start(t, copyApplication(t, "testdata/versions"))
	client := d.dial("")
	client.expectVersion("first")

	t.Log("a saved function: the next invocation runs the new code")
	function := filepath.Join("function", "index.mjs")
	d.edit(function, `"first"`, `"second"`)
	d.await("notice", func(e event) bool { return strings.Contains(e.Text, "index.mjs changed") })
	client.expectVersion("second")

	t.Log("a function that is broken by a mistake, and mended")
	d.edit(function, `const version = "second";`, `const version = ;`)
	d.await("notice", func(e event) bool { return strings.Contains(e.Text, "index.mjs changed") })
	client.send(`{"action":"version"}`)
	client.expectFailure("Internal server error")
	d.edit(function, `const version = ;`, `const version = "third";`)
	d.await("notice", func(e event) bool { return strings.Contains(e.Text, "index.mjs changed") })
	client.expectVersion("third")

	t.Log("a saved template: the open connection gets its new route")
	client.send(`{"action":"other"}`)
	client.expectFailure("Forbidden")
	d.edit("template.yaml", "      Routes:\n", `      Routes:
        other:
          FunctionArn: !GetAtt Function.Arn
          RouteResponseSelectionExpression: $default
`)
	d.await("reloaded", nil)
	d.edit("template.yaml", "  VersionResponse:\n", `  OtherResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties:
      ApiId: !Ref Api
      RouteId: !Ref ApiOtherRoute
      RouteResponseKey: $default

  VersionResponse:
`)
	d.await("reloaded", func(e event) bool { return len(e.APIs) == 1 && len(e.APIs[0].Routes) == 2 })
	client.send(`{"action":"other"}`)
	client.expectText("third")

	t.Log("a broken template: the mistakes are told, and what ran goes on")
	d.edit("template.yaml", "RouteId: !Ref ApiOtherRoute", "RouteId: !Ref AnotherRoute")
	rejected := d.await("rejected", nil)
	want := problem{File: filepath.Join(d.dir, "template.yaml"), Line: d.lineOf("template.yaml", "AnotherRoute"), Resource: "OtherResponse"}
	if len(rejected.Problems) != 1 {
		t.Fatalf("problems: %+v, want one", rejected.Problems)
	}
	got := rejected.Problems[0]
	if !strings.Contains(got.Message, "AnotherRoute") {
		t.Errorf("the message doesn't name what is wrong: %s", got.Message)
	}
	if got.Message = ""; got != want {
		t.Errorf("problem %+v, want %+v", got, want)
	}
	client.send(`{"action":"other"}`)
	client.expectText("third")

	t.Log("the template mended")
	d.edit("template.yaml", "RouteId: !Ref AnotherRoute", "RouteId: !Ref ApiOtherRoute")
	d.await("reloaded", nil)
	client.expectVersion("third")
}

// edit replaces a text in a file of the application, as an editor does that
// writes a new file and moves it to the old one's place.
func (d *dev) edit(name, before, after string) {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	content, err := os.ReadFile(path)
	if err != nil {
		d.t.Fatal(err)
	}
	if !strings.Contains(string(content), before) {
		d.t.Fatalf("%s does not contain %q", name, before)
	}
	err = os.WriteFile(path+"~", []byte(strings.Replace(string(content), before, after, 1)), 0o644)
	if err == nil {
		err = os.Rename(path+"~", path)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// lineOf is the number of the first line of a file that contains a text.
func (d *dev) lineOf(name, text string) int {
	d.t.Helper()
	content, err := os.ReadFile(filepath.Join(d.dir, name))
	if err != nil {
		d.t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(content), text)
	return strings.Count(before, "\n") + 1
}

func (c *client) expectVersion(version string) {
	c.t.Helper()
	c.send(`{"action":"version"}`)
	c.expectText(version)
}

func (c *client) expectText(want string) {
	c.t.Helper()
	if got := c.receive(); got != want {
		c.t.Fatalf("received %q, want %q", got, want)
	}
}

// expectFailure fails the test unless the next message is the gateway's error.
func (c *client) expectFailure(message string) {
	c.t.Helper()
	var frame struct{ Message, ConnectionID, RequestID string }
	got := c.receive()
	if err := json.Unmarshal([]byte(got), &frame); err != nil || frame.Message != message || frame.RequestID == "" {
		c.t.Fatalf("received %q, want the error %q", got, message)
	}
}
