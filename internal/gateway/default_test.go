package gateway

import (
	"net/url"
	"testing"

	"github.com/stagedoor/stagedoor/internal/plan"
)

// A default stage takes what names none; what names one goes there, as ever.
func TestDefaultStage(t *testing.T) {
	t.Parallel()
	d := &directory{}
	for _, name := range []string{"dev", "prod"} {
		s := &stage{}
		s.plan.Store(&plan.Stage{APIID: "api", Name: name})
		d = d.withStage(stageKey{"api", name}, s)
	}
	for _, tt := range []struct {
		path            string
		stage, rest     string // without AnyPath
		anyStage, below string // with it
	}{
		{"", "dev", "", "dev", ""},
		{"/", "dev", "", "dev", ""},
		{"/dev", "dev", "", "dev", ""},
		{"/prod", "prod", "", "prod", ""},
		{"/rooms/42", "", "42", "dev", ""},
		{"/prod/42", "prod", "42", "dev", ""},
		{"/@connections/id=", "dev", "@connections/id=", "dev", "@connections/id="},
		{"/%40connections/id", "dev", "%40connections/id", "dev", "%40connections/id"},
		{"/prod/@connections/id", "prod", "@connections/id", "prod", "@connections/id"},
		{"/_aws/execute-api/api/prod", "prod", "", "prod", ""},
		{"/_aws/execute-api/other/prod", "", "", "", ""},
	} {
		for _, anyPath := range []bool{false, true} {
			d.standard = &Default{APIID: "api", Stage: "dev", AnyPath: anyPath}
			stage, rest := tt.stage, tt.rest
			if anyPath {
				stage, rest = tt.anyStage, tt.below
			}
			u, err := url.Parse(tt.path)
			if err != nil {
				t.Fatal(err)
			}
			got, name := d.find("localhost", u), ""
			if got.stage != nil {
				name = got.stage.plan.Load().Name
			}
			if name != stage || got.rest != rest {
				t.Errorf("%s, any path %v: stage %q, rest %q; want %q, %q", tt.path, anyPath, name, got.rest, stage, rest)
			}
		}
	}
	d.standard = &Default{APIID: "gone", Stage: "dev"}
	if got := d.find("localhost", &url.URL{Path: "/"}); got.stage != nil {
		t.Error("a default stage that is not there is found")
	}
	if d.withDomains(nil).standard == nil || d.withStage(stageKey{"api", "dev"}, nil).standard == nil {
		t.Error("a change forgets the default stage")
	}
}
