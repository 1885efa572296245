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

// IsConfiguration tells a configuration from a template: by its keys, or where
// the file cannot tell, by its name. A file that cannot be read is none, and a
// pipe, which can be read but once, is a template.
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

// hasOurName: stagedoor.yaml, or one with something in between.
func hasOurName(file string) bool {
	name := filepath.Base(file)
	return strings.HasPrefix(name, "stagedoor") && (strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml"))
}
