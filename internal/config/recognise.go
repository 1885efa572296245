package config

import (
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/stagedoor/stagedoor/internal/shortfile"
	"github.com/stagedoor/stagedoor/internal/spelling"
)

// IsConfiguration reports whether a file is a configuration and not a template. Its
// keys decide, or its name where it has no keys that are known. A file that cannot be
// read is not a configuration, and neither is a pipe, which could not be read again.
func IsConfiguration(file string) bool {
	if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
		return false
	}
	text, err := readFile(file)
	if err != nil {
		return false
	}
	var document yaml.Node
	if yaml.Unmarshal(shortfile.QuoteSubjects(text), &document) != nil || len(document.Content) == 0 {
		return hasOurName(file)
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return hasOurName(file)
	}
	names := (&Config{}).keys().names()
	ours := false
	for i := 0; i < len(root.Content); i += 2 {
		name := root.Content[i].Value
		if name != "" && unicode.IsUpper(rune(name[0])) {
			return false // Resources, Transform, Parameters, …
		}
		ours = ours || (&Config{}).keys().find(name) != nil || spelling.Nearest(name, names) != ""
	}
	return ours || hasOurName(file)
}

// hasOurName reports whether a file is called stagedoor*.yaml or stagedoor*.yml.
func hasOurName(file string) bool {
	name := filepath.Base(file)
	return strings.HasPrefix(name, "stagedoor") && (strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml"))
}
