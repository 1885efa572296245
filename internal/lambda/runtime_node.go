package lambda

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

// minNode is the oldest major version of Node.js that the bootstrap runs on.
const minNode = 18

// prepareNode gets a Node.js function ready.
func (h *Host) prepareNode(ctx context.Context, f Function, dir string) (*program, error) {
	node, major, err := h.findNode(ctx)
	if err != nil {
		return nil, err
	}
	if wanted := strings.TrimSuffix(strings.TrimPrefix(f.Runtime, "nodejs"), ".x"); wanted != strconv.Itoa(major) {
		h.noticeOnce("", "runtime "+f.Runtime+" runs on the Node.js "+strconv.Itoa(major)+" that is installed here")
	}
	runtimeDir, err := h.runtimeDir("node")
	if err != nil {
		return nil, err
	}
	env := h.baseEnvironment(f, dir, runtimeDir)
	h.nodePath(ctx, f, dir, env)
	h.nodeRedirect(env)
	preload := filepath.Join(runtimeDir, "preload.cjs")
	env["NODE_OPTIONS"] = strings.TrimSpace(env["NODE_OPTIONS"] + " --require " + quoteNodeOption(preload))
	return &program{
		path: node,
		args: []string{filepath.Join(runtimeDir, "bootstrap.cjs"), h.channelArgument()},
		ours: true,
		dir:  dir,
		env:  env.list(),
	}, nil
}

var nodeVersion = lazyregexp.New(`^v(\d+)\.`)

// findNode finds Node.js on PATH and its major version.
func (h *Host) findNode(ctx context.Context) (string, int, error) {
	path, err := h.lookPath("node")
	if err != nil {
		return "", 0, failuref("Runtime.NotInstalled",
			"there is no node command on PATH: install Node.js %d or newer (https://nodejs.org, or apt-get install nodejs)", minNode)
	}
	said, err := h.probe(ctx, path, "--version")
	if err != nil {
		return "", 0, failuref("Runtime.NotInstalled", "%s --version failed: %v %s", path, err, strings.TrimSpace(said))
	}
	match := nodeVersion.FindStringSubmatch(said)
	if match == nil {
		return "", 0, failuref("Runtime.NotInstalled", "%s --version answered %q", path, strings.TrimSpace(said))
	}
	major, _ := strconv.Atoi(match[1])
	if major < minNode {
		return "", 0, failuref("Runtime.NotInstalled",
			"%s is Node.js %d: install Node.js %d or newer (https://nodejs.org)", path, major, minNode)
	}
	return path, major, nil
}

// nodePath sets where require finds packages that the function does not have:
// in its layers, then in the packages that AWS's runtime has.
func (h *Host) nodePath(ctx context.Context, f Function, dir string, env environment) {
	for i := len(f.Layers) - 1; i >= 0; i-- {
		env.append("NODE_PATH", filepath.Join(f.Layers[i], "nodejs", "node_modules"))
	}
	if bundled := h.nodeSDK(ctx, f, dir); bundled != "" {
		env.append("NODE_PATH", bundled)
	}
}

// nodeRedirect sets the variables for the preload that redirects connections,
// and makes Node.js trust the endpoint's certificate.
func (h *Host) nodeRedirect(env environment) {
	h.hookRedirect(env)
	redirect := h.options.Redirect
	if redirect.CAFile == "" {
		return
	}
	env["NODE_EXTRA_CA_CERTS"] = h.withOwnCertificates(env["NODE_EXTRA_CA_CERTS"])
}

// quoteNodeOption writes a value the way NODE_OPTIONS is split.
func quoteNodeOption(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}
