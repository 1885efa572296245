package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// loggedTemplate is an application of one mock with an access log.
const loggedTemplate = `Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: chat, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties:
      ApiId: !Ref Api
      StageName: dev
      AutoDeploy: true
      AccessLogSettings:
        DestinationArn: !Sub arn:aws:logs:${AWS::Region}:${AWS::AccountId}:log-group:chat
        Format: '{"id":"$context.requestId","type":"$context.eventType"}'
      DefaultRouteSettings: {LoggingLevel: INFO}
  Mock:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Api, IntegrationType: MOCK, RequestTemplates: {"application/json": '{"statusCode":200}'}}
  Default:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: $default, Target: !Sub "integrations/${Mock}"}
`

// The program writes access logs and execution logs where it is told to.
func TestDevAccessLog(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "access.log")
	if err := os.WriteFile(file, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	execution := filepath.Join(t.TempDir(), "execution.log")
	for to, steps := range map[string]string{file: execution, "-": "-"} {
		d := exec.Command(os.Args[0], "dev", templateFile(t, loggedTemplate), "--access-log", to, "--execution-log", steps, "--json",
			"--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--detached")
		d.Env = append(os.Environ(), asProgram+"=1", "XDG_CACHE_HOME="+t.TempDir())
		stdout := &logFile{}
		d.Stdout = stdout
		if err := d.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Process.Kill() })
		stdout.await(t, `"event":"ready"`)
		var ready struct{ Public string }
		if err := json.Unmarshal([]byte(strings.SplitN(stdout.String(), "\n", 2)[0]), &ready); err != nil {
			t.Fatal(err)
		}
		c, _, err := websocket.Dial(t.Context(), strings.Replace(ready.Public, "http", "ws", 1)+"/dev", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.CloseNow()
		written := func() string {
			if to == "-" {
				return "before\n" + stdout.String()
			}
			text, _ := os.ReadFile(file)
			return string(text)
		}
		gatewaytest.Eventually(t, func() error {
			text := written()
			connect, disconnect := strings.Index(text, `","type":"CONNECT"}`+"\n"), strings.Index(text, `","type":"DISCONNECT"}`+"\n")
			if !strings.HasPrefix(text, "before\n") || connect < 0 || disconnect < connect {
				return fmt.Errorf("%s: %q", to, text)
			}
			return nil
		})
		line := regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \([A-Za-z0-9_=-]{16}\) Client \[Connection Id: [^]]+\] connected to API \[[^]]+\] successfully\.$`)
		gatewaytest.Eventually(t, func() error {
			text := stdout.String()
			if steps != "-" {
				written, _ := os.ReadFile(steps)
				text = string(written)
			}
			if !line.MatchString(text) {
				return fmt.Errorf("%s: %q", steps, text)
			}
			return nil
		})
		_ = d.Process.Signal(os.Interrupt)
		if err := d.Wait(); err != nil {
			t.Errorf("it ended with %v", err)
		}
	}
}

// A format that API Gateway refuses is refused alike by check, dev and deploy; one that
// is doubtful is warned of.
func TestAccessLogFormats(t *testing.T) {
	t.Parallel()
	const refused = "template.yaml:13: Stage: The following errors are found in Access Log Format: Access Log format must include either $context.requestId or $context.extendedRequestId : "
	bad := templateFile(t, strings.Replace(loggedTemplate, "$context.requestId", "$context.stage", 1))
	for _, args := range [][]string{{"check", bad}, {"dev", bad, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, {"deploy", bad, "--gateway", "http://127.0.0.1:1", "--yes"}} {
		if got := execute(t.Context(), strings.NewReader(""), args...); got.code != exitFailure || !strings.Contains(got.stderr, refused) {
			t.Errorf("%s: %+v", args[0], got)
		}
	}
	doubtful := templateFile(t, strings.Replace(loggedTemplate, `"$context.eventType"`, `$context.eventTime`, 1))
	got := execute(t.Context(), strings.NewReader(""), "check", doubtful)
	for _, want := range []string{
		`Stage AccessLogSettings.Format: $context.eventTime does not exist: it is printed as "-"; did you mean eventType?`,
		`AccessLogSettings.Format: not in quotes: $context.eventTime: where there is no value "-" is printed, and the line is no JSON`,
	} {
		if got.code != exitOK || !strings.Contains(got.stdout, want) {
			t.Errorf("%s is not in %+v", want, got)
		}
	}
	if got := execute(t.Context(), strings.NewReader(""), "dev", doubtful, "--access-log", "/nowhere/access.log"); got.code != exitFailure || !strings.Contains(got.stderr, "--access-log: open /nowhere/access.log: ") {
		t.Errorf("a file that cannot be written: %+v", got)
	}
}
