package template

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// fileNames are the names that a template has in a folder, in the order they
// are looked for.
var fileNames = []string{"template.yaml", "template.yml", "template.json"}

// Find returns the template file that path stands for: path itself, or the
// template.yaml, template.yml or template.json of the folder it names.
func Find(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("find template: %w", err)
	}
	if !info.IsDir() {
		return path, nil
	}
	for _, name := range fileNames {
		file := filepath.Join(path, name)
		if info, err := os.Stat(file); err == nil && !info.IsDir() {
			return file, nil
		}
	}
	return "", fmt.Errorf("find template: folder %s has none of %s", path, strings.Join(fileNames, ", "))
}
