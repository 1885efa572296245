package dev

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/outputtest"
	"github.com/stagedoor/stagedoor/internal/telemetry"
)

// output keeps what is written to it.
type output struct{ outputtest.Buffer }

func (o *output) lines() []string {
	return strings.Split(strings.TrimSuffix(o.String(), "\n"), "\n")
}

// logged is mocks with an access log.
func logged(format string, routes ...string) string {
	return strings.Replace(mocks(routes...), "StageName: dev, ",
		"StageName: dev, AccessLogSettings: {DestinationArn: !GetAtt Lines.Arn, Format: '"+format+"'}, ", 1) +
		"\n  Lines: {Type: AWS::Logs::LogGroup}\n"
}

// Each event has a line, pushes too, whatever the log group is, and a new format holds
// from the next event on.
func TestDevAccessLog(t *testing.T) {
	t.Parallel()
	out := new(output)
	a := start(t, logged(`{"id":"$context.requestId","type":"$context.eventType","route":"$context.routeKey","status":"$context.status"}`, "hello=Mock"),
		func(c *Config) { c.AccessLog = out })
	c := a.dial(t, "/dev")
	if got := gatewaytest.Ask(t, c, `{"action":"hello"}`); got != "" {
		t.Fatalf("answered %q", got)
	}
	var id string
	a.eventually(t, "the connection", func() bool {
		for _, r := range a.of(telemetry.EventConnect) {
			id = r.ConnectionID
		}
		return id != ""
	})
	if status, _, text := request(t, "POST", a.Public+"/dev/@connections/"+strings.ReplaceAll(id, "=", "%3D"), "x"); status != 200 {
		t.Fatalf("pushing: %d %s", status, text)
	}
	a.eventually(t, "the lines", func() bool { return len(out.lines()) == 3 })
	for i, want := range []string{"CONNECT $connect 200", "MESSAGE hello 200", "CONNECTION_API POST /@connections/{connectionId} 200"} {
		var line map[string]string
		if err := json.Unmarshal([]byte(out.lines()[i]), &line); err != nil || line["type"]+" "+line["route"]+" "+line["status"] != want {
			t.Errorf("%v: %s, want %s", err, out.lines()[i], want)
		}
	}
	a.write(t, "template.yaml", logged("$context.eventType $context.requestId", "hello=Mock"))
	a.eventually(t, "the new format", func() bool { return len(a.reloaded) > 0 })
	_ = c.CloseNow()
	a.eventually(t, "a line of it", func() bool { return len(out.lines()) == 4 })
	if got := out.lines()[3]; !strings.HasPrefix(got, "DISCONNECT ") {
		t.Error(got)
	}
}

// A variable that does not exist is told of at the start, and with the first line, though
// nobody wants the log.
func TestDevAccessLogOfUnknownVariables(t *testing.T) {
	t.Parallel()
	a := start(t, logged("$context.requestId $context.identity.sourceIP $context.bytes $context.eventType", "hello=Mock"))
	warnings := strings.Join(a.Warnings, "\n")
	for _, want := range []string{
		`AccessLogSettings.Format: $context.identity.sourceIP does not exist: it is printed as "-"; did you mean identity.sourceIp?`,
		`AccessLogSettings.Format: $context.bytes does not exist`,
	} {
		if !strings.Contains(warnings, want) {
			t.Errorf("%s is not in\n%s", want, warnings)
		}
	}
	c := a.dial(t, "/dev")
	_ = gatewaytest.Ask(t, c, `{"action":"hello"}`)
	var connect, message []Record
	a.eventually(t, "the events", func() bool {
		connect, message = a.of(telemetry.EventConnect), a.of(telemetry.EventMessage)
		return len(connect) == 1 && len(message) == 1
	})
	want := "access log: $context.identity.sourceIP, $context.bytes do not exist: " + connect[0].RequestID + " - - CONNECT"
	if got := strings.Join(connect[0].Warnings, "\n"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if len(message[0].Warnings) != 0 {
		t.Errorf("told again: %q", message[0].Warnings)
	}
}
