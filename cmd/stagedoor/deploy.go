package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stagedoor/stagedoor/internal/deploy"
	"github.com/stagedoor/stagedoor/internal/source"
	"github.com/stagedoor/stagedoor/internal/template"
)

// DeployCmd is "stagedoor deploy".
type DeployCmd struct {
	Template  string            `arg:"" optional:"" default:"." name:"source" help:"SAM or CloudFormation template, a stagedoor.yaml with apis, or the folder of one."`
	Gateway   string            `default:"http://127.0.0.1:8081" placeholder:"URL" help:"Control plane of the gateway (${default})."`
	Parameter map[string]string `short:"p" placeholder:"KEY=VALUE" mapsep:"none" help:"Value of a parameter of the template; may be repeated."`
	Import    map[string]string `placeholder:"NAME=VALUE" mapsep:"none" help:"Value that another stack exports, for Fn::ImportValue; may be repeated."`
	Stack     string            `placeholder:"NAME" help:"Name of the stack; without one, that of the template's folder."`
	Delete    bool              `help:"Delete everything that the stack has in the gateway."`
	Yes       bool              `short:"y" help:"Do not ask for confirmation."`
	Profile   string            `placeholder:"NAME" help:"Profile of the AWS configuration whose credentials sign the requests."`
	Region    string            `placeholder:"NAME" help:"Region of the gateway; without one, that of the AWS configuration, else us-east-1."`
	Account   string            `placeholder:"DIGITS" help:"Account of the gateway, for ARNs (123456789012)."`
	Print     bool              `name:"print-template" help:"Print the template, or the one that a stagedoor.yaml stands for, and do nothing else."`
	JSON      bool              `help:"Print one JSON object per line. Needs --yes."`
	tlsFlags
}

// Help is the second half of "stagedoor deploy --help".
func (DeployCmd) Help() string {
	return `Deploys the WebSocket APIs of a template to a running gateway: shows what it will
create, change and delete, asks, and does it. A second run has nothing to do. If a
run stops half-way, the next one goes on from there. Connections stay open.

Requests are signed with the credentials that the AWS tools would use, if there
are any; a gateway that runs with --open needs none. The functions of a template
are not deployed: the gateway's configuration has their addresses.

Exit codes: 0 the gateway is as the template says, 1 it is not, 2 wrong flags.`
}

// Run deploys a template.
func (c *DeployCmd) Run(ctx context.Context, p *process) error {
	if c.Print {
		return c.printTemplate(p)
	}
	if c.JSON && !c.Yes {
		return &usageError{errors.New("--json asks no questions: it needs --yes")}
	}
	identity, err := deploy.FindIdentity(ctx, c.Profile, c.Region)
	if err != nil {
		return err
	}
	want, err := c.read(identity.Region)
	if err != nil {
		return p.reportProblems(err)
	}
	security, err := c.config()
	if err != nil {
		return &usageError{err}
	}
	client, err := deploy.NewClient(deploy.ClientOptions{
		Gateway: c.Gateway, Region: identity.Region, Credentials: identity.Credentials, TLS: security,
	})
	if err != nil {
		return &usageError{err}
	}
	defer client.Close()
	have, err := deploy.Read(ctx, client, want.Stack())
	if err != nil {
		return err
	}
	plan, err := deploy.Compare(want.State, have, identity.Region)
	if err != nil {
		return err
	}
	out := c.printer(p, want.names(have))
	out.planned(want.Stack(), client.Gateway(), plan, append(deploy.Shadowed(ctx, client, want.State, have), want.notes...))
	if len(plan.Changes) > 0 {
		if err := c.confirm(ctx, p, plan); err != nil {
			return err
		}
		if err := plan.Apply(ctx, client, out.changed); err != nil {
			out.stopped(plan, err)
			return &exitError{exitFailure, err}
		}
	}
	if have, err = deploy.Read(ctx, client, want.Stack()); err != nil {
		return err
	}
	apis := have.APIs()
	deploy.Reach(ctx, client, apis)
	out.done(plan, apis)
	return nil
}

// printTemplate prints the template, which needs no gateway.
func (c *DeployCmd) printTemplate(p *process) error {
	from, err := source.Find(expandSource(c.Template))
	if err != nil {
		return err
	}
	text, err := from.Template()
	if err != nil {
		return p.reportProblems(err)
	}
	_, err = p.stdout.Write(text)
	return err
}

