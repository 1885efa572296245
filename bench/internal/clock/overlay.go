//go:build linux

package clock

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	// reading is where time.Now, and nothing else, asks for the time.
	reading = "\tsec, nsec, mono := runtimeNow()\n\tif mono == 0 {\n"
	// shifting is the same, and puts the wall clock ahead.
	shifting = "\tsec, nsec, mono := runtimeNow()\n\tsec, nsec = shifted(sec, nsec)\n\tif mono == 0 {\n"
)

// shift is a file of the package time: where time.Now learns how far it is ahead.
//
//go:embed shift.go.txt
var shift string

// Overlay writes files to a folder with which Go builds programs that go by a
// Clock, and gives the one to name to go build -overlay. The error says why the
// Go that is installed cannot.
func Overlay(folder string) (string, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("asking where Go is: %w", err)
	}
	source := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	text, err := os.ReadFile(filepath.Join(source, "time.go"))
	if err != nil {
		return "", fmt.Errorf("reading Go's own source: %w", err)
	}
	patched, err := patch(string(text))
	if err != nil {
		return "", err
	}
	replaced := make(map[string]string)
	for name, text := range map[string]string{
		"time.go":            patched,
		"stagedoor_shift.go": strings.ReplaceAll(shift, "VARIABLE", variable),
	} {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return "", err
		}
		replaced[filepath.Join(source, name)] = file
	}
	list, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return "", err
	}
	file := filepath.Join(folder, "overlay.json")
	return file, os.WriteFile(file, list, 0o600)
}

// patch has time.Now in Go's time.go put the wall clock ahead.
func patch(text string) (string, error) {
	if n := strings.Count(text, reading); n != 1 {
		return "", fmt.Errorf("the source of time.Now in this Go is another one than that which is known here: it reads the clock in %d places of the known form, not in 1", n)
	}
	return strings.Replace(text, reading, shifting, 1), nil
}
