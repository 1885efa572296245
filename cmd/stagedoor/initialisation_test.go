package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What packages may allocate before main, in bytes. Whoever needs more makes it when it
// is used first (sync.OnceValue, internal/lazyregexp): every command pays for it at its
// start, "stagedoor version" too.
const (
	ownInitialisation   = 16 << 10
	otherInitialisation = 32 << 10
)

// heavyInitialisation are the packages of others that allocate more, and how much they
// may: the endpoints and shapes of AWS that the SDK has as values, the texts of the
// NATS server's errors, and the regular expressions and descriptions of Prometheus.
var heavyInitialisation = map[string]int{
	"github.com/aws/aws-sdk-go-v2/service/signin/internal/endpoints":  128 << 10,
	"github.com/aws/aws-sdk-go-v2/service/signin/schemas":             128 << 10,
	"github.com/aws/aws-sdk-go-v2/service/sso/internal/endpoints":     128 << 10,
	"github.com/aws/aws-sdk-go-v2/service/ssooidc/internal/endpoints": 128 << 10,
	"github.com/aws/aws-sdk-go-v2/service/ssooidc/schemas":            128 << 10,
	"github.com/aws/aws-sdk-go-v2/service/sts/internal/endpoints":     128 << 10,
	"github.com/nats-io/nats-server/v2/server":                        256 << 10,
	"github.com/prometheus/client_golang/prometheus":                  2 << 20, // 64 KiB without the race detector
	"github.com/prometheus/procfs":                                    128 << 10,
}

// initialisation is a line of GODEBUG=inittrace=1.
var initialisation = regexp.MustCompile(`(?m)^init (\S+) @.* clock, (\d+) bytes, \d+ allocs$`)

// Nothing large is made before main.
func TestInitialisation(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", ".")
	list.Stderr = os.Stderr
	packages, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Fields(string(packages))
	own := 0
	for name, made := range initialisations(t) {
		most, heavy := heavyInitialisation[name]
		switch {
		case !slices.Contains(parts, name), strings.HasSuffix(name, "/cmd/stagedoor"):
			continue // of the tests, or with theirs
		case strings.HasPrefix(name, "github.com/stagedoor/stagedoor/internal/"):
			most = ownInitialisation
			own++
		case !heavy:
			most = otherInitialisation
		}
		if made > most {
			t.Errorf("%s allocates %d bytes before main, %d at most", name, made, most)
		}
	}
	if own == 0 {
		t.Error("no package of ours is in what was printed")
	}
	for name := range heavyInitialisation {
		if !slices.Contains(parts, name) {
			t.Errorf("%s is no part of the program any more", name)
		}
	}
}

// initialisations returns how many bytes each package allocates before main: the least of
// some starts, since what other goroutines allocate meanwhile is counted, too.
func initialisations(t *testing.T) map[string]int {
	t.Helper()
	least := make(map[string]int)
	for range 5 {
		program := exec.CommandContext(t.Context(), os.Args[0], "version")
		program.Env = append(os.Environ(), asProgram+"=1", "GODEBUG=inittrace=1")
		output, err := program.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		for _, line := range initialisation.FindAllStringSubmatch(string(output), -1) {
			name := strings.ReplaceAll(line[1], "%2e", ".")
			made, err := strconv.Atoi(line[2])
			if err != nil {
				t.Fatal(err)
			}
			if known, ok := least[name]; !ok || made < known {
				least[name] = made
			}
		}
	}
	return least
}
