package plan

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/usage"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// What a gateway says takes the place of AWS's limits; tags win over it.
func TestLimitsOfTheGateway(t *testing.T) {
	t.Parallel()
	c := &Compiler{Region: "us-east-1", Backends: &integration.Builder{}}
	limits := func(tags map[string]string) websocket.Limits {
		t.Helper()
		api := &apigw.API{ApiId: "a", RouteSelectionExpression: "$request.body.action", Tags: tags}
		s, problems, err := c.Compile(&apigw.Deployment{API: api}, &apigw.Stage{StageName: "dev"})
		if err != nil || len(problems) > 0 {
			t.Fatal(err, problems)
		}
		return *s.Limits
	}
	if got := limits(nil); got.Idle != 10*time.Minute {
		t.Errorf("without a word: %+v", got)
	}
	c.SetLimits(usage.ConnectionLimits{Idle: time.Hour, Frame: 1, Message: 2})
	if got := limits(nil); got.Idle != time.Hour || got.Lifetime != 0 || got.FrameBytes != 1 || got.MessageBytes != 2 {
		t.Errorf("with limits: %+v", got)
	}
	if got := limits(map[string]string{"stagedoor:idle-timeout": "2s", "stagedoor:max-frame": "none"}); got.Idle != 2*time.Second || got.FrameBytes != 0 || got.MessageBytes != 2 {
		t.Errorf("with tags: %+v", got)
	}
}

// tagRow is a row of the table of tags, with its example.
var tagRow = regexp.MustCompile("(?m)^\\| `stagedoor:([a-z-]+)` \\| `([^`]+)` \\| ")

// The page has every tag that people set and no other, with an example that can be
// read.
func TestPageHasEveryTag(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, row := range tagRow.FindAllStringSubmatch(string(page), -1) {
		names = append(names, row[1])
		s := settings{limits: &websocket.Limits{}}
		if err := s.set(row[1], row[2]); err != nil {
			t.Errorf("the example of stagedoor:%s: %v", row[1], err)
		}
	}
	if diff := cmp.Diff(settable(), names); diff != "" {
		t.Errorf("tags of the page (-want +got):\n%s", diff)
	}
}

// An unset tag means AWS's limits (specification, sections C.9 and G.1); the
// stage's tags win over the API's.
func TestLimits(t *testing.T) {
	t.Parallel()
	aws := websocket.Limits{
		FrameBytes: 32768, MessageBytes: 131072, NoBinary: true, Idle: 10 * time.Minute, Lifetime: 2 * time.Hour,
		ControlRate: 100, InFlight: 16, QueueBytes: 1 << 20,
	}
	changed := func(change func(*websocket.Limits)) websocket.Limits {
		l := aws
		change(&l)
		return l
	}
	tests := []struct {
		name       string
		api, stage map[string]string
		want       websocket.Limits
		problem    string
	}{
		{"none", nil, nil, aws, ""},
		{"tags of others", map[string]string{"team": "blue"}, map[string]string{"stagedoor": "x"}, aws, ""},
		{"state of deploy", map[string]string{"stagedoor:stack": "chat", "stagedoor:logical-id": "Api"}, map[string]string{"stagedoor:deployed": "d1 0a"}, aws, ""},
		{"kept by a file", map[string]string{"stagedoor:managed-by": "file"}, map[string]string{"stagedoor:managed-by": "file"}, aws, ""},
		{"durations", map[string]string{"stagedoor:idle-timeout": "90s"}, map[string]string{"stagedoor:max-duration": "none"},
			changed(func(l *websocket.Limits) { l.Idle, l.Lifetime = 90*time.Second, 0 }), ""},
		{"sizes", map[string]string{"stagedoor:max-frame": "none"}, map[string]string{"stagedoor:max-message": "1048576"},
			changed(func(l *websocket.Limits) { l.FrameBytes, l.MessageBytes = 0, 1<<20 }), ""},
		{"the stage wins", map[string]string{"stagedoor:idle-timeout": "1s"}, map[string]string{"stagedoor:idle-timeout": "2s"},
			changed(func(l *websocket.Limits) { l.Idle = 2 * time.Second }), ""},
		{"ordered", map[string]string{"stagedoor:ordered": "true"}, nil, changed(func(l *websocket.Limits) { l.InFlight = 1 }), ""},
		{"ordered, but for a stage", map[string]string{"stagedoor:ordered": "true"}, map[string]string{"stagedoor:ordered": "false"}, aws, ""},
		{"ordered how", map[string]string{"stagedoor:ordered": "yes"}, nil, aws, `tag stagedoor:ordered: "yes" is neither true nor false`},
		{"no duration", map[string]string{"stagedoor:idle-timeout": "soon"}, nil, aws, `tag stagedoor:idle-timeout: "soon" is not a duration`},
		{"negative", nil, map[string]string{"stagedoor:max-duration": "-1s"}, aws, "is not a duration"},
		{"no size", nil, map[string]string{"stagedoor:max-frame": "32k"}, aws, `"32k" is not a number of bytes`},
		{"not built yet", nil, map[string]string{"stagedoor:compression": "on"}, aws, "tag stagedoor:compression: not available"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, _, problems := tags(usage.AWSConnection, test.api, test.stage)
			if diff := cmp.Diff(test.want, *got); diff != "" {
				t.Errorf("limits (-want +got):\n%s", diff)
			}
			if test.problem == "" && len(problems) > 0 || test.problem != "" && (len(problems) != 1 || !strings.Contains(problems[0].String(), test.problem)) {
				t.Errorf("problems %v, want %q", problems, test.problem)
			}
		})
	}
}
