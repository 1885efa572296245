//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/command"
	"github.com/stagedoor/stagedoor/bench/internal/lab"
)

// TestMain makes the test's program the clients' as well.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == holderCommand {
		command.Exit("million", runHolder(os.Args[2]))
	}
	code := m.Run()
	if gateway != "" {
		_ = os.Remove(gateway)
	}
	os.Exit(code)
}

// gateway is the program that the tests share; it is built by the first.
var gateway string

func start(t *testing.T) (*fleet, *options) {
	t.Helper()
	t.Chdir("..")
	l, err := lab.New(gateway)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	o := &options{connections: 60, perProcess: 25, rate: 100, keep: 3 * time.Second}
	f, err := startFleet(t.Context(), l, o, split(o.connections, o.perProcess))
	if err != nil {
		t.Fatal(err)
	}
	if gateway == "" {
		built, err := l.Gateway(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		gateway = fmt.Sprintf("%s/million-test-%d", os.TempDir(), os.Getpid())
		if err := os.Link(built, gateway); err != nil {
			t.Fatal(err)
		}
	}
	return f, o
}

// running reports whether one of the fleet's processes runs.
func running(f *fleet) bool {
	gateways, clients := f.pids()
	return slices.ContainsFunc(slices.Concat(gateways, clients), func(pid int) bool { return syscall.Kill(pid, 0) == nil })
}

// Connections are held by several gateways, answer and are pushed to; nothing runs
// when it is over.
func TestMillion(t *testing.T) {
	f, o := start(t)
	defer f.close()
	m, err := f.measure(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.err(); err != nil || m.alive != o.connections || m.processes != 3 {
		t.Errorf("%d alive over %d gateways, %v", m.alive, m.processes, err)
	}
	if len(m.asked) == 0 || len(m.pushed) == 0 {
		t.Errorf("%d messages, %d pushes", len(m.asked), len(m.pushed))
	}
	if table := m.table(); !strings.Contains(table, "60, 0 lost") {
		t.Errorf("the table:\n%s", table)
	}
	gateways, _ := f.pids()
	f.close()
	if len(gateways) != 3 || running(f) {
		t.Error("something still runs")
	}
}

// A gateway that ends takes its connections along, which is told.
func TestLost(t *testing.T) {
	f, o := start(t)
	defer f.close()
	o.keep = 0
	m := &measurement{connections: o.connections}
	if err := f.order(t.Context(), m, openOrder, openers, time.Minute, func(n news) bool { return n.Opened }); err != nil {
		t.Fatal(err)
	}
	f.gateways[1].Kill()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for len(m.lost) < 20 {
		if err := f.hear(ctx, m, 50*time.Millisecond); err != nil {
			t.Fatalf("%v; lost: %q", err, m.lost)
		}
	}
	if err := m.err(); err == nil || !strings.Contains(err.Error(), "20 connections were lost; the first: gateway 2, connection ") {
		t.Errorf("%v", err)
	}
}

// An interrupted run leaves nothing behind.
func TestInterrupted(t *testing.T) {
	f, o := start(t)
	defer f.close()
	o.keep = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := f.measure(ctx, o); err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("%v", err)
	}
	f.close()
	if running(f) {
		t.Error("something still runs")
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		connections, most int
		want              []int
	}{{1, 10, []int{1}}, {10, 10, []int{10}}, {11, 10, []int{6, 5}}, {1_000_000, 400_000, []int{333_334, 333_333, 333_333}}} {
		if got := split(test.connections, test.most); !slices.Equal(got, test.want) {
			t.Errorf("%d over %d: %v", test.connections, test.most, got)
		}
	}
	if err := enough(1<<40, 1); err == nil || !strings.Contains(err.Error(), "GiB are available") {
		t.Errorf("%v", err)
	}
}
