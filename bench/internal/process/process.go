//go:build linux

// Package process starts the programs that are measured, waits until they
// answer, and reads what they use from /proc.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// startup is how long a program may take until it accepts connections.
const startup = 60 * time.Second

// Spec describes a program to run.
type Spec struct {
	Name    string // in errors, and how its log's name begins
	Dir     string // to run in; empty: here
	Command []string
	Env     []string // besides this process's own
	Address string   // host:port that it will listen on; empty: it prints a line when it is ready
	Ready   string   // URL that is answered with 200 when it is ready; empty: it is when it listens
	LogDir  string   // standard error goes to a file here
}

// Process is a running program. Its standard output is dropped, so that the
// cost of reading it is not measured.
type Process struct {
	Name    string
	PID     int
	Address string
	// ReadyLine is what the program printed when it was ready, and Took the time
	// until then, where Spec has no address.
	ReadyLine []byte
	Took      time.Duration

	health  string // URL
	command *exec.Cmd
	done    chan struct{} // closed when it has ended
	log     string
}

// Start runs a program and waits until it is ready.
func Start(ctx context.Context, s Spec) (*Process, error) {
	log, err := os.CreateTemp(s.LogDir, s.Name+"-*.log")
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.Name, err)
	}
	defer log.Close()
	p := &Process{Name: s.Name, Address: s.Address, health: s.Ready, done: make(chan struct{}), log: log.Name()}
	p.command = exec.CommandContext(ctx, s.Command[0], s.Command[1:]...)
	p.command.Dir = s.Dir
	p.command.Env = append(os.Environ(), s.Env...)
	p.command.Stderr = log
	p.command.Cancel = func() error { return p.command.Process.Signal(syscall.SIGTERM) }
	p.command.WaitDelay = 5 * time.Second
	ready := p.waitReady
	if s.Address == "" {
		lines := &firstLine{found: make(chan []byte, 1)}
		p.command.Stdout = lines
		ready = func(ctx context.Context) error { return p.waitLine(ctx, lines) }
	}
	began := time.Now()
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", s.Name, err)
	}
	p.PID = p.command.Process.Pid
	go func() {
		defer close(p.done)
		_ = p.command.Wait() // how it ended does not matter: if it was still needed, connections fail
	}()
	if err := ready(ctx); err != nil {
		p.Stop()
		return nil, fmt.Errorf("%s: %w\n%s", s.Name, err, p.Log())
	}
	p.Took = time.Since(began)
	return p, nil
}

// firstLine takes a program's standard output, and passes on its first line.
type firstLine struct {
	text  []byte
	given bool
	found chan []byte // has room for the line
}

func (f *firstLine) Write(b []byte) (int, error) {
	if f.given {
		return len(b), nil
	}
	f.text = append(f.text, b...)
	if end := bytes.IndexByte(f.text, '\n'); end >= 0 {
		f.found <- f.text[:end]
		f.given = true
	}
	return len(b), nil
}

// waitLine waits for the line that says that the program is ready.
func (p *Process) waitLine(ctx context.Context, lines *firstLine) error {
	select {
	case p.ReadyLine = <-lines.found:
		return nil
	case <-p.done:
		return errors.New("it ended before it was ready")
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(startup):
		return errors.New("it does not get ready")
	}
}

// waitReady waits until the program accepts connections, and says that it is ready.
func (p *Process) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startup)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if c, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.Address); err == nil {
			c.Close()
			if p.healthy(ctx) {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-p.done:
			return errors.New("it ended before it accepted connections")
		case <-ctx.Done():
			return fmt.Errorf("it does not get ready on %s: %w", p.Address, ctx.Err())
		}
	}
}

// healthy reports whether the program says that it is ready, where it does at all.
func (p *Process) healthy(ctx context.Context) bool {
	if p.health == "" {
		return true
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.health, http.NoBody)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// Kill ends the program at once, as kill -9 does, and waits for its end.
func (p *Process) Kill() {
	_ = p.command.Process.Kill() // it may have ended by itself
	<-p.done
}

// Stop ends the program and waits for its end.
func (p *Process) Stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		_ = p.command.Process.Kill()
		<-p.done
	}
}

// Log is what the program has written to its standard error.
func (p *Process) Log() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// LogEnd is the end of it, for errors.
func (p *Process) LogEnd() string {
	text := p.Log()
	return text[max(0, len(text)-2000):]
}

// Signal sends the program a signal. It may have ended.
func (p *Process) Signal(s os.Signal) { _ = p.command.Process.Signal(s) }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// FreeAddress returns an address of this machine on which nothing listens now.
func FreeAddress() (string, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("looking for a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}
