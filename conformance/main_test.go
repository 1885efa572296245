package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// What TestMain makes, once for all tests.
var (
	binary    string // the program under test
	cacheHome string // of all gateways, so that what they fetch and build is made once
	goCache   string // of the go command, which would take cacheHome otherwise
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "conformance-")
	if err == nil {
		err = build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build stagedoor:", err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// build makes the program and the shared folders in dir.
func build(dir string) error {
	binary = filepath.Join(dir, "stagedoor")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	cacheHome = filepath.Join(dir, "cache")
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" { // XDG_CACHE_HOME means nothing there
		var err error
		if cacheHome, err = os.UserCacheDir(); err != nil {
			return err
		}
	}
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return fmt.Errorf("go env GOCACHE: %w", err)
	}
	goCache = strings.TrimSpace(string(cache))
	command := exec.Command("go", "build", "-o", binary, "./cmd/stagedoor")
	command.Dir = ".." // the gateway's module
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, said)
	}
	return nil
}
