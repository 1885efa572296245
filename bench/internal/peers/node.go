//go:build linux

package peers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/process"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// installNode copies the application of a peer, and installs the packages that it
// names where they are not there yet. It returns Node.js.
func installNode(name string) func(context.Context, string) (string, error) {
	return func(ctx context.Context, folder string) (string, error) {
		node, err := exec.LookPath("node")
		if err != nil {
			return "", err
		}
		source, installed := filepath.Join("peers", name), filepath.Join(folder, "node_modules", ".installed")
		packages, err := os.ReadFile(filepath.Join(source, "package.json"))
		if err != nil {
			return "", fmt.Errorf("%w (run bench in its own folder)", err)
		}
		have, err := os.ReadFile(installed)
		fresh := err == nil && bytes.Equal(have, packages)
		if !fresh {
			if err := os.RemoveAll(folder); err != nil {
				return "", err
			}
		}
		if err := copyFiles(folder, source); err != nil || fresh {
			return node, err
		}
		fmt.Println("Installing the npm packages of", name)
		if err := command(ctx, folder, nil, "npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"); err != nil {
			return "", err
		}
		return node, os.WriteFile(installed, packages, 0o600)
	}
}

// copyFiles copies the files of a folder, and not those below it.
func copyFiles(to, from string) error {
	files, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	for _, f := range files {
		if f.IsDir() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, f.Name()), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// startWS runs fifty lines with the package ws.
func startWS(ctx context.Context, r *run) (rounds.System, error) {
	p, err := r.Start(ctx, process.Spec{
		Name: "ws", Dir: r.installed, Address: r.address, Command: []string{r.program, "relay.js"},
		Env: []string{"LISTEN=" + r.address, "BACKEND=http://" + r.backend + "/echo"},
	})
	return rounds.System{Name: "Node.js, ws " + r.version("ws"), Process: p, Protocol: load.NewWebSocket(r.address, "/", r.message)}, err
}

// startServerlessOffline runs it with what makes it fastest: handlers in its own
// process (by default each concurrent call has a thread of its own), and no line of
// log for each call.
func startServerlessOffline(ctx context.Context, r *run) (rounds.System, error) {
	var others [2]string
	for i := range others {
		address, err := process.FreeAddress()
		if err != nil {
			return rounds.System{}, err
		}
		others[i] = portOf(address)
	}
	p, err := r.Start(ctx, process.Spec{
		Name: "serverless-offline", Dir: r.installed, Address: r.address,
		Command: []string{
			r.program, filepath.Join("node_modules", ".bin", "serverless"), "offline", "--host", "127.0.0.1",
			"--httpPort", others[0], "--lambdaPort", others[1], "--websocketPort", portOf(r.address), "--useInProcess", "--noSponsor",
		},
		Env: []string{
			"BACKEND=http://" + r.backend + "/echo", "SLS_LOG_LEVEL=error", "SLS_TELEMETRY_DISABLED=1", "SLS_NOTIFICATIONS_MODE=off",
			"AWS_ACCESS_KEY_ID=none", "AWS_SECRET_ACCESS_KEY=none",
		},
	})
	return rounds.System{
		Name: "serverless-offline " + r.version("serverless-offline"), Process: p, Protocol: load.NewWebSocket(r.address, "/", r.message),
	}, err
}

// version is that of an installed package.
func (r *run) version(name string) string {
	text, err := os.ReadFile(filepath.Join(r.installed, "node_modules", name, "package.json"))
	var p struct{ Version string }
	if err != nil || json.Unmarshal(text, &p) != nil {
		return "of an unknown version"
	}
	return p.Version
}

func portOf(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }
