//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/history"
	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/plane"
	"github.com/stagedoor/stagedoor/bench/internal/process"
)

// world is a gateway with the systems that it depends on: NATS servers that
// keep its configuration, a backend, a function, and a witness, which is this
// process and is never broken.
type world struct {
	*options
	log     *history.Log
	began   time.Time
	folder  string
	kept    bool
	disk    *disk
	clocks  *clocks
	public  string // host:port
	admin   string // URL
	nats    *program
	backend *program
	lambda  *program
	gateway *program
	witness *witness
	writer  *writer
	paths   []string     // where clients connect; the last one keeps the order of messages
	floods  int          // how many there have been
	most    atomic.Int64 // bytes of memory that the gateway took
	watched sync.WaitGroup
	ended   chan struct{} // closed when watching must end
}

// program is a program that can be broken and started again.
type program struct {
	spec    process.Spec
	starts  atomic.Int64
	current atomic.Pointer[process.Process]
	broken  atomic.Bool // its end is meant
}

func (p *program) start() error {
	spec := p.spec
	spec.Name = fmt.Sprintf("%s-%d", spec.Name, p.starts.Add(1))
	started, err := process.Start(context.Background(), spec)
	if err != nil {
		return err
	}
	p.current.Store(started)
	p.broken.Store(false)
	return nil
}

// ended reports whether the program was ended, or is about to be, since it had been
// started so many times.
func (p *program) ended(starts int64) bool { return p.broken.Load() || p.starts.Load() != starts }

func (p *program) kill() {
	p.broken.Store(true)
	p.current.Load().Kill()
}

func (p *program) stop() {
	if p == nil || p.current.Load() == nil {
		return
	}
	p.broken.Store(true)
	running := p.current.Load()
	running.Signal(syscall.SIGCONT)
	running.Stop()
}

func (w *world) start(ctx context.Context) (err error) {
	w.ended = make(chan struct{})
	if w.folder, err = os.MkdirTemp("", "stagedoor-chaos-"); err != nil {
		return err
	}
	if w.clocks, err = newClocks(w.folder); err != nil {
		return err
	}
	if err := w.build(ctx); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	w.witness = newWitness(w.log)
	w.disk = openDisk(filepath.Join(w.folder, "disk"))
	var addresses [5]string
	for i := range addresses {
		if addresses[i], err = process.FreeAddress(); err != nil {
			return err
		}
	}
	natsHost, natsPort, _ := strings.Cut(addresses[0], ":")
	w.public, w.admin = addresses[3], "http://"+addresses[4]
	named := func(name, address string, command ...string) *program {
		return &program{spec: process.Spec{Name: name, Address: address, LogDir: w.folder, Command: command}}
	}
	w.nats = named("nats", addresses[0], filepath.Join(w.folder, "nats-server"), "-a", natsHost, "-p", natsPort, "-js", "-sd", w.disk.folder)
	w.nats.spec.Env = []string{w.clocks.nats.Env()}
	w.backend = named("backend", addresses[1], self, backendCommand, addresses[1])
	w.lambda = named("function", addresses[2], self, backendCommand, addresses[2])
	configuration := filepath.Join(w.folder, "stagedoor.yaml")
	w.gateway = named("gateway", "", w.binary, "serve", "--json", "--config", configuration)
	w.gateway.spec.Env = []string{w.clocks.gateway.Env(), "ADMIN_SECRET=" + secret, fmt.Sprintf("WATCHDOG_USEC=%d", watchdog.Microseconds())}
	if err := os.WriteFile(configuration, w.configuration(addresses), 0o600); err != nil {
		return err
	}
	programs := []*program{w.nats, w.backend, w.lambda, w.gateway}
	if w.inside {
		programs = programs[1:]
	}
	for _, p := range programs {
		if err := p.start(); err != nil {
			return err
		}
	}
	if err := w.deploy(ctx); err != nil {
		return fmt.Errorf("making the APIs: %w", err)
	}
	w.watched.Go(w.watchMemory)
	w.watched.Go(w.watchEnds)
	return nil
}

func (w *world) configuration(addresses [5]string) []byte {
	kept := fmt.Sprintf(`nats: {url: "nats://%s", timeout: 2s}`, addresses[0])
	if w.inside {
		kept = "data: " + filepath.Join(w.disk.folder, "data")
	}
	return []byte(fmt.Sprintf(`listen: ["%s"]
admin: {listen: "%s"}
%s
functions: {witness: "%s", echo: "http://%s"}
credentials:
  - user: admin
    accessKeyId: %s
    secretAccessKeyEnv: ADMIN_SECRET
    policies: [{Version: 2012-10-17, Statement: {Effect: Allow, Action: "*", Resource: "*"}}]
shutdown: {timeout: 10s}
log: {events: none, summary: 10s}
`, addresses[3], addresses[4], kept, w.witness.url(), addresses[2], accessKeyID))
}

// build makes the programs, with clocks that can be set where that can be done. It
// runs in the folder of this module.
func (w *world) build(ctx context.Context) error {
	targets := map[string]string{"nats-server": "github.com/nats-io/nats-server/v2"}
	if w.binary == "" {
		w.binary = filepath.Join(w.folder, "stagedoor")
		targets["stagedoor"] = "./cmd/stagedoor"
	} else {
		w.clocks.reason = errors.New("a program that -gateway names has the clock of the machine")
	}
	if w.clocks.reason == nil {
		err := w.compile(ctx, targets, "-overlay", w.clocks.overlay)
		if err == nil || ctx.Err() != nil {
			return err
		}
		w.clocks.reason = err
	}
	return w.compile(ctx, targets)
}

