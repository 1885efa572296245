//go:build linux

package main

import (
	"context"
	"fmt"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/rounds"
)

// messages measures every system at every number of connections: those that call
// the backend, and then those that answer themselves. Where it fails, the text has
// what was measured until then.
func messages(ctx context.Context, l *lab.Lab, o *options) (string, error) {
	s, err := start(ctx, l, o)
	if err != nil {
		return "", err
	}
	if s.missing != "" {
		fmt.Println(s.missing)
		s.missing = "\n" + s.missing
	}
	called, told, err := rounds.TakeAll(ctx, o.rounds, s.calling, o.counts)
	text := rounds.Messages.Table(called, relay, direct) + s.missing + told
	if err != nil {
		return text, err
	}
	answered, told, err := rounds.TakeAll(ctx, o.rounds, s.answering, o.counts)
	text += "\nWithout a backend:\n\n" + rounds.Messages.Table(answered, echo, "") + told
	return text + "\n" + targets(called, answered, o.counts), err
}
