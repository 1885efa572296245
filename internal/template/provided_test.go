package template

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The code of a function that the caller provides is not looked at; what else the
// template says of it counts.
func TestProvidedFunctions(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "template.yaml")
	source := `
Transform: AWS::Serverless-2016-10-31
Resources:
  Own: {Type: AWS::Serverless::Function, Properties: {CodeUri: missing/, Handler: App::Handle, Runtime: dotnet8, Timeout: 7}}
  Named: {Type: AWS::Lambda::Function, Properties: {FunctionName: named, Role: r, Code: {S3Bucket: b}, Timeout: 8}}
  Other: {Type: AWS::Serverless::Function, Properties: {CodeUri: missing/, Handler: h, Runtime: nodejs22.x}}
`
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	mine := map[string]bool{"Own": true, "named": true}
	o := Options{Provided: func(logicalID, name string) bool { return mine[logicalID] || mine[name] }}
	want := file + ":6: Other: the code folder missing/ does not exist"
	if _, err := Load(file, o); err == nil || err.Error() != want {
		t.Errorf("the error is %v, not %s", err, want)
	}
	mine["Other"] = true
	app, err := Load(file, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(app.Functions) != 3 || app.Functions[0].Timeout != 7*time.Second || !strings.HasSuffix(app.Functions[1].ARN, ":named") {
		t.Errorf("the functions are %+v", app.Functions)
	}
	if len(app.Ignored) > 0 {
		t.Errorf("there is something to say: %v", app.Ignored)
	}
}
