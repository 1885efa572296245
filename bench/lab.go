//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/process"
)

// peerFolder has the application that runs on serverless-offline.
var peerFolder = filepath.Join("peers", "serverless-offline")

// lab is the programs that run during the measurements.
type lab struct {
	folder  string // of this run: logs, the gateway's program
	binary  string
	backend *process.Process
	gateway *process.Process
	before  *process.Process // nil: left out
	peer    *process.Process // nil: left out
}

// newLab builds and starts what is measured. It must run in the folder of this
// module.
func newLab(ctx context.Context, o *options) (*lab, error) {
	folder, err := os.MkdirTemp("", "stagedoor-bench-")
	if err != nil {
		return nil, fmt.Errorf("folder of this run: %w", err)
	}
	l := &lab{folder: folder, binary: o.binary}
	if err := l.start(ctx, o); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *lab) start(ctx context.Context, o *options) (err error) {
	if err := l.build(ctx); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("starting the backend: %w", err)
	}
	address, err := process.FreeAddress()
	if err != nil {
		return err
	}
	l.backend, err = process.Start(ctx, process.Spec{
		Name: "backend", Command: []string{self, backendCommand, address}, Address: address, LogDir: l.folder,
	})
	if err != nil {
		return err
	}
	if l.gateway, err = l.startGateway(ctx, "stagedoor", l.binary); err != nil {
		return err
	}
	if o.before != "" {
		if l.before, err = l.startGateway(ctx, "before", o.before); err != nil {
			return err
		}
	}
	if !o.peer {
		return nil
	}
	l.peer, err = l.startPeer(ctx)
	return err
}

// build makes the gateway's program, the way that releases are made.
func (l *lab) build(ctx context.Context) error {
	if l.binary != "" {
		return nil
	}
	l.binary = filepath.Join(l.folder, "stagedoor")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", l.binary, "./cmd/stagedoor")
	build.Dir = ".."
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the gateway: %w\n%s", err, output)
	}
	return nil
}

// startGateway runs a build of the gateway; the name is that of its log.
func (l *lab) startGateway(ctx context.Context, name, binary string) (*process.Process, error) {
	address, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	return process.Start(ctx, process.Spec{
		Name: name, Address: address, LogDir: l.folder,
		Command: []string{
			binary, "dev", filepath.Join("gateway", "template.yaml"), "--json",
			"--listen", address, "--admin", "127.0.0.1:0", "--parameter", "Backend=" + l.backendURL(),
		},
	})
}

// startPeer runs serverless-offline with what makes it fastest: handlers in
// its own process (by default each concurrent call has a thread of its own),
// and no line of log for each call.
func (l *lab) startPeer(ctx context.Context) (*process.Process, error) {
	if err := npmInstall(ctx, peerFolder); err != nil {
		return nil, err
	}
	ports := make([]string, 0, 3)
	var address string
	for range cap(ports) {
		var err error
		if address, err = process.FreeAddress(); err != nil {
			return nil, err
		}
		ports = append(ports, address[strings.LastIndexByte(address, ':')+1:])
	}
	return process.Start(ctx, process.Spec{
		Name: "serverless-offline", Dir: peerFolder, Address: address, LogDir: l.folder,
		Command: []string{
			"node", filepath.Join("node_modules", "serverless", "bin", "serverless.js"), "offline",
			"--host", "127.0.0.1", "--httpPort", ports[0], "--lambdaPort", ports[1], "--websocketPort", ports[2],
			"--useInProcess", "--noSponsor",
		},
		Env: []string{
			"BACKEND=" + l.backendURL(), "SLS_LOG_LEVEL=error", "SLS_TELEMETRY_DISABLED=1", "SLS_NOTIFICATIONS_MODE=off",
			"AWS_ACCESS_KEY_ID=none", "AWS_SECRET_ACCESS_KEY=none",
		},
	})
}

// npmInstall installs what a folder's lock file says, once.
func npmInstall(ctx context.Context, folder string) error {
	lock, err := os.Stat(filepath.Join(folder, "package-lock.json"))
	if err != nil {
		return fmt.Errorf("npm packages: %w (run bench in its own folder)", err)
	}
	installed := filepath.Join(folder, "node_modules", ".package-lock.json")
	if i, err := os.Stat(installed); err == nil && i.ModTime().After(lock.ModTime()) {
		return nil
	}
	fmt.Println("Installing the npm packages of", folder)
	npm := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
	npm.Dir = folder
	if output, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci in %s: %w\n%s", folder, err, output)
	}
	now := time.Now()
	return os.Chtimes(installed, now, now)
}

func (l *lab) backendURL() string {
	return (&url.URL{Scheme: "http", Host: l.backend.Address, Path: backendPath}).String()
}

// close ends the programs and removes their files.
func (l *lab) close() {
	for _, p := range []*process.Process{l.peer, l.before, l.gateway, l.backend} {
		if p != nil {
			p.Stop()
		}
	}
	_ = os.RemoveAll(l.folder)
}

// describe says when and on what is measured.
func (l *lab) describe() string {
	parts := []string{
		time.Now().UTC().Format("2006-01-02"),
		fmt.Sprintf("%d × %s", runtime.NumCPU(), lineOf("/proc/cpuinfo", "model name")),
		"Linux " + firstLine("/proc/sys/kernel/osrelease"),
		runtime.Version(),
	}
	if l.peer != nil {
		if version, err := exec.Command("node", "--version").Output(); err == nil {
			parts = append(parts, "Node.js "+strings.TrimSpace(string(version)))
		}
	}
	load, _, _ := strings.Cut(firstLine("/proc/loadavg"), " ")
	return strings.Join(append(parts, "load before the run "+load), ", ") + "."
}

// firstLine is the first line of a file, empty where there is none.
func firstLine(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// lineOf is the value of a "name: value" line of a file.
func lineOf(path, name string) string {
	file, err := os.Open(path)
	if err != nil {
		return "unknown"
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if key, value, found := strings.Cut(lines.Text(), ":"); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
