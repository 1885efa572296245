package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/stagedoor/stagedoor/internal/deploy"
)

// deployPrinter prints the progress of a deployment.
type deployPrinter interface {
	planned(stack, gateway string, plan *deploy.Plan, notes []string)
	changed(*deploy.Change)
	stopped(*deploy.Plan, error)
	done(*deploy.Plan, []deploy.API)
}

// printer returns the printer that the flags ask for. For people it prints the
// names of APIs in place of their logical ids, where names has one.
func (c *DeployCmd) printer(p *process, names map[string]string) deployPrinter {
	if c.JSON {
		encoder := json.NewEncoder(p.stdout)
		encoder.SetEscapeHTML(false)
		return &deployJSON{encoder}
	}
	return &deployText{out: p.stdout, failures: p.stderr, names: names, paint: (&textReporter{color: p.color(p.stdout)}).paint}
}

// deployText prints for people.
type deployText struct {
	out, failures io.Writer
	names         map[string]string // of APIs, by logical ids
	paint         func(color, text string) string
}

// signs and colours of actions.
var actionSigns = map[deploy.Action]struct{ sign, color string }{
	deploy.Create: {"+", green}, deploy.Update: {"~", yellow}, deploy.Delete: {"-", red},
}

func (t *deployText) planned(stack, gateway string, plan *deploy.Plan, notes []string) {
	fmt.Fprintf(t.out, "%s on %s\n", t.paint(bold, "Stack "+stack), gateway)
	for _, group := range byAPI(t.named(plan.Changes)) {
		fmt.Fprintln(t.out)
		if api := group[0].API; api != "" {
			fmt.Fprintf(t.out, "  %s\n", t.paint(bold, visible(api)))
		}
		for _, c := range group {
			fmt.Fprintf(t.out, "    %s\n", t.line(c))
		}
	}
	for i, note := range append(plan.Notes, notes...) {
		if i == 0 {
			fmt.Fprintln(t.out)
		}
		fmt.Fprintf(t.out, "  %s\n", t.paint(dim, visible("Note: "+note)))
	}
	fmt.Fprintln(t.out)
}

// name returns the name of an API for people.
func (t *deployText) name(logicalID string) string { return cmp.Or(t.names[logicalID], logicalID) }

// named returns changes with the names of APIs in place of their logical ids.
func (t *deployText) named(changes []*deploy.Change) []*deploy.Change {
	named := make([]*deploy.Change, len(changes))
	for i, c := range changes {
		change := *c
		change.API = t.name(c.API)
		if c.Type == "Api" {
			change.Name = change.API
		}
		named[i] = &change
	}
	return named
}

// byAPI groups changes by their APIs. Those that belong to no API are the last
// group.
func byAPI(changes []*deploy.Change) (groups [][]*deploy.Change) {
	at := map[string]int{}
	var none []*deploy.Change
	for _, c := range changes {
		i, known := at[c.API]
		switch {
		case c.API == "":
			none = append(none, c)
		case known:
			groups[i] = append(groups[i], c)
		default:
			at[c.API] = len(groups)
			groups = append(groups, []*deploy.Change{c})
		}
	}
	if len(none) > 0 {
		groups = append(groups, none)
	}
	return groups
}

func (t *deployText) line(c *deploy.Change) string {
	sign := actionSigns[c.Action]
	line := t.paint(sign.color, sign.sign) + " " + visible(c.Resource())
	if len(c.Members) > 0 {
		line += t.paint(dim, visible(": "+strings.Join(c.Members, ", ")))
	}
	return line
}

// changed prints nothing: the changes were printed with the plan.
func (t *deployText) changed(*deploy.Change) {}

func (t *deployText) stopped(plan *deploy.Plan, err error) {
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(t.failures, "stagedoor: interrupted")
	} else {
		fmt.Fprintf(t.failures, "stagedoor: %s\n", visible(err.Error()))
	}
	var failed *deploy.ApplyError
	if errors.As(err, &failed) && failed.Done > 0 {
		fmt.Fprintln(t.failures, "Done before that:")
		for _, c := range t.named(plan.Changes[:failed.Done]) {
			fmt.Fprintf(t.failures, "  %s\n", visible(c.String()))
		}
		fmt.Fprintf(t.failures, "%d of %d changes are made. The next run goes on from here.\n", failed.Done, failed.Total)
	}
}

func (t *deployText) done(plan *deploy.Plan, apis []deploy.API) {
	if len(plan.Changes) == 0 {
		fmt.Fprintln(t.out, "Nothing to do.")
	} else {
		fmt.Fprintf(t.out, "%s.\n", summary(plan, ""))
	}
	for _, a := range apis {
		for _, stage := range a.Stages {
			fmt.Fprintf(t.out, "  %s %s  %s\n", visible(t.name(a.LogicalID)), visible(stage), t.paint(green, visible(a.Endpoint+"/"+stage)))
		}
	}
}

// deployJSON prints for scripts: a line for the plan, one for each change that
// is made, and one at the end.
type deployJSON struct{ *json.Encoder }

type changeJSON struct {
	Event   string        `json:"event,omitempty"`
	Action  deploy.Action `json:"action"`
	Type    string        `json:"type"`
	API     string        `json:"api,omitempty"`
	Name    string        `json:"name,omitempty"`
	Of      string        `json:"of,omitempty"`
	Members []string      `json:"members,omitempty"`
}

func newChangeJSON(event string, c *deploy.Change) changeJSON {
	return changeJSON{event, c.Action, c.Type, c.API, c.Name, c.Of, c.Members}
}

func (j *deployJSON) print(event any) { _ = j.Encode(event) } // if it fails, nobody reads the output any more

func (j *deployJSON) planned(stack, gateway string, plan *deploy.Plan, notes []string) {
	changes := []changeJSON{}
	for _, c := range plan.Changes {
		changes = append(changes, newChangeJSON("", c))
	}
	j.print(struct {
		Event   string       `json:"event"`
		Stack   string       `json:"stack"`
		Gateway string       `json:"gateway"`
		Changes []changeJSON `json:"changes"`
		Notes   []string     `json:"notes,omitempty"`
	}{"plan", stack, gateway, changes, append(plan.Notes, notes...)})
}

func (j *deployJSON) changed(c *deploy.Change) { j.print(newChangeJSON("change", c)) }

func (j *deployJSON) stopped(plan *deploy.Plan, err error) {
	var failed *deploy.ApplyError
	out := struct {
		Event string `json:"event"`
		Error string `json:"error"`
		Done  int    `json:"done"`
		Total int    `json:"total"`
	}{"failed", err.Error(), 0, len(plan.Changes)}
	if errors.As(err, &failed) {
		out.Done = failed.Done
	}
	j.print(out)
}

func (j *deployJSON) done(plan *deploy.Plan, apis []deploy.API) {
	type apiJSON struct {
		LogicalID string   `json:"logicalId"`
		APIID     string   `json:"apiId"`
		Endpoint  string   `json:"endpoint"`
		Stages    []string `json:"stages"`
	}
	list := []apiJSON{}
	for _, a := range apis {
		list = append(list, apiJSON{a.LogicalID, a.ID, a.Endpoint, append([]string{}, a.Stages...)})
	}
	j.print(struct {
		Event   string    `json:"event"`
		Created int       `json:"created"`
		Changed int       `json:"changed"`
		Deleted int       `json:"deleted"`
		APIs    []apiJSON `json:"apis"`
	}{"done", plan.Count(deploy.Create), plan.Count(deploy.Update), plan.Count(deploy.Delete), list})
}
