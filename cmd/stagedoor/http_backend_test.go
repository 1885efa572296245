//go:build unix

package main

import (
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// threeCommands are a backend, the gateway in front of it, and a client, as the
// documentation has them.
var threeCommands = regexp.MustCompile("(?m)^```sh\n([^\n]+)\n([^\n]*stagedoor dev http://localhost:8000[^\n]*)\n([^\n]*stagedoor connect [^\n]+)\n```")

// The three commands of each backend in README and in docs/http-backend.md lead
// to an answer and a pushed message, with the ports changed and nothing else.
func TestDocumentedBackends(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, page := range []string{"README.md", "docs/http-backend.md"} {
		text, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		for _, commands := range threeCommands.FindAllStringSubmatch(string(text), -1) {
			found++
			t.Run(page+" "+strings.Fields(commands[1])[0], func(t *testing.T) {
				t.Parallel()
				runDocumented(t, root, commands[1:])
			})
		}
	}
	if found != 4 {
		t.Errorf("the pages have %d times three commands, not 4", found)
	}
}

// runDocumented runs a backend, the gateway and a client.
func runDocumented(t *testing.T, root string, commands []string) {
	t.Helper()
	interpreter := strings.Fields(commands[0])[0]
	if _, err := exec.LookPath(interpreter); err != nil {
		t.Skipf("%s is not installed", interpreter)
	}
	backend, gateway := freePort(t), freePort(t)
	environment := append(os.Environ(), asProgram+"=1", "PORT="+backend, "GATEWAY=http://127.0.0.1:"+gateway)
	changed := strings.NewReplacer(
		"go run ./cmd/stagedoor ", os.Args[0]+" ", "stagedoor ", os.Args[0]+" ", ":8000", ":"+backend, ":8080", ":"+gateway,
	)
	background := func(command string, said ...string) {
		t.Helper()
		out := &logFile{}
		c := exec.Command("sh", "-c", "exec "+command)
		c.Dir, c.Env, c.Stdout, c.Stderr = root, environment, out, out
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // "go run" has a child
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // it may have ended by itself
			_ = c.Wait()
		})
		for _, text := range said {
			out.await(t, text)
		}
	}
	background(commands[0], "waits on port "+backend)
	dev, _, _ := strings.Cut(changed.Replace(commands[1]), "#")
	background(dev+" --listen 127.0.0.1:"+gateway+" --admin 127.0.0.1:0", "Ctrl-C stops it.")
	client, _, _ := strings.Cut(changed.Replace(commands[2]), "#")
	background(client+" --wait -1", "you said hello\n", "you said push\n", "pushed to you\n")
}

// freePort is a port of 127.0.0.1 that nobody listened on a moment ago, and
// none of those that the system gives to others that ask for any.
func freePort(t *testing.T) string {
	t.Helper()
	for range 1000 {
		number := strconv.Itoa(10_000 + rand.IntN(20_000))
		if port, err := net.Listen("tcp", "127.0.0.1:"+number); err == nil {
			_ = port.Close()
			return number
		}
	}
	t.Fatal("no port is free")
	return ""
}
