package conformance

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// requireNode skips the test where Node.js, or the packages that package.json
// names, are not installed.
func requireNode(t *testing.T) {
	t.Helper()
	requireCommand(t, "node")
	if _, err := os.Stat(filepath.Join("node_modules", ".package-lock.json")); err != nil {
		t.Skip("the npm packages are not installed: run npm ci in conformance/")
	}
}

// requireCommand skips the test where a command of Node.js is not on PATH.
func requireCommand(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("there is no %s command: install Node.js 20 or newer", name)
	}
}

// program is a running program that the test talks to, line by line.
type program struct {
	t      *testing.T
	name   string
	in     io.WriteCloser
	out    *bufio.Scanner
	stderr bytes.Buffer
	cmd    *exec.Cmd
}

// run starts a program; it is killed, if it still runs, when patience ends.
func run(t *testing.T, variables []string, path string, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	p := &program{t: t, name: filepath.Base(path), cmd: exec.CommandContext(ctx, path, args...)}
	p.cmd.Env = append(os.Environ(), variables...)
	p.cmd.Stderr = &p.stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in, p.out = in, bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	t.Cleanup(func() {
		cancel()
		_ = p.cmd.Wait() // an error where it was waited for
	})
	return p
}

func (p *program) say(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		p.t.Fatalf("write to %s: %v\n%s", p.name, err, p.stderr.String())
	}
}

// hear returns the next line that the program prints.
func (p *program) hear() string {
	p.t.Helper()
	if !p.out.Scan() {
		err := p.cmd.Wait()
		p.t.Fatalf("%s said no more: %v\n%s", p.name, err, p.stderr.String())
	}
	return p.out.Text()
}

// end closes the program's input and expects it to end without an error.
func (p *program) end() {
	p.t.Helper()
	_ = p.in.Close()
	for p.out.Scan() {
		p.t.Errorf("%s printed more: %s", p.name, p.out.Text())
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("%s: %v\n%s", p.name, err, p.stderr.String())
	}
}
