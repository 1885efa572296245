//go:build linux

package main

import (
	"errors"
	"slices"
	"testing"

	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// A cell has what was measured, and the target where it was missed.
func TestTargetRow(t *testing.T) {
	t.Parallel()
	result := func(system string, connections int, rate float64) rounds.Result {
		return rounds.Result{System: system, Connections: connections, Rounds: []rounds.Round{{Rate: rate, Server: 1000}}}
	}
	failed := result("Centrifugo 6", 10, 100)
	failed.Errors = []error{errors.New("closed")}
	results := []rounds.Result{
		result(relay, 1, 1000), result("dev", 1, 900), result("Centrifugo 6", 1, 300),
		result(relay, 10, 1000), result("dev", 10, 800), failed,
	}
	for _, test := range []struct {
		target target
		want   []string
	}{
		{ofRelay, []string{"messages/s, of relay", "dev", "0.90", "0.80 < 0.85", "–"}},
		{ofCentrifugo, []string{"messages/s, of Centrifugo", "dev", "3.00", "–", "–"}},
		{cpuOfRelay, []string{"CPU/message, of relay", "dev", "–", "–", "–"}},
	} {
		if got := test.target.row("dev", results, []int{1, 10, 100}); !slices.Equal(got, test.want) {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}
