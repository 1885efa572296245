package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestIsConfiguration(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       bool
	}{
		{"a.yaml", "listen: :80\n", true},
		{"a.yaml", "listn: :80\nbogus: 1\n", true},
		{"a.yaml", "bogus: 1\n", false},
		{"a.yaml", "Resources: {}\nregion: eu-central-1\n", false},
		{"a.yaml", "Resorces: {}\n", false},
		{"a.json", `{"region": "eu-central-1"}`, true},
		{"a.yaml", "", false},
		{"a.yaml", "[", false},
		{"a.yaml", "- listen\n", false},
		{"stagedoor.yaml", "", true},
		{"stagedoor.prod.yml", "[", true},
		{"stagedoor.json", "", false},
	}
	for _, tt := range tests {
		file := filepath.Join(t.TempDir(), tt.name)
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := IsConfiguration(file); got != tt.want {
			t.Errorf("%s with %q: %v", tt.name, tt.text, got)
		}
	}
	folder := filepath.Join(t.TempDir(), "stagedoor.yaml")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if IsConfiguration(folder) || IsConfiguration("/does/not/exist/stagedoor.yaml") {
		t.Error("a folder, or nothing, is a configuration")
	}
}
