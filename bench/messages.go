//go:build linux

package main

import (
	"context"
	"fmt"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/report"
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
	called, told, err := measure(ctx, o, s.calling)
	text := rounds.Table(called, relay, direct) + s.missing + told
	if err != nil {
		return text, err
	}
	answered, told, err := measure(ctx, o, s.answering)
	text += "\nWithout a backend:\n\n" + rounds.Table(answered, echo, "") + told
	return text + "\n" + targets(called, answered, o.counts), err
}

// measure has systems take turns. That a message failed is an error; those of peers
// are told.
func measure(ctx context.Context, o *options, systems []rounds.System) (results []rounds.Result, told string, err error) {
	for _, connections := range o.counts {
		point, err := rounds.Take(ctx, o.rounds, systems, connections)
		if err != nil {
			return results, "", err
		}
		for i := range point {
			fmt.Printf("%5d  %-32s %9s messages/s\n", connections, point[i].System, report.Thousands(point[i].Median().Rate))
		}
		results = append(results, point...)
	}
	told, err = rounds.Failed(results)
	return results, told, err
}
