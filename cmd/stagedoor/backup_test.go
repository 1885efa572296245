//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/administration"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// tool runs a command of the program in a process of its own, with an access key
// in the environment if there is one.
func tool(t *testing.T, key *administration.AccessKey, stdin string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := exec.Command(os.Args[0], args...)
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &stdout, &stderr
	none := filepath.Join(t.TempDir(), "none")
	c.Env = append(os.Environ(), asProgram+"=1", "AWS_CONFIG_FILE="+none, "AWS_SHARED_CREDENTIALS_FILE="+none, "AWS_PROFILE=", "AWS_REGION=us-east-1")
	if key != nil {
		c.Env = append(c.Env, "AWS_ACCESS_KEY_ID="+key.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+key.SecretAccessKey)
	}
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// must runs a command that has to succeed.
func must(t *testing.T, key *administration.AccessKey, stdin string, args ...string) string {
	t.Helper()
	got := tool(t, key, stdin, args...)
	if got.code != exitOK {
		t.Fatalf("%v: code %d: %s", args, got.code, got.stderr)
	}
	return got.stdout
}

// newKey makes an access key.
func newKey(t *testing.T, by *administration.AccessKey, args ...string) *administration.AccessKey {
	t.Helper()
	var made administration.AccessKey
	if err := json.Unmarshal([]byte(must(t, by, "", append([]string{"credentials", "create", "--json"}, args...)...)), &made); err != nil {
		t.Fatal(err)
	}
	return &made
}

// records are the lines of a backup between its header and its end.
func records(backup string) string {
	lines := strings.SplitAfter(backup, "\n")
	return strings.Join(lines[1:len(lines)-2], "")
}

// A backup is the same beside a gateway and through it, and so is a restore; a
// gateway that runs serves at once what is restored.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	folder := filled(t, "http://127.0.0.1:1")
	file := filepath.Join(t.TempDir(), "backup")
	admin := newKey(t, nil, "admin", "--allow", "*", "--data", folder)
	if out := must(t, nil, "", "backup", file, "--data", folder); !strings.HasSuffix(out, ": 4 records\n") {
		t.Errorf("said %q", out)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v: others can read the file", info, err)
	}
	beside, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, nil, "--data", folder)
	through := must(t, admin, "", "backup", "-", "--gateway", p.Admin)
	if records(through) != records(string(beside)) || strings.Count(through, "\n") != 6 {
		t.Errorf("through the gateway:\n%sbeside it:\n%s", through, beside)
	}
	if got := tool(t, nil, "", "backup", file, "--data", folder); got.code != exitFailure || !strings.Contains(got.stderr, "another process uses it (process ") || !strings.Contains(got.stderr, "--gateway") {
		t.Errorf("beside a gateway that runs: %+v", got)
	}

	next := filepath.Join(t.TempDir(), "next")
	must(t, nil, through, "restore", "-", "--data", next)
	if again := must(t, nil, "", "backup", "-", "--data", next); records(again) != records(through) {
		t.Errorf("restored:\n%sfrom:\n%s", again, through)
	}
	q := start(t, nil, "--data", filepath.Join(t.TempDir(), "third"), "--open")
	if out := must(t, nil, "", "restore", file, "--gateway", q.Admin); out != "restored 4 records\n" {
		t.Errorf("said %q", out)
	}
	gatewaytest.Eventually(t, func() error { // the gateway follows
		if status, body := request(t, "GET", q.Public+"/prod", ""); status != http.StatusUpgradeRequired {
			return errors.New(body)
		}
		return nil
	})
	got := tool(t, nil, "", "restore", file, "--gateway", q.Admin)
	if got.code != exitFailure || !strings.Contains(got.stderr, "is not empty: it holds 4 records; --replace") {
		t.Errorf("over what is there: %+v", got)
	}
	must(t, nil, "", "restore", file, "--replace", "--gateway", q.Admin)
	got = tool(t, nil, "", "restore", file, "--data", next)
	if got.code != exitFailure || !strings.Contains(got.stderr, "--replace") {
		t.Errorf("over what is there: %+v", got)
	}
}

// What is no whole backup changes nothing, wherever it goes.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	folder := filled(t, "http://127.0.0.1:1")
	good := must(t, nil, "", "backup", "-", "--data", folder)
	p := start(t, nil, "--data", folder, "--open")
	for name, tt := range map[string]struct{ file, want string }{
		"nothing":         {"", "line 1 of the backup: the backup is cut off"},
		"truncated":       {good[:len(good)-20], "line 5 of the backup: the backup is cut off"},
		"altered":         {strings.Replace(good, "testapi123", "testapi124", 1), "the checksum is wrong"},
		"a later version": {strings.Replace(good, `"version":1,"time"`, `"version":9,"time"`, 1), "the backup's version is 9; this Stagedoor reads version 1"},
		"something else":  {"{}\n", "this is no backup of Stagedoor"},
	} {
		fresh := filepath.Join(t.TempDir(), "fresh")
		got := tool(t, nil, tt.file, "restore", "-", "--data", fresh)
		if got.code != exitFailure || !strings.Contains(got.stderr, tt.want) {
			t.Errorf("%s: %+v", name, got)
		}
		if _, err := os.Stat(fresh); err == nil {
			t.Errorf("%s: a data folder was made", name)
		}
		if got := tool(t, nil, tt.file, "restore", "-", "--replace", "--gateway", p.Admin); got.code != exitFailure || !strings.Contains(got.stderr, tt.want) {
			t.Errorf("%s, through the gateway: %+v", name, got)
		}
	}
	if after := must(t, nil, "", "backup", "-", "--gateway", p.Admin); records(after) != records(good) {
		t.Errorf("it changed:\n%s", after)
	}
}

// A backup that cannot be written leaves the one before, and nothing else.
func TestBackupDiskFull(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("the system has no /dev/full")
	}
	folder := filled(t, "http://127.0.0.1:1")
	for _, file := range []string{"/dev/full", "/dev/full/x"} {
		if got := tool(t, nil, "", "backup", file, "--data", folder); got.code != exitFailure || got.stdout != "" {
			t.Errorf("%s: %+v", file, got)
		}
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "backup")
	if err := os.WriteFile(file, []byte("the one before"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := tool(t, nil, "", "backup", file, "--gateway", "http://127.0.0.1:1")
	if got.code != exitFailure || !strings.Contains(got.stderr, "the gateway at http://127.0.0.1:1 does not answer") {
		t.Errorf("%+v", got)
	}
	left, err := os.ReadDir(dir)
	if text, _ := os.ReadFile(file); string(text) != "the one before" || err != nil || len(left) != 1 {
		t.Errorf("left %v with %q", left, text)
	}
	got = tool(t, nil, "", "backup", file, "--data", filepath.Join(dir, "none"))
	if got.code != exitFailure || !strings.Contains(got.stderr, "does not exist") {
		t.Errorf("%+v", got)
	}
}
