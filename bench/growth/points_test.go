//go:build linux

package main

import (
	"strings"
	"testing"
)

// Templates are such as CloudFormation takes, and connections go to all stages.
func TestTemplate(t *testing.T) {
	t.Parallel()
	most := map[string]int{}
	for _, p := range points() {
		text := p.template("http://127.0.0.1:1/echo")
		if n := strings.Count(text, "    Type: "); n > 500 {
			t.Errorf("%v: %d resources", p, n)
		}
		if n := strings.Count(text, "::Stage\n"); n != p.stages {
			t.Errorf("%v: %d stages", p, n)
		}
		if n := strings.Count(text, "::Route\n"); n < p.routes {
			t.Errorf("%v: %d routes", p, n)
		}
		protocol, paths := p.protocol("127.0.0.1:1"), map[string]bool{}
		for range p.stages {
			request, _ := protocol.Handshake()
			path, _, _ := strings.Cut(request, " HTTP/1.1")
			paths[path] = true
		}
		if len(paths) != p.stages {
			t.Errorf("%v: connections go to %d stages", p, len(paths))
		}
		most[p.grows.name] = max(most[p.grows.name], p.value())
	}
	if most["connections"] != 1000 || most["bytes"] != 128<<10 || most["routes"] != 300 || most["stages"] != 100 {
		t.Errorf("%v", most)
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{10: "10", 1000: "1000", 1024: "1K", 128 << 10: "128K", 1500: "1500"} {
		if got := size(v); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}
