package template

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// fileNames are the names that a template has in a folder, in the order they
// are looked for.
var fileNames = []string{"template.yaml", "template.yml", "template.json"}

// packaged is what the Serverless Framework names the template that it makes.
const packaged = "cloudformation-template-update-stack.json"

// ErrNone is what the error of Find is for a folder without anything like a
// template.
var ErrNone = errors.New("the folder has no template")

// noneError is ErrNone with the folder.
type noneError struct{ folder string }

func (e *noneError) Error() string {
	return fmt.Sprintf("find template: folder %s has none of %s", e.folder, strings.Join(fileNames, ", "))
}

// Is makes it an ErrNone.
func (e *noneError) Is(target error) bool { return target == ErrNone }

// Find returns the template file that path stands for: path itself, or the
// template.yaml, template.yml or template.json of the folder it names; else the
// one that the Serverless Framework has put there, or the only one of CDK.
func Find(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("find template: %w", err)
	}
	if !info.IsDir() {
		if isServerless(path) {
			return "", serverless(filepath.Dir(path), filepath.Base(path))
		}
		return path, nil
	}
	for _, name := range append(slices.Clip(fileNames), packaged) {
		file := filepath.Join(path, name)
		if info, err := os.Stat(file); err == nil && !info.IsDir() {
			return file, nil
		}
	}
	synthesized, err := filepath.Glob(filepath.Join(escapeGlob(path), "*.template.json"))
	switch {
	case err == nil && len(synthesized) == 1:
		return synthesized[0], nil
	case err == nil && len(synthesized) > 1:
		return "", fmt.Errorf("find template: folder %s has %d templates, name one of them: %s", path, len(synthesized), strings.Join(baseNames(synthesized), ", "))
	}
	for _, name := range serverlessNames {
		if isFile(filepath.Join(path, name)) {
			return "", serverless(path, name)
		}
	}
	return "", &noneError{path}
}

// serverlessNames are the configurations of the Serverless Framework, of which a
// template is made by its own program.
var serverlessNames = []string{"serverless.yml", "serverless.yaml", "serverless.json", "serverless.ts", "serverless.js"}

func isServerless(path string) bool { return slices.Contains(serverlessNames, filepath.Base(path)) }

// serverless says how a configuration of the Serverless Framework is run.
func serverless(folder, name string) error {
	return fmt.Errorf("find template: %s is no template, but what the Serverless Framework makes one of: run \"serverless package\" (or \"osls package\") and then give %s",
		filepath.Join(folder, name), filepath.Join(folder, ".serverless", packaged))
}

func baseNames(paths []string) []string {
	names := make([]string, len(paths))
	for i, path := range paths {
		names[i] = filepath.Base(path)
	}
	return names
}

// escapeGlob makes a pattern that matches a path and nothing else.
func escapeGlob(path string) string {
	if filepath.Separator != '/' {
		return path // there is no escape in patterns on Windows
	}
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}
