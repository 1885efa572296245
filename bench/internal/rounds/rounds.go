//go:build linux

// Package rounds has systems measured in turns, so that what else the machine does
// affects all of them, and compares them by medians.
package rounds

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/process"
	"github.com/stagedoor/stagedoor/bench/internal/report"
)

// Options are how long is measured.
type Options struct {
	Rounds   int           // that count, after one that does not
	Warmup   time.Duration // of each round, before anything is counted
	Duration time.Duration // that is counted, of each round
}

// Flags adds a flag for each option, whose default is its value.
func (o *Options) Flags(flags *flag.FlagSet) {
	flags.IntVar(&o.Rounds, "rounds", o.Rounds, "how often each point is measured, after a round that is not counted; the systems take turns")
	flags.DurationVar(&o.Warmup, "warmup", o.Warmup, "time before counting, each round")
	flags.DurationVar(&o.Duration, "duration", o.Duration, "time of counting, each round")
}

// Check returns an error if nothing would be measured.
func (o *Options) Check() error {
	if o.Rounds < 1 || o.Warmup < 0 || o.Duration <= 0 {
		return errors.New("-rounds must be at least 1, -warmup not less than 0, and -duration more than 0")
	}
	return nil
}

// System is a system that answers messages.
type System struct {
	Name     string
	Process  *process.Process // whose processor time is counted, with that of its children
	Protocol load.Protocol
	Run      func(load.Options) (load.Result, error) // what loads it; nil: load.Run
	Optional bool                                    // that it fails is said, and is no error
}

// Result is what a system did at one number of connections: one result for each
// round that counts, and the errors of all.
type Result struct {
	System      string
	Connections int
	Rounds      []Round
	Errors      []error
	Optional    bool
	Load        string // the machine's load average at the end
}

// Round is one of a system's rounds.
type Round struct {
	Rate           float64 // messages per second
	P50, P99       time.Duration
	Client, Server time.Duration // processor time per message: of the load client, and of the system; negative: not known
}

// Take measures systems at a number of connections, in turns. Of the first round,
// which warms up pools and compilers, only the errors count. A system that cannot be
// measured at all is an error, unless it is optional.
func Take(ctx context.Context, o Options, systems []System, connections int) ([]Result, error) {
	results := make([]Result, len(systems))
	for round := range o.Rounds + 1 {
		for i, s := range systems {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if round == 0 {
				results[i] = Result{System: s.Name, Connections: connections, Optional: s.Optional}
			}
			r, err := s.measure(o, connections)
			if err != nil && s.Optional {
				r.Errors, err = []error{err}, nil
			}
			if err != nil {
				return nil, fmt.Errorf("%s, %d connections: %w\n%s", s.Name, connections, err, s.Process.LogEnd())
			}
			results[i].Errors, results[i].Load = append(results[i].Errors, r.Errors...), lab.Load()
			if round > 0 {
				results[i].Rounds = append(results[i].Rounds, roundOf(&r))
			}
		}
	}
	return results, nil
}

// TakeAll is Take at each of some numbers of connections, with a printed line for each
// result. That a message failed is an error; those of optional systems are told, a line
// for each.
func TakeAll(ctx context.Context, o Options, systems []System, counts []int) (results []Result, told string, err error) {
	for _, connections := range counts {
		point, err := Take(ctx, o, systems, connections)
		if err != nil {
			return results, "", err
		}
		for i := range point {
			fmt.Printf("%5d  %-34s %9s in a second\n", connections, point[i].System, report.Thousands(point[i].Median().Rate))
		}
		results = append(results, point...)
	}
	told, err = Failed(results)
	return results, told, err
}

// measure runs one round.
func (s *System) measure(o Options, connections int) (load.Result, error) {
	run := s.Run
	if run == nil {
		run = load.Run
	}
	return run(load.Options{
		Address: s.Process.Address, Protocol: s.Protocol, Connections: connections,
		Warmup: o.Warmup, Duration: o.Duration, Loops: runtime.NumCPU(),
		Meter: func() (time.Duration, error) { return process.TreeTime(s.Process.PID) },
	})
}

// roundOf is what a load gave.
func roundOf(r *load.Result) Round {
	messages := time.Duration(max(1, len(r.Latencies)))
	return Round{
		Rate: r.Rate(), P50: report.Percentile(r.Latencies, 50), P99: report.Percentile(r.Latencies, 99),
		Client: r.CPU / messages, Server: r.Server / messages,
	}
}

// Median is the round whose every value is the median of that of the rounds.
func (r *Result) Median() Round {
	return Round{
		Rate:   median(r.each(func(r *Round) float64 { return r.Rate })),
		P50:    time.Duration(median(r.each(func(r *Round) float64 { return float64(r.P50) }))),
		P99:    time.Duration(median(r.each(func(r *Round) float64 { return float64(r.P99) }))),
		Client: time.Duration(median(r.each(func(r *Round) float64 { return float64(r.Client) }))),
		Server: r.server(),
	}
}

// server is the median of the rounds in which the processor time of the system is known,
// negative where there is none: processes may end whose time nobody has afterwards.
func (r *Result) server() time.Duration {
	known := slices.DeleteFunc(r.each(func(r *Round) float64 { return float64(r.Server) }), func(v float64) bool { return v < 0 })
	if len(known) == 0 {
		return -1
	}
	return time.Duration(median(known))
}

// Share is the median over the rounds of this system's rate in parts of another's.
func (r *Result) Share(of *Result) float64 {
	return median(ratios(r, of, func(r *Round) float64 { return r.Rate }))
}

// ServerShare is the same of the processor time per message, of the rounds in which it is
// known; 0 where there is none.
func (r *Result) ServerShare(of *Result) float64 {
	return median(ratios(r, of, func(r *Round) float64 { return float64(r.Server) }))
}

func (r *Result) each(value func(*Round) float64) []float64 {
	values := make([]float64, len(r.Rounds))
	for i := range r.Rounds {
		values[i] = value(&r.Rounds[i])
	}
	return values
}

// ratios are those of two systems in rounds that were measured one after the
// other; those without a value of both are left out.
func ratios(r, of *Result, value func(*Round) float64) []float64 {
	var list []float64
	for i := range min(len(r.Rounds), len(of.Rounds)) {
		if own, other := value(&r.Rounds[i]), value(&of.Rounds[i]); own >= 0 && other > 0 {
			list = append(list, own/other)
		}
	}
	return list
}

// median is the middle of some values, the mean of both middles of an even number,
// and 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	values = slices.Sorted(slices.Values(values))
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}
