package template

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A folder has one template at most that is meant; what is none says what to do.
func TestFind(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ files, want string }{
		{"template.json template.yaml cdk.template.json", "template.yaml"},
		{"cloudformation-template-create-stack.json cloudformation-template-update-stack.json x.zip", "cloudformation-template-update-stack.json"},
		{"Chat.template.json manifest.json", "Chat.template.json"},
		{"a.template.json b.template.json", "has 2 templates, name one of them: a.template.json, b.template.json"},
		{"serverless.yml handler.js", `run "serverless package"`},
		{"serverless.ts", filepath.Join(".serverless", "cloudformation-template-update-stack.json")},
		{"app.js", "has none of template.yaml, template.yml, template.json"},
	} {
		folder := filepath.Join(t.TempDir(), "with [brackets]*")
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, name := range strings.Fields(test.files) {
			if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := Find(folder)
		switch {
		case err == nil && got == filepath.Join(folder, test.want):
		case err != nil && strings.Contains(err.Error(), test.want) && errors.Is(err, ErrNone) == strings.Contains(test.want, "has none"):
		default:
			t.Errorf("%s: %s, %v, want %s", test.files, got, err, test.want)
		}
	}
}
