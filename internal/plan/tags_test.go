package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/websocket"
)

// An unset tag means AWS's limits (specification, sections C.9 and G.1); the
// stage's tags win over the API's.
func TestLimits(t *testing.T) {
	t.Parallel()
	aws := websocket.Limits{
		FrameBytes: 32768, MessageBytes: 131072, NoBinary: true, Idle: 10 * time.Minute, Lifetime: 2 * time.Hour,
		InFlight: 16, QueueBytes: 1 << 20,
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
		{"durations", map[string]string{"stagedoor:idle-timeout": "90s"}, map[string]string{"stagedoor:max-duration": "none"},
			changed(func(l *websocket.Limits) { l.Idle, l.Lifetime = 90*time.Second, 0 }), ""},
		{"sizes", map[string]string{"stagedoor:max-frame": "none"}, map[string]string{"stagedoor:max-message": "1048576"},
			changed(func(l *websocket.Limits) { l.FrameBytes, l.MessageBytes = 0, 1<<20 }), ""},
		{"the stage wins", map[string]string{"stagedoor:idle-timeout": "1s"}, map[string]string{"stagedoor:idle-timeout": "2s"},
			changed(func(l *websocket.Limits) { l.Idle = 2 * time.Second }), ""},
		{"no duration", map[string]string{"stagedoor:idle-timeout": "soon"}, nil, aws, `tag stagedoor:idle-timeout: "soon" is not a duration`},
		{"negative", nil, map[string]string{"stagedoor:max-duration": "-1s"}, aws, "is not a duration"},
		{"no size", nil, map[string]string{"stagedoor:max-frame": "32k"}, aws, `"32k" is not a number of bytes`},
		{"not built yet", nil, map[string]string{"stagedoor:compression": "on"}, aws, "tag stagedoor:compression: not available"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, _, problems := tags(test.api, test.stage)
			if diff := cmp.Diff(test.want, *got); diff != "" {
				t.Errorf("limits (-want +got):\n%s", diff)
			}
			if test.problem == "" && len(problems) > 0 || test.problem != "" && (len(problems) != 1 || !strings.Contains(problems[0].String(), test.problem)) {
				t.Errorf("problems %v, want %q", problems, test.problem)
			}
		})
	}
}
