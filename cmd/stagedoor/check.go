package main

import (
	"context"
	"fmt"

	"github.com/stagedoor/stagedoor/internal/dev"
	"github.com/stagedoor/stagedoor/internal/source"
)

// CheckCmd is "stagedoor check".
type CheckCmd struct {
	Template  string            `arg:"" optional:"" default:"." name:"file" help:"SAM or CloudFormation template, or a configuration of \"stagedoor serve\", or the folder of one."`
	Parameter map[string]string `short:"p" placeholder:"KEY=VALUE" mapsep:"none" help:"Value of a parameter of the template; may be repeated."`
	Import    map[string]string `placeholder:"NAME=VALUE" mapsep:"none" help:"Value that another stack exports, for Fn::ImportValue; may be repeated."`
	Expand    bool              `help:"Print the template after SAM's expansion, as JSON."`
}

// Help is the second half of "stagedoor check --help".
func (CheckCmd) Help() string {
	return `Validates a template, or a configuration of "stagedoor serve", without running
it and lists everything that is wrong, with file and line.

Exit codes: 0 nothing is wrong, 1 there are mistakes, 2 wrong flags.`
}

// Run prints mistakes to standard error, and everything else to standard
// output.
func (c *CheckCmd) Run(_ context.Context, p *process) error {
	template := dev.Config{Template: expandSource(c.Template), Parameters: c.Parameter, Imports: c.Import}
	from, err := source.Find(template.Template)
	if err != nil {
		return err
	}
	if c.Expand {
		expanded, err := dev.Expand(template)
		if err != nil {
			return p.reportProblems(err)
		}
		_, err = p.stdout.Write(expanded)
		return err
	}
	if from.IsShort() {
		file, err := from.Config(nil) // without the environment, which could change it
		if err != nil {
			return p.reportProblems(err)
		}
		if file.APIs == nil || len(file.APIs.APIs) == 0 {
			return reportSound(p, from)
		}
	}
	application, err := dev.Check(template)
	if err != nil {
		return p.reportProblems(err)
	}
	if from.IsShort() {
		if err := reportSound(p, from); err != nil {
			return err
		}
	}
	return printChecked(p, application)
}

// printChecked prints what there is to say of an application without mistakes.
func printChecked(p *process, application dev.Application) error {
	if application.Note != "" {
		_, _ = fmt.Fprintln(p.stdout, application.Note)
	}
	for _, problem := range application.Problems {
		_, _ = fmt.Fprintf(p.stdout, "cannot work here: %s\n", problem)
	}
	for _, warning := range application.Warnings {
		_, _ = fmt.Fprintf(p.stdout, "warning: %s\n", warning)
	}
	for _, notice := range application.Notices {
		_, _ = fmt.Fprintf(p.stdout, "not acted on here: %s\n", noticeText(notice))
	}
	routes := 0
	for _, api := range application.APIs {
		routes += len(api.Routes)
	}
	_, err := fmt.Fprintf(p.stdout, "%s: %s, %s, %s\n", shortPath(application.Template),
		count(len(application.APIs), "WebSocket API"), count(routes, "route"), count(len(application.Functions), "function"))
	return err
}

// reportSound prints that a configuration, with its APIs, has no mistakes.
func reportSound(p *process, from *source.Source) error {
	_, err := fmt.Fprintf(p.stdout, "%s: a configuration without mistakes\n", shortPath(from.File))
	return err
}
