package template

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// fileNames are the names that a template may have in a folder, in the order in
// which they are looked for.
var fileNames = []string{"template.yaml", "template.yml", "template.json"}

// packaged is the file name of the template that the Serverless Framework
// makes.
const packaged = "cloudformation-template-update-stack.json"

// ErrNone is the error of Find, by errors.Is, for a folder without anything
// like a template.
var ErrNone = errors.New("the folder has no template")

// noneError is an ErrNone that names the folder.
type noneError struct{ folder string }

func (e *noneError) Error() string {
	return fmt.Sprintf("find template: folder %s has none of %s", e.folder, strings.Join(fileNames, ", "))
}

// Is makes errors.Is find ErrNone.
func (e *noneError) Is(target error) bool { return target == ErrNone }

// Find returns the template file that path stands for: path itself, or the
// template.yaml, template.yml or template.json of the folder it names; else the
// one that the Serverless Framework has put there, or the only one of CDK. The
// error says what to name where there are several or none.
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

// serverlessNames are the file names of configurations of the Serverless
// Framework. Its own program makes a template from one.
var serverlessNames = []string{"serverless.yml", "serverless.yaml", "serverless.json", "serverless.ts", "serverless.js"}

func isServerless(path string) bool { return slices.Contains(serverlessNames, filepath.Base(path)) }

// serverless is the error for a configuration of the Serverless Framework, and
// says how to make a template from it.
func serverless(folder, name string) error {
	return fmt.Errorf("find template: %s is not a template, but a configuration of the Serverless Framework, which makes one: run \"serverless package\" (or \"osls package\") and then give %s",
		filepath.Join(folder, name), filepath.Join(folder, ".serverless", packaged))
}

func baseNames(paths []string) []string {
	names := make([]string, len(paths))
	for i, path := range paths {
		names[i] = filepath.Base(path)
	}
	return names
}

// escapeGlob makes a pattern for filepath.Glob that matches a path and nothing
// else.
func escapeGlob(path string) string {
	if filepath.Separator != '/' {
		return path // patterns have no escape on Windows
	}
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}
