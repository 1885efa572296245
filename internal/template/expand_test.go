package template

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/mistake"
)

// sharedSAM holds SAM's own inputs and outputs, where they are there.
const sharedSAM = "../../../shared/sam"

// TestExpandAsSAM compares the expansion with SAM's own, errors included.
func TestExpandAsSAM(t *testing.T) {
	t.Parallel()
	inputs, err := filepath.Glob(filepath.Join(sharedSAM, "input", "*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(inputs) == 0 {
		t.Skip("SAM's own inputs and outputs are not there: " + sharedSAM)
	}
	for _, input := range inputs {
		name := strings.TrimSuffix(filepath.Base(input), filepath.Ext(input))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wanted, err := os.ReadFile(filepath.Join(sharedSAM, "output", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := Expand(input, Options{})
			if strings.HasPrefix(name, "error_") {
				compareSAMErrors(t, err, wanted)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(decode(t, wanted), decode(t, got)); diff != "" {
				t.Errorf("expansion (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(string(wanted), string(got)); diff != "" {
				t.Errorf("text of the expansion (-want +got):\n%s", diff)
			}
		})
	}
}

// compareSAMErrors compares problems with the error texts that SAM gives.
func compareSAMErrors(t *testing.T, err error, wanted []byte) {
	t.Helper()
	var document struct {
		Errors []struct {
			ErrorMessage string `json:"errorMessage"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(wanted, &document); err != nil {
		t.Fatal(err)
	}
	var problems mistake.List
	if !errors.As(err, &problems) {
		t.Fatalf("got %v, want problems", err)
	}
	var want, got []string
	for _, e := range document.Errors {
		want = append(want, e.ErrorMessage)
	}
	for _, p := range problems {
		got = append(got, p.Message)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func decode(t *testing.T, source []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(source, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
