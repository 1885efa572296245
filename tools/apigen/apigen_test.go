package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The models are not part of the repository.
var models = filepath.Join("..", "..", "..", "shared", "aws-models")

func TestRegeneratingChangesNothing(t *testing.T) {
	t.Parallel()
	for file, target := range map[string]target{"apigatewayv2.json.gz": wireV2, "apigateway-v1.json.gz": wireV1} {
		t.Run(target.name, func(t *testing.T) {
			t.Parallel()
			m, err := readModel(filepath.Join(models, file))
			if os.IsNotExist(err) {
				t.Skip("the service models are not on this machine")
			}
			if err != nil {
				t.Fatal(err)
			}
			files, err := generate(m, target)
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range files {
				got, err := os.ReadFile(filepath.Join("..", "..", "internal", "apigw", target.name, name))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), string(got)); diff != "" {
					t.Errorf("%s was edited, or the model changed (-generated +checked in):\n%s", name, diff)
				}
			}
		})
	}
}
