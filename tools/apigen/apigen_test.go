package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// modelOf returns the pinned text of a model: from the folder that the variable
// AWS_MODELS names, or from the botocore of this machine, if it has the pinned one.
// Otherwise the test is skipped.
func modelOf(t *testing.T, s source) []byte {
	t.Helper()
	if folder := os.Getenv("AWS_MODELS"); folder != "" {
		text, err := s.read(folder)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		out, err := exec.CommandContext(t.Context(), python, "-c", "import botocore; print(botocore.__path__[0])").Output()
		if err != nil {
			continue
		}
		text, err := s.read(filepath.Join(strings.TrimSpace(string(out)), "data"))
		if err == nil && checksum(text) == s.sha256 {
			return text
		}
	}
	t.Skipf("the model %s of botocore %s is not on this machine; AWS_MODELS may name the folder that has it", s.path, botocore)
	return nil
}

func TestRegeneratingChangesNothing(t *testing.T) {
	t.Parallel()
	for _, target := range []target{wireV2, wireV1} {
		t.Run(target.name, func(t *testing.T) {
			t.Parallel()
			files, err := generate(modelOf(t, target.model), target)
			if err != nil {
				t.Fatal(err)
			}
			folder := filepath.Join("..", "..", "internal", "apigw", target.name)
			for name, want := range files {
				got, err := os.ReadFile(filepath.Join(folder, name))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(want), string(got)); diff != "" {
					t.Errorf("%s was edited, or the model changed; run make generate (-generated +checked in):\n%s", name, diff)
				}
			}
			checkedIn, err := filepath.Glob(filepath.Join(folder, "*.go"))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range checkedIn {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if name := filepath.Base(file); strings.HasPrefix(string(text), header) && files[name] == nil {
					t.Errorf("%s is generated no more", name)
				}
			}
		})
	}
}

// A model is taken from the network only as it was when it was pinned.
func TestFetch(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/data/service.json" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte("{}"))
	}))
	t.Cleanup(server.Close)
	for name, test := range map[string]struct {
		source source
		want   string // what the error says
	}{
		"pinned":  {source{"service.json", checksum([]byte("{}"))}, ""},
		"changed": {source{"service.json", checksum([]byte("[]"))}, "has the SHA-256"},
		"missing": {source{"other.json", checksum([]byte("{}"))}, "404 Not Found"},
	} {
		text, err := test.source.fetch(t.Context(), server.URL+"/data")
		switch {
		case test.want == "" && (err != nil || string(text) != "{}"):
			t.Errorf("%s: %q, %v", name, text, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
	}
}
