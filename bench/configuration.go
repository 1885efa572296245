//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/command"
	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/report"
)

// configurationCommand makes this program measure changes of the configuration,
// and the start.
const configurationCommand = "configuration"

// Targets of the medians.
const (
	swapTarget  = 50 * time.Millisecond
	startTarget = 2 * time.Second
)

// configurationOptions are the flags of the command.
type configurationOptions struct {
	command.Options
	routes, changes int // of the API that is changed
	apis, starts    int // of the gateway that is started
}

// runConfiguration measures changes and starts, and ends this program.
func runConfiguration(args []string) {
	o := &configurationOptions{}
	flags := flag.NewFlagSet("bench "+configurationCommand, flag.ExitOnError)
	flags.IntVar(&o.routes, "routes", 300, "routes of the API that is changed")
	flags.IntVar(&o.changes, "changes", 30, "how often each change is made, after three that are not counted")
	flags.IntVar(&o.apis, "apis", 1000, "APIs of the gateway that is started, of four routes each; 0 leaves it out")
	flags.IntVar(&o.starts, "starts", 9, "how often it is started in each way, after one that is not counted")
	o.GatewayFlag(flags)
	o.UpdateFlag(flags)
	command.Parse(flags, args)
	command.Main("bench", func(ctx context.Context) error { return measureConfiguration(ctx, o) })
}

func measureConfiguration(ctx context.Context, o *configurationOptions) error {
	if o.routes < 2 || o.changes < 1 || o.starts < 1 {
		return errors.New("-routes must be at least 2, -changes and -starts at least 1")
	}
	return o.Run(configurationCommand, func(l *lab.Lab) (string, error) {
		list, err := changes(ctx, l, o)
		if err != nil {
			return "", err
		}
		if o.apis > 0 {
			starts, err := starts(ctx, l, o)
			if err != nil {
				return "", err
			}
			list = append(list, starts...)
		}
		return report.SeriesTable(list), nil
	})
}

// many lets a gateway have as many APIs as are measured.
var many = []string{"STAGEDOOR_QUOTAS_APIS=1000000", "STAGEDOOR_QUOTAS_DEPLOYMENTS=1000000"}

// change is a change that is measured, and what is written before it, which is
// not counted.
type change struct {
	name            string
	prepare, change func(ctx context.Context, number int) error
	answer          func(number int) string // of the connection, once it is in effect
	target          time.Duration
}

// changes measures how long changes of an API with many routes take, from the
// request until an open connection has an answer of the new plan.
func changes(ctx context.Context, l *lab.Lab, o *configurationOptions) ([]report.Series, error) {
	g, err := l.Serve(ctx, "changes", many...)
	if err != nil {
		return nil, err
	}
	defer g.Plane.Close()
	fmt.Printf("Making an API with %d routes\n", o.routes)
	api, err := g.Plane.Create(ctx, o.routes)
	if err != nil {
		return nil, err
	}
	socket, err := load.DialSocket(g.Public, api.Path())
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	var variable, template int // as they are
	deploy := func(ctx context.Context, _ int) error { return api.Deploy(ctx) }
	of := func(what string) string { return fmt.Sprintf("%s, %d routes", what, o.routes) }
	answer := func(int) string { return fmt.Sprint(variable, " ", template) }
	setVariable := func(ctx context.Context, number int) error { variable = number; return api.SetVariable(ctx, number) }
	setTemplate := func(ctx context.Context, number int) error { template = number; return api.SetTemplate(ctx, number) }
	setModel := func(ctx context.Context, number int) error {
		return errors.Join(api.SetModel(ctx, number), setTemplate(ctx, number))
	}
	nothing := func(context.Context, int) error { return nil }
	automatic := func(ctx context.Context, number int) error {
		if number > 0 {
			return nil
		}
		return api.DeployAutomatically(ctx)
	}
	var list []report.Series
	for _, c := range []change{
		{of("UpdateStage: a variable"), nothing, setVariable, answer, swapTarget},
		{of("CreateDeployment after a change of a template"), setTemplate, deploy, answer, swapTarget},
		{of("CreateDeployment after a change of a model"), setModel, deploy, answer, swapTarget},
		{of("UpdateIntegrationResponse with autoDeploy"), automatic, setTemplate, answer, 0},
	} {
		series, err := c.measure(ctx, socket, o.changes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", c.name, err, g.Tail())
		}
		list = append(list, series)
	}
	return list, nil
}

// measure makes a change again and again.
func (c *change) measure(ctx context.Context, socket *load.Socket, times int) (report.Series, error) {
	series := report.Series{Name: c.name, Target: c.target}
	const uncounted = 3
	for number := range times + uncounted {
		if err := c.prepare(ctx, number); err != nil {
			return series, err
		}
		began := time.Now()
		if err := c.change(ctx, number); err != nil {
			return series, err
		}
		got, err := socket.Ask("{}")
		took := time.Since(began)
		if err != nil {
			return series, err
		}
		if want := c.answer(number); got != want {
			return series, fmt.Errorf("the connection answers %q after the change, not %q", got, want)
		}
		if number >= uncounted {
			series.Times = append(series.Times, took)
		}
	}
	return series, nil
}

// starts measures how long a gateway with many APIs takes to start, after it was
// stopped in order and after a kill.
func starts(ctx context.Context, l *lab.Lab, o *configurationOptions) ([]report.Series, error) {
	const routes = 4
	g, err := l.Serve(ctx, "starts", many...)
	if err != nil {
		return nil, err
	}
	fmt.Printf("Making %d APIs\n", o.apis)
	err = g.Plane.Fill(ctx, o.apis, routes, func(done int) {
		if done%100 == 0 {
			fmt.Println(done)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("making the APIs: %w\n%s", err, g.Tail())
	}
	list := []report.Series{
		{Name: fmt.Sprintf("start with %d APIs of %d routes, after a stop", o.apis, routes), Target: startTarget},
		{Name: fmt.Sprintf("start with %d APIs of %d routes, after kill -9", o.apis, routes), Target: startTarget},
	}
	for round := range o.starts + 1 {
		for way := range list {
			g.Plane.Close()
			if way == 0 {
				g.Stop()
			} else {
				g.Kill()
			}
			if g, err = l.Serve(ctx, "starts", many...); err != nil {
				return nil, err
			}
			if round > 0 {
				list[way].Times = append(list[way].Times, g.Took)
			}
		}
	}
	g.Plane.Close()
	return list, nil
}
