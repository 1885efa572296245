//go:build linux

package peers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/process"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// installPushpin installs the package of the distribution, without starting it.
func installPushpin(ctx context.Context, _ string) (string, error) {
	if program, err := exec.LookPath("pushpin"); err == nil {
		return program, nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return "", fmt.Errorf("it is not installed, and there is no apt-get to install it: %w", err)
	}
	if os.Getuid() != 0 {
		return "", errors.New("it is not installed, and apt-get needs root to install it")
	}
	fmt.Println("Installing the Debian package pushpin")
	env := []string{"DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"}
	install := func() error {
		return command(ctx, "", env, "apt-get", "install", "--yes", "--no-install-recommends", "pushpin")
	}
	if install() != nil { // the lists may be old
		if err := command(ctx, "", env, "apt-get", "update"); err != nil {
			return "", err
		}
		if err := install(); err != nil {
			return "", err
		}
	}
	return exec.LookPath("pushpin")
}

// startPushpin runs all of its programs with sockets of their own. Messages are in
// an envelope that the backend need not know: it sends back what it gets.
func startPushpin(ctx context.Context, r *run) (rounds.System, error) {
	routes, configuration := filepath.Join(r.Folder, "pushpin.routes"), filepath.Join(r.Folder, "pushpin.conf")
	text := fmt.Sprintf(`[global]
include={libdir}/internal.conf
rundir=%[1]s
ipc_prefix=pushpin-

[runner]
services=condure,pushpin-proxy,pushpin-handler,zurl
http_port=%[2]s
logdir=%[1]s
log_level=1

[proxy]
routesfile=%[3]s
zurl_out_specs=ipc://{rundir}/{ipc_prefix}zurl-in
zurl_out_stream_specs=ipc://{rundir}/{ipc_prefix}zurl-in-stream
zurl_in_specs=ipc://{rundir}/{ipc_prefix}zurl-out

[handler]
push_in_spec=ipc://{rundir}/{ipc_prefix}push
push_in_sub_specs=ipc://{rundir}/{ipc_prefix}sub
push_in_http_port=0
command_spec=ipc://{rundir}/{ipc_prefix}command
`, r.Folder, r.address, routes)
	err := errors.Join(
		os.WriteFile(routes, []byte("* "+r.backend+",over_http\n"), 0o600),
		os.WriteFile(configuration, []byte(text), 0o600),
	)
	if err != nil {
		return rounds.System{}, err
	}
	p, err := r.Start(ctx, process.Spec{
		Name: "pushpin", Command: []string{r.program, "--config=" + configuration, "--merge-output"}, Address: r.address,
	})
	return rounds.System{Name: "Pushpin " + pushpinVersion(ctx, r.program), Process: p, Protocol: load.NewWebSocket(r.address, "/echo", r.message)}, err
}

// pushpinVersion is what it says of itself: "pushpin 1.36.0".
func pushpinVersion(ctx context.Context, program string) string {
	output, err := exec.CommandContext(ctx, program, "--version").Output()
	if fields := strings.Fields(string(output)); err == nil && len(fields) > 1 {
		return fields[1]
	}
	return "of an unknown version"
}
