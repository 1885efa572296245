package lambda

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/filelock"
)

const (
	// fillLimit is the longest that the installation of an SDK may take.
	fillLimit = 5 * time.Minute
	// refillAfter is how long after a failure it may be tried again. Every
	// function would make an attempt, and without a network each takes long.
	refillAfter = time.Minute
	// unfinished begins the names of folders that are being filled.
	unfinished = ".new-"
)

// failedFill is a failure to make a folder of the cache, and its time.
type failedFill struct {
	err error
	at  time.Time
}

// fill makes a folder of the cache, unless it exists. build fills a temporary
// folder beside it, which gets the folder's name when build has succeeded. Of
// several gateways and functions that need the same folder, one fills it and
// the others wait for that.
func (h *Host) fill(ctx context.Context, folder string, build func(ctx context.Context, dir string) error) (err error) {
	if isDir(folder) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, fillLimit)
	defer cancel()
	unlock, err := lockFile(ctx, folder+".lock")
	if err != nil {
		return fmt.Errorf("lock %s: %w", folder, err)
	}
	defer unlock()
	if isDir(folder) {
		return nil
	}
	if last, ok := h.failedFills.Load(folder); ok && time.Since(last.(failedFill).at) < refillAfter {
		return last.(failedFill).err
	}
	defer func() {
		if err != nil {
			h.failedFills.Store(folder, failedFill{err, time.Now()})
		}
	}()
	temporary, err := os.MkdirTemp(filepath.Dir(folder), unfinished+"*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	if err := build(ctx, temporary); err != nil {
		return err
	}
	return os.Rename(temporary, folder)
}

// lockFile locks a file against other processes, and other callers in this one,
// until unlock. The system releases a lock when its process ends.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		locked, err := filelock.Try(file)
		if locked {
			return func() { file.Close() }, nil
		}
		if err == nil {
			select {
			case <-tick.C:
				continue
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		file.Close()
		return nil, err
	}
}

// nodeSDK returns the node_modules folder of the cache with the AWS packages
// that the function imports and does not have. It is "" when there are none, or
// when they cannot be installed: that is reported once, and the function starts
// without them.
func (h *Host) nodeSDK(ctx context.Context, f Function, dir string) string {
	needed := missingPackages(f, dir)
	if len(needed) == 0 {
		return ""
	}
	if folder := h.cachedPackages(needed); folder != "" {
		return folder
	}
	packages := h.allMissingPackages(needed)
	folder := filepath.Join(h.options.CacheDir, "node", digest(packages...))
	err := h.fill(ctx, folder, func(ctx context.Context, temporary string) error {
		h.notice(f.Name, "", "installing "+strings.Join(packages, ", ")+" with npm, once: AWS's Node.js brings them")
		return h.npmInstall(ctx, temporary, packages)
	})
	if err != nil {
		h.unavailable(ctx, f, fmt.Sprintf("%s, which AWS's Node.js brings, could not be installed: %v\n"+
			"Functions that import them will fail. To fix it, run npm install %s in the function's folder, or make npm work and start again.",
			strings.Join(packages, ", "), err, strings.Join(packages, " ")))
		return ""
	}
	return filepath.Join(folder, "node_modules")
}

// cachedPackages returns a node_modules folder of the cache that has all the
// packages, if there is one.
func (h *Host) cachedPackages(names []string) string {
	folders, _ := filepath.Glob(filepath.Join(h.options.CacheDir, "node", "*", "node_modules"))
	for _, folder := range folders {
		if strings.HasPrefix(filepath.Base(filepath.Dir(folder)), unfinished) {
			continue
		}
		lacks := func(name string) bool { return !isDir(filepath.Join(folder, filepath.FromSlash(name))) }
		if !slices.ContainsFunc(names, lacks) {
			return folder
		}
	}
	return ""
}

// allMissingPackages adds to the packages those that the other functions need,
// so that one installation serves the application.
func (h *Host) allMissingPackages(names []string) []string {
	h.mu.Lock()
	var others []Function
	for _, served := range h.functions {
		if strings.HasPrefix(served.function.Runtime, "nodejs") && served.function.CodeDir != "" {
			others = append(others, served.function)
		}
	}
	h.mu.Unlock()
	all := slices.Clone(names)
	for _, f := range others {
		all = append(all, missingPackages(f, f.CodeDir)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (h *Host) npmInstall(ctx context.Context, dir string, packages []string) error {
	npm, err := h.lookPath("npm")
	if err != nil {
		return errors.New("there is no npm command on PATH (it comes with Node.js, or apt-get install npm)")
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte("{\"private\": true}\n"), 0o644); err != nil {
		return err
	}
	args := append([]string{"install", "--no-audit", "--no-fund", "--no-progress", "--ignore-scripts", "--loglevel=error",
		"--prefer-offline", "--fetch-retries=1", "--fetch-timeout=30000"}, packages...)
	return h.install(ctx, dir, npm, args...)
}

// pythonSDK returns a folder of the cache with boto3 for the interpreter, or ""
// when it cannot be installed: that is reported once.
func (h *Host) pythonSDK(ctx context.Context, f Function, interpreter *python) string {
	folder := filepath.Join(h.options.CacheDir, "python", "boto3-"+interpreter.Version)
	err := h.fill(ctx, folder, func(ctx context.Context, temporary string) error {
		h.notice(f.Name, "", "installing boto3 with pip, once: AWS's Python brings it")
		return h.install(ctx, temporary, interpreter.Executable, "-m", "pip", "install",
			"--quiet", "--disable-pip-version-check", "--no-input", "--retries", "1", "--timeout", "10",
			"--target", temporary, "boto3")
	})
	if err != nil {
		h.unavailable(ctx, f, fmt.Sprintf("boto3, which AWS's Python brings, could not be installed: %v\n"+
			"Functions that import it will fail. To fix it, install it for %s (python3 -m pip install boto3, or apt-get install python3-boto3) and start again.",
			err, interpreter.Executable))
		return ""
	}
	return folder
}

// install runs an installer; its error has the installer's output.
func (h *Host) install(ctx context.Context, dir, path string, args ...string) error {
	said, err := h.runTool(ctx, dir, os.Environ(), path, args...)
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", path, strings.Join(args, " "), err, strings.TrimSpace(said))
	}
	return nil
}

func (h *Host) unavailable(ctx context.Context, f Function, text string) {
	if ctx.Err() == nil {
		h.noticeOnce(f.Name, text)
	}
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// sdk2 is version 2 of the AWS SDK for JavaScript, all in one package.
const sdk2 = "aws-sdk"

// bringsSDK2 reports whether AWS's runtime of that name brings version 2 of the
// SDK: up to nodejs16.x.
func bringsSDK2(runtime string) bool {
	major, _, _ := strings.Cut(strings.TrimPrefix(runtime, "nodejs"), ".")
	n, err := strconv.Atoi(major)
	return err == nil && n <= 16
}

// missingPackages are the @aws-sdk and @smithy packages that the function's
// sources import and that neither its folder nor its layers have, sorted.
func missingPackages(f Function, dir string) []string {
	var missing []string
	for _, name := range importedPackages(dir) {
		if name == sdk2 && !bringsSDK2(f.Runtime) {
			continue
		}
		if !hasPackage(f, dir, name) {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	return missing
}
