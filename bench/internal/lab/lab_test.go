//go:build linux

package lab

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

// The programs of a lab run until it is closed, and its folder goes with it.
func TestLab(t *testing.T) {
	t.Chdir("../..")
	l, err := New("")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p, url, err := l.Backend(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.Post(url, "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusOK || r.ContentLength != 5 {
		t.Errorf("%v", r)
	}
	l.Close()
	select {
	case <-p.Done():
	default:
		t.Error("the backend still runs")
	}
	if _, err := os.Stat(l.Folder); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
	if _, err := l.build(t.Context(), ".", "./nothing"); err == nil || !strings.Contains(err.Error(), "building ./nothing") {
		t.Errorf("%v", err)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	if got := Describe(); !strings.Contains(got, " × ") || !strings.HasSuffix(got, Load()+".") {
		t.Error(got)
	}
	if firstLine("/nothing") != "" || lineOf("/proc/self/status", "no such") != "unknown" {
		t.Error("something of nothing")
	}
}
