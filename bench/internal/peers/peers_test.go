//go:build linux

package peers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
)

// A peer that there is not is an error that names those that there are.
func TestUnknown(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), &lab.Lab{}, "nginx", "127.0.0.1:1", nil)
	if err == nil || !strings.Contains(err.Error(), strings.Join(Names(), ", ")) {
		t.Errorf("%v", err)
	}
}

// What cannot be installed says why.
func TestCommand(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"sh", "-c", "echo no network >&2; exit 3"}, "exit status 3 no network"},
		{[]string{"no-such-program"}, "not found"},
	} {
		err := command(t.Context(), t.TempDir(), nil, test.args[0], test.args[1:]...)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v", err)
		}
	}
}

// The files of a peer are copied over what is there, and folders are not.
func TestCopyFiles(t *testing.T) {
	t.Parallel()
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "new")
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(from, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(from, "node_modules"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"old", "new"} {
		write("relay.js", text)
		if err := copyFiles(to, from); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(to, "relay.js"))
		if string(got) != text || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	if _, err := os.Stat(filepath.Join(to, "node_modules")); !os.IsNotExist(err) {
		t.Errorf("a folder was copied: %v", err)
	}
}
