//go:build unix

package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The pages of the documentation whose commands are run, in the order in which
// they stand there, by a reader in an empty folder. What is run is marked in the
// page by a comment that its readers do not see:
//
//	<!-- run -->            the block of commands that follows must succeed
//	<!-- run: COMMANDS -->  these do, which nobody has to read
//	<!-- run: prints TEXT -->  the block that follows succeeds and prints the text
//	<!-- start -->          the last command of the block that follows is a gateway
//	<!-- start: COMMANDS -->
//	<!-- file NAME -->      the block that follows is a file
//
// What a block sets, the next one has. Gateways listen on free ports, of which the
// last one's stand for those of the page.
var documentation = []string{
	"docs/self-host.md", "docs/authorize.md", "docs/tls.md", "docs/deploy.md", "docs/connect.md", "docs/tail.md", "docs/dev.md",
	"docs/migrate.md", "docs/integrations.md", "docs/embed.md", "docs/explain.md",
}

func TestDocumentation(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"aws", "bash", "openssl", "curl"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skipf("there is no %s command", name)
		}
	}
	for _, page := range documentation {
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join("..", page))
			if err != nil {
				t.Fatal(err)
			}
			steps := stepsOf(string(text))
			if len(steps) == 0 {
				t.Fatal("nothing of the page is run")
			}
			r := newReader(t)
			for _, s := range steps {
				if r.do(s); t.Failed() {
					return
				}
			}
		})
	}
}

// step is something that a page tells to do.
type step struct {
	line   int
	kind   string // run, start or file
	prints string // of run: what has to be printed
	name   string // of file
	text   string
}

var (
	mark  = regexp.MustCompile(`^<!-- (run|start|file)(?:: | )?(.*?) ?-->$`)
	fence = "```"
)

func stepsOf(page string) (steps []step) {
	lines := strings.Split(page, "\n")
	for i := 0; i < len(lines); i++ {
		found := mark.FindStringSubmatch(lines[i])
		if found == nil {
			continue
		}
		s := step{line: i + 1, kind: found[1]}
		prints, isPrints := strings.CutPrefix(found[2], "prints ")
		switch {
		case s.kind == "file":
			s.name = found[2]
		case isPrints:
			s.prints = prints
		case found[2] != "":
			s.text = found[2]
			steps = append(steps, s)
			continue
		}
		for i += 2; i < len(lines) && lines[i] != fence; i++ { // past the fence that opens it
			s.text += lines[i] + "\n"
		}
		steps = append(steps, s)
	}
	return steps
}

// reader is somebody who does what a page says.
type reader struct {
	t       *testing.T
	home    string            // where the reader is
	state   string            // what the shell has set
	gateway string            // the control plane of the gateway that was started last
	ports   *strings.Replacer // gives that gateway's ports for those of the page
}

func newReader(t *testing.T) *reader {
	t.Helper()
	r := &reader{t: t, home: t.TempDir(), ports: strings.NewReplacer()}
	r.state = filepath.Join(t.TempDir(), "state")
	bin := filepath.Join(r.home, ".bin")
	program := fmt.Sprintf(`#!/bin/sh
case $1 in
dev | serve) set -- "$@" --listen 127.0.0.1:0 --admin 127.0.0.1:0 ;;
deploy | tail) case $* in *--gateway*) ;; *) set -- "$@" --gateway "$GATEWAY" ;; esac ;;
esac
exec %s "$@"
`, binary)
	err := os.Mkdir(bin, 0o700)
	for name, text := range map[string]string{filepath.Join(bin, "stagedoor"): program, r.state: ""} {
		if err == nil {
			err = os.WriteFile(name, []byte(text), 0o700) //nolint:gosec // a program
		}
	}
	for _, name := range []string{"examples", "packaging"} {
		path, absent := filepath.Abs(filepath.Join("..", name))
		err = errors.Join(err, absent, os.Symlink(path, filepath.Join(r.home, name)))
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// do does a step. It fails the test where the page does not say how it goes.
func (r *reader) do(s step) {
	r.t.Helper()
	text := strings.NewReplacer("/etc/stagedoor", r.home+"/etc", "/var/lib/stagedoor", r.home+"/lib").Replace(r.ports.Replace(s.text))
	switch s.kind {
	case "file":
		if err := os.WriteFile(filepath.Join(r.home, s.name), []byte(text), 0o600); err != nil {
			r.t.Fatal(err)
		}
	case "start":
		r.start(s.line, text)
	default:
		var output bytes.Buffer
		command := r.shell(text + "\n{ export -p; declare -f; } > " + r.state + "\n")
		command.Stdout, command.Stderr = &output, &output
		err := command.Start()
		if err == nil {
			late := time.AfterFunc(patience, func() { _ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) })
			err = command.Wait()
			late.Stop()
		}
		if err != nil || !strings.Contains(output.String(), s.prints) {
			r.t.Errorf("line %d: %v, and %q is to be printed\n%s\nprinted:\n%s", s.line, err, s.prints, text, output.String())
		}
	}
}

// shell runs commands with what earlier ones have set, in a process group of its own.
func (r *reader) shell(text string) *exec.Cmd {
	command := exec.Command("bash", "-c", "set -ea -o pipefail; . "+r.state+"; GATEWAY="+r.gateway+"\n"+text)
	command.Dir = r.home
	command.Env = append(environment(), "PATH="+filepath.Join(r.home, ".bin")+":"+os.Getenv("PATH"), "AWS_PAGER=")
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return command
}

var addresses = regexp.MustCompile(`(?m)^ +(public|connect|admin|page) +(?:wss?|https?)://([^/\s]+)`)

// start runs a gateway in the background until it is ready, and ends it with the
// test.
func (r *reader) start(line int, text string) {
	r.t.Helper()
	output := &lockedOutput{}
	command := r.shell(text)
	command.Stdout, command.Stderr = output, output
	if err := command.Start(); err != nil {
		r.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	r.t.Cleanup(func() {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(patience):
			_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
			r.t.Errorf("line %d: the gateway does not end:\n%s", line, output)
			<-ended
		}
	})
	for end := time.Now().Add(patience); !strings.Contains(output.String(), "Ready in "); {
		select {
		case err := <-ended:
			ended <- err
			r.t.Fatalf("line %d: %v\n%s\nprinted:\n%s", line, err, text, output)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(end) {
			r.t.Fatalf("line %d: the gateway is not ready:\n%s", line, output)
		}
	}
	var pairs []string
	for _, found := range addresses.FindAllStringSubmatch(output.String(), -1) {
		port := found[2][strings.LastIndexByte(found[2], ':'):]
		if found[1] == "admin" {
			r.gateway = "http://127.0.0.1" + port
			pairs = append(pairs, ":8081", port)
		} else {
			pairs = append(pairs, ":8080", port)
		}
	}
	r.ports = strings.NewReplacer(pairs...)
}

// lockedOutput may be read while it is written.
type lockedOutput struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (o *lockedOutput) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *lockedOutput) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
