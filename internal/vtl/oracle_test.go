package vtl_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// Where Debian's package velocity has its parts.
var velocityJars = []string{
	"/usr/share/java/velocity.jar",
	"/usr/share/java/commons-collections3.jar",
	"/usr/share/java/commons-lang.jar",
}

// TestVelocity runs the golden cases with Apache Velocity 1.7. Where it prints
// something else, the case says what, and why we differ.
func TestVelocity(t *testing.T) {
	t.Parallel()
	java, err := exec.LookPath("java")
	if err != nil {
		t.Skip("there is no java to run Apache Velocity with")
	}
	if _, err := exec.LookPath("javac"); err != nil {
		t.Skip("there is no Java compiler for the program that runs Apache Velocity")
	}
	for _, jar := range velocityJars {
		if _, err := os.Stat(jar); err != nil {
			t.Skipf("Debian's package velocity is not installed: %v", err)
		}
	}
	files := goldenFiles(t)
	var input bytes.Buffer
	for _, file := range files {
		for _, c := range file.cases {
			fmt.Fprintln(&input, encoded(strings.TrimSpace(c.template)), javaValue(c.variables(t).object))
		}
	}
	command := exec.CommandContext(t.Context(), java, "-XX:TieredStopAtLevel=1", "-cp",
		strings.Join(velocityJars, string(filepath.ListSeparator)), "testdata/Oracle.java")
	command.Stdin = &input
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	lines := strings.Split(string(output), "\n")
	for _, file := range files {
		changed := false
		for _, c := range file.cases {
			line := lines[0]
			lines = lines[1:]
			changed = checkVelocity(t, file, c, line) || changed
		}
		if changed {
			file.save(t)
		}
	}
}

// checkVelocity compares what Velocity printed with what a case says of it, and
// reports whether it changed the case.
func checkVelocity(t *testing.T, file goldenFile, c *goldenCase, line string) bool {
	t.Helper()
	got, message := "error", line
	if text, ok := strings.CutPrefix(line, "= "); ok {
		decoded, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		got = string(decoded)
	}
	ours := c.prints
	if strings.HasPrefix(ours, "error: ") {
		ours = "error"
	}
	want := ours
	if c.differs {
		want = c.velocity
		if c.reason == "" {
			t.Errorf("%s: %s differs without a reason", file.path, c.name)
		}
	}
	if got == want && (!c.differs || got != ours) {
		return false
	}
	if *update {
		c.velocity, c.differs = got, got != ours
		return true
	}
	t.Errorf("%s: %s\n%s\n%s%s", file.path, c.name, c.template, cmp.Diff(want, got), message)
	return false
}

func encoded(text string) string {
	return base64.StdEncoding.EncodeToString([]byte(text)) + "."
}

// javaValue writes a value for the Java program: a letter for its type, and its
// parts, each with a space before it.
func javaValue(v any) string {
	switch v := v.(type) {
	case bool:
		return fmt.Sprint("b ", v)
	case string:
		return "s " + encoded(v)
	case jsonvalue.Number:
		return "n " + v.String()
	case *jsonvalue.List:
		text := fmt.Sprint("l ", v.Len())
		for _, item := range v.Items {
			text += " " + javaValue(item)
		}
		return text
	case *jsonvalue.Object:
		text := fmt.Sprint("m ", v.Len())
		for name, value := range v.All() {
			text += " " + encoded(name) + " " + javaValue(value)
		}
		return text
	}
	return "0"
}