func (w *world) compile(ctx context.Context, targets map[string]string, flags ...string) error {
	for name, target := range targets {
		arguments := append([]string{"build", "-trimpath", "-o", filepath.Join(w.folder, name)}, flags...)
		build := exec.CommandContext(ctx, "go", append(arguments, target)...)
		build.Dir = ".."
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if text, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w\n%s", name, err, text)
		}
	}
	return nil
}

// watchMemory reads how much memory the gateway takes.
func (w *world) watchMemory() {
	over := false
	w.every(500*time.Millisecond, func() {
		taken, err := process.Memory(w.gateway.current.Load().PID)
		if err != nil {
			return // it is being started
		}
		w.most.Store(max(w.most.Load(), taken))
		if limit := int64(w.memory) << 20; taken > limit && !over {
			over = true
			w.log.Violate("the gateway took %d MiB, and may take %d", taken>>20, limit>>20)
		}
	})
}

// watchdog is the time in which the gateway checks twice whether all of it is
// alive, as under a service manager. Half of it is longer than any fault.
const watchdog = 20 * time.Second

// checkLog looks for errors in the log of the gateway that ran last.
func (w *world) checkLog() {
	for _, bad := range []string{"part of the gateway hangs", "connections were cut", "another gateway has the node's number", "number is not claimed", "not looked for", "panic:", "DATA RACE"} {
		if log := w.gateway.current.Load().Log(); strings.Contains(log, bad) {
			_, log, _ = strings.Cut(log, bad)
			w.log.Violate("the gateway says: %s%.2000s", bad, log)
		}
	}
}

// watchEnds reports a gateway that ends by itself.
func (w *world) watchEnds() {
	w.every(100*time.Millisecond, func() {
		running := w.gateway.current.Load()
		select {
		case <-running.Done():
			if !w.gateway.broken.Swap(true) {
				w.log.Violate("the gateway ended by itself: %s", tail(running.Log()))
			}
		default:
		}
	})
}

func (w *world) every(interval time.Duration, do func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			do()
		case <-w.ended:
			return
		}
	}
}

// tail returns the end of a text.
func tail(text string) string { return text[max(0, len(text)-2000):] }

// settle waits until everything that is still due has come, and checks what the
// store has kept.
func (w *world) settle(ctx context.Context) error {
	if err := w.wait(ctx, "every $disconnect", func() error {
		if owed := w.log.Owed(); len(owed) > 0 {
			return fmt.Errorf("%d connections have no $disconnect, the first is %s", len(owed), owed[0])
		}
		return nil
	}); err != nil {
		w.log.Violate("%v", err)
	}
	return w.writer.check(ctx)
}

// healthy waits until the gateway works: its health checks pass, and messages
// are answered by every kind of backend.
func (w *world) healthy(ctx context.Context) error {
	w.checkLog()
	return w.wait(ctx, "the gateway's health", func() error {
		for _, path := range []string{"/healthz", "/readyz"} {
			if text, err := get(w.admin + path); err != nil || strings.Contains(text, "unavailable") {
				return fmt.Errorf("%s: %s %w", path, text, errors.Join(err, errors.New("not well")))
			}
		}
		socket, err := load.DialSocket(w.public, w.paths[0]+"?key=probe")
		if err != nil {
			return err
		}
		defer socket.Close()
		for _, action := range actions {
			answer, err := socket.Ask(fmt.Sprintf(`{"action":%q,"id":"probe"}`, action))
			if err != nil || strings.Contains(answer, `"message"`) {
				return fmt.Errorf("%s is answered %s %w", action, answer, errors.Join(err, errors.New("not well")))
			}
		}
		return w.checkSignatures(ctx)
	})
}

// recovery is the longest that anything may take until it works again.
const recovery = time.Minute

// wait calls check until it returns nil.
func (w *world) wait(ctx context.Context, what string, check func() error) error {
	deadline := time.Now().Add(recovery)
	for {
		err := check()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waited in vain for %s: %w", what, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

var impatient = &http.Client{Timeout: 5 * time.Second}

func get(url string) (string, error) {
	answer, err := impatient.Get(url)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errors.New(answer.Status)
	}
	return string(text), err
}

// say prints what happens, with the time.
func (w *world) say(format string, args ...any) {
	fmt.Printf("%6.1fs  %s\n", time.Since(w.began).Seconds(), fmt.Sprintf(format, args...))
}

// keep moves the logs to a folder that stays after the run, and returns it.
func (w *world) keep() string {
	w.kept = true
	return w.folder
}

func (w *world) close() {
	if w.ended != nil {
		close(w.ended)
		w.watched.Wait()
	}
	for _, p := range []*program{w.gateway, w.nats, w.backend, w.lambda} {
		p.stop()
	}
	if w.witness != nil {
		w.witness.close()
	}
	if w.disk != nil {
		w.disk.close()
	}
	if w.clocks != nil {
		w.clocks.close()
	}
	if w.folder != "" && !w.kept {
		_ = os.RemoveAll(w.folder)
	}
}

// client is one of the control plane, which signs by the gateway's clock.
func (w *world) client() *plane.Client {
	return plane.NewSigned(w.admin, signer(w.clocks.gateway.Now))
}

func marshal(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