// wantedState is the state that a stack is to have.
type wantedState struct {
	*deploy.State
	notes []string              // for the user
	short *template.Application // of a stagedoor.yaml
}

// names returns the names of the APIs of a stagedoor.yaml, by their logical
// ids; nil for a template. An API that is not in the file any more has its name
// from the gateway.
func (w *wantedState) names(have *deploy.State) map[string]string {
	names := map[string]string{}
	if w.short == nil {
		return names
	}
	for _, a := range have.APIs() {
		names[a.LogicalID] = a.Name
	}
	for _, a := range w.short.APIs {
		names[a.LogicalID] = a.API.Name
	}
	return names
}

// read reads the state that the stack is to have. For a stack that is to be
// deleted it needs only the name.
func (c *DeployCmd) read(region string) (*wantedState, error) {
	if c.Stack != "" {
		if err := deploy.CheckStackName(c.Stack); err != nil {
			return nil, &usageError{err}
		}
		if c.Delete {
			return &wantedState{State: deploy.Nothing(c.Stack)}, nil
		}
	}
	from, err := source.Find(expandSource(c.Template))
	var app *template.Application
	if err == nil {
		app, err = from.Load(template.Options{
			Parameters: c.Parameter, Imports: c.Import, Region: region, AccountID: c.Account, StackName: c.Stack,
		})
	}
	switch {
	case err != nil && c.Delete:
		return nil, fmt.Errorf("%w\nGive the stack's name with --stack to delete it without a template", err)
	case err != nil:
		return nil, err
	}
	if err := deploy.CheckStackName(app.StackName); err != nil {
		return nil, fmt.Errorf("%w; --stack gives it another", err)
	}
	w := &wantedState{State: deploy.Nothing(app.StackName)}
	if from.IsShort() {
		w.short = app
	}
	if c.Delete {
		return w, nil
	}
	w.State, w.notes = deploy.Wanted(app), undeployed(app)
	if from.Note != "" {
		w.notes = append([]string{from.Note}, w.notes...)
	}
	return w, nil
}

// confirm asks whether a plan is to be applied.
func (c *DeployCmd) confirm(ctx context.Context, p *process, plan *deploy.Plan) error {
	if c.Yes {
		return nil
	}
	if !p.isTerminal(p.stdin) {
		return errors.New("nothing was done: there is no terminal to ask on; --yes does it without asking")
	}
	fmt.Fprintf(p.stdout, "%s. Go on? [y/N] ", summary(plan, "to "))
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(p.stdin).ReadString('\n') // an empty answer means no
		answer <- line
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(p.stdout)
		return errors.New("nothing was done")
	case line := <-answer:
		if line = strings.ToLower(strings.TrimSpace(line)); line == "y" || line == "yes" {
			return nil
		}
		return errors.New("nothing was done")
	}
}

// summary counts the changes of a plan: "3 to create, 1 to delete".
func summary(plan *deploy.Plan, to string) string {
	var parts []string
	for _, count := range []struct {
		action deploy.Action
		word   string
	}{{deploy.Create, "create"}, {deploy.Update, "change"}, {deploy.Delete, "delete"}} {
		if n := plan.Count(count.action); n > 0 {
			word := count.word
			if to == "" {
				word = strings.TrimSuffix(word, "e") + "ed"
			}
			parts = append(parts, fmt.Sprintf("%d %s%s", n, to, word))
		}
	}
	return strings.Join(parts, ", ")
}

// undeployed returns sentences about parts of a template that are doubtful, or
// that are not deployed and have to be provided in another way.
func undeployed(app *template.Application) []string {
	var notes []string
	for _, w := range app.Warnings {
		notes = append(notes, fmt.Sprintf("%s %s: %s", w.LogicalID, w.Property, w.Message))
	}
	for _, f := range app.Functions {
		notes = append(notes, fmt.Sprintf("the function %s is not deployed here: it is called at AWS Lambda, or where the gateway's configuration says under functions: {%s: URL}", f.LogicalID, f.Name))
	}
	for _, t := range app.Tables {
		notes = append(notes, fmt.Sprintf("the table %s (%s) is not made here", t.LogicalID, t.Name))
	}
	for _, n := range app.Ignored {
		if n.Property == "" && !strings.HasPrefix(n.Type, "AWS::ApiGatewayV2::") {
			notes = append(notes, fmt.Sprintf("%s (%s) is not made here", n.LogicalID, n.Type))
		}
	}
	return notes
}
