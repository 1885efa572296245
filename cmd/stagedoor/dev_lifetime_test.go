//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// detachingTemplate has a function that starts processes which are in no group of
// its, and answers with their ids: one in a session of its own, and one without an
// environment.
const detachingTemplate = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      Name: detaching
      StageName: dev
      RouteSelectionExpression: $request.body.action
      Routes:
        $default: {FunctionArn: !GetAtt Detaching.Arn}
  Response:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref ApiDefaultRoute, RouteResponseKey: $default}
  Detaching:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 29
      Runtime: nodejs20.x
      Handler: index.handler
      InlineCode: |
        const { spawn } = require('child_process')
        const start = (options) => spawn('/bin/sh', ['-c', 'while :; do sleep 1; done'], { detached: true, stdio: 'ignore', ...options }).pid
        exports.handler = async () => ({ statusCode: 200, body: [process.pid, start({}), start({ env: { PATH: '/bin:/usr/bin' } })].join(' ') })
`

// alive reports whether a process is there, and not just waiting to be buried.
func alive(pid int) bool {
	for _, p := range processes() {
		if p.pid == pid {
			return p.state != "Z" && p.state != "X"
		}
	}
	return false
}

// devBelow is `stagedoor dev --json` below a shell.
type devBelow struct {
	shell *exec.Cmd
	pid   int   // of dev
	below []int // processes that a function has started
}

// startBelow runs dev as the child of a shell, in the words given: $DEV stands for
// the command.
func startBelow(t *testing.T, words string) *devBelow {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("there is no node to run the functions with")
	}
	// The output is a file: a pipe that nobody reads would end dev as well.
	output := filepath.Join(t.TempDir(), "output")
	dev := fmt.Sprintf("%s dev %s --json --listen 127.0.0.1:0 --admin 127.0.0.1:0", os.Args[0], templateFile(t, detachingTemplate))
	d := &devBelow{shell: exec.Command("/bin/sh", "-c", strings.ReplaceAll(words, "$DEV", dev+" >"+output+" 2>&1"))}
	d.shell.Env = append(os.Environ(), asProgram+"=1")
	d.shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := d.shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	// Tests that run below nohup ignore SIGHUP, and so would dev, which takes that as
	// the wish that it stay. A signal that is caught here is no longer ignored there.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	err = d.shell.Start()
	signal.Stop(caught)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = d.shell.Process.Kill()
		if d.pid != 0 {
			_ = syscall.Kill(d.pid, syscall.SIGTERM)
			gatewaytest.Eventually(t, func() error {
				if alive(d.pid) {
					return fmt.Errorf("dev does not end on SIGTERM")
				}
				return nil
			})
		}
		_ = d.shell.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if d.pid, _ = strconv.Atoi(strings.TrimSpace(line)); d.pid == 0 {
		t.Fatalf("the shell said %q: %v", line, err)
	}
	var ready struct{ Event, Public string }
	gatewaytest.Eventually(t, func() error {
		content, err := os.ReadFile(output)
		first, _, found := strings.Cut(string(content), "\n")
		if err != nil || !found || json.Unmarshal([]byte(first), &ready) != nil || ready.Event != "ready" {
			return fmt.Errorf("dev is not ready: %v %s", err, content)
		}
		return nil
	})
	p := &program{t: t, Public: ready.Public, log: &logFile{}}
	d.list(t, ask(t, p.dial("/dev"), "{}"))
	return d
}

// list takes note of the processes that the function says it has started.
func (d *devBelow) list(t *testing.T, answer string) {
	t.Helper()
	for _, word := range strings.Fields(answer) {
		pid, err := strconv.Atoi(word)
		if err != nil || !alive(pid) {
			t.Fatalf("the function answered %s", answer)
		}
		d.below = append(d.below, pid)
	}
	if len(d.below) != 3 {
		t.Fatalf("the function answered %s", answer)
	}
}

// gone waits until dev and all below it have ended.
func (d *devBelow) gone(t *testing.T) {
	t.Helper()
	gatewaytest.Eventually(t, func() error {
		for _, pid := range append([]int{d.pid}, d.below...) {
			if alive(pid) {
				return fmt.Errorf("process %d is still there (dev is %d, below it %v)", pid, d.pid, d.below)
			}
		}
		return nil
	})
}

// dev ends with the process that started it, even when that is killed, and leaves
// nothing behind: not even what a function detached from itself.
func TestDevEndsWithItsParent(t *testing.T) {
	t.Parallel()
	d := startBelow(t, "$DEV & echo $!; wait")
	if err := d.shell.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	d.gone(t)
}

// Whoever wants dev to stay says so, in one of the usual ways.
func TestDevStaysDetached(t *testing.T) {
	t.Parallel()
	for name, words := range map[string]string{
		"--detached": "$DEV --detached & echo $!; wait",
		"nohup":      "nohup $DEV & echo $!; wait",
		"setsid":     "setsid $DEV & echo $!; wait",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := startBelow(t, words)
			if err := d.shell.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = d.shell.Wait()
			// Another one, which doesn't stay, starts and ends meanwhile.
			other := startBelow(t, "$DEV & echo $!; wait")
			if err := other.shell.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			other.gone(t)
			if !alive(d.pid) {
				t.Error("dev has ended")
			}
			_ = syscall.Kill(d.pid, syscall.SIGTERM)
			d.gone(t)
		})
	}
}

// Nobody who reads the output any more: dev ends, in order.
func TestDevEndsWithItsOutput(t *testing.T) {
	t.Parallel()
	command := exec.Command(os.Args[0], "dev", templateFile(t, mockTemplate), "--json", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	command.Env = append(os.Environ(), asProgram+"=1")
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	var ready struct{ Public string }
	if err != nil || json.Unmarshal(line, &ready) != nil {
		t.Fatalf("%s: %v", line, err)
	}
	_ = stdout.Close()
	request(t, "GET", ready.Public+"/nowhere", "") // has it print something
	exited := make(chan error, 1)
	go func() { exited <- command.Wait() }()
	var ended error
	gatewaytest.Eventually(t, func() error {
		select {
		case ended = <-exited:
			return nil
		default:
			return fmt.Errorf("dev goes on with nobody to read its output")
		}
	})
	if ended != nil {
		t.Errorf("it ended with %v", ended)
	}
}
