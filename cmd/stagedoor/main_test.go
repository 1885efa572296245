package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// asProgram makes the test's binary the program itself, so that a test can send
// it signals without building it first.
const asProgram = "STAGEDOOR_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	goleak.VerifyTestMain(m)
}

// result is what a run of the command line left behind.
type result struct {
	code           int
	stdout, stderr string
}

// execute runs a command line in process, away from any terminal.
func execute(ctx context.Context, stdin io.Reader, args ...string) result {
	var stdout, stderr bytes.Buffer
	code := run(ctx, &process{
		args:       args,
		env:        func(string) string { return "" },
		stdin:      stdin,
		stdout:     &stdout,
		stderr:     &stderr,
		isTerminal: func(any) bool { return false },
	})
	return result{code, stdout.String(), stderr.String()}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args           string
		code           int
		stdout, stderr string // parts of the output
	}{
		{"version", exitOK, "stagedoor development ", ""},
		{"--help", exitOK, "Usage: stagedoor <command>", ""},
		{"connect --help", exitOK, "--subprotocol", ""},
		{"", exitUsage, "", "stagedoor: expected one of"},
		{"dance", exitUsage, "", "stagedoor: unexpected argument dance"},
		{"connect", exitUsage, "", `stagedoor: expected "<url>"`},
		{"connect --dance localhost", exitUsage, "", "unknown flag --dance"},
		{"connect -w soon localhost", exitUsage, "", "--wait"},
		{"connect ftp://localhost", exitUsage, "", "its scheme must be ws or wss"},
		{"connect -H nonsense localhost", exitUsage, "", `"nonsense" is not a header`},
		{"connect --ca /does/not/exist localhost", exitUsage, "", "no such file"},
		{"connect --ca main_test.go localhost", exitUsage, "", "holds no PEM certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			got := execute(t.Context(), strings.NewReader(""), strings.Fields(tt.args)...)
			if got.code != tt.code {
				t.Errorf("exit code %d, want %d", got.code, tt.code)
			}
			if !strings.Contains(got.stdout, tt.stdout) || !strings.Contains(got.stderr, tt.stderr) {
				t.Errorf("output %q and %q, want %q and %q in them", got.stdout, got.stderr, tt.stdout, tt.stderr)
			}
			if tt.code != exitOK && got.stdout != "" {
				t.Errorf("standard output of a usage error: %q", got.stdout)
			}
		})
	}
}
