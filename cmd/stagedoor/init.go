package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/scaffold"
	"github.com/stagedoor/stagedoor/internal/source"
)

// InitCmd is "stagedoor init".
type InitCmd struct {
	Folder string `arg:"" optional:"" default:"." type:"path" help:"Folder to write to; it is made if it does not exist."`
	SAM    string `name:"sam" placeholder:"LANGUAGE" help:"Write a SAM application instead: go, typescript or python."`
}

// Help is the second half of "stagedoor init --help".
func (InitCmd) Help() string {
	return `Writes a stagedoor.yaml, which puts WebSockets in front of an HTTP backend; with
--sam an application for AWS in a language. "stagedoor dev" runs both. It asks
no questions, and does not change existing files.

Exit codes: 0 the files are written, 1 they are not, 2 wrong flags.`
}

// Run writes the files and prints what to do next.
func (c *InitCmd) Run(p *process) error {
	if c.SAM != "" && !slices.Contains(scaffold.Languages, c.SAM) {
		return &usageError{fmt.Errorf("--sam takes one of %s, not %q", strings.Join(scaffold.Languages, ", "), c.SAM)}
	}
	names, err := scaffold.Write(c.Folder, cmp.Or(c.SAM, scaffold.Short))
	if err != nil {
		return err
	}
	for _, name := range names {
		_, _ = fmt.Fprintln(p.stdout, shortPath(filepath.Join(c.Folder, filepath.FromSlash(name))))
	}
	next, run := "README.md has the commands to talk to it.", "stagedoor dev"
	if c.SAM == "" {
		next = "WebSockets in front of http://localhost:8000; change the URLs in the file."
	}
	if c.SAM == "typescript" {
		run = "npm install && npm run build && " + run
	}
	if from, err := source.Find(c.Folder); err == nil && from.Note != "" && c.SAM == "" {
		run += " " + names[0] // a template in the folder would be taken otherwise
	}
	if folder := shortPath(c.Folder); folder != "." {
		run = "cd " + folder + " && " + run
	}
	_, err = fmt.Fprintf(p.stdout, "\n%s\n\n  %s\n", next, run)
	return err
}
