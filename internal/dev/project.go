package dev

import (
	"errors"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/shortfile"
	"github.com/stagedoor/stagedoor/internal/source"
	"github.com/stagedoor/stagedoor/internal/template"
)

// project is what an application is read from. Nothing of it runs.
type project struct {
	config Config
	source *source.Source
	file   *config.Config // a stagedoor.yaml as it was read last; nil for other sources
}

// openProject finds out what a configuration points to. environ are variables of
// the environment, as in os.Environ, which say more than a stagedoor.yaml.
func openProject(c Config, environ []string) (*project, error) {
	if c.Template == "" {
		return nil, errors.New("no template is given")
	}
	from, err := source.Find(c.Template)
	if err != nil {
		return nil, err
	}
	file, err := from.Config(environ)
	if err != nil {
		return nil, err
	}
	if c, err = c.with(file).withDefaults(); err != nil {
		return nil, err
	}
	return &project{config: c, source: from, file: file}, nil
}

// load reads the template.
func (p *project) load() (*template.Application, error) {
	return p.source.Load(p.templateOptions())
}

func (p *project) templateOptions() template.Options {
	return template.Options{
		Parameters: p.config.Parameters, Imports: p.config.Imports, Region: p.config.Region, AccountID: p.config.AccountID, StackName: p.stackName(),
		Provided: p.config.Handlers.Provides,
	}
}

// isShort reports whether the application is written in the short form.
func (p *project) isShort() bool { return p.source.IsShort() || p.source.URL != "" }

// stackName names the stack of the short form. Empty leaves the name to the
// template's folder.
func (p *project) stackName() string {
	if p.isShort() {
		return shortfile.StackName
	}
	return ""
}

// defaultStage is the stage that clients reach without its name in the path:
// that of the only API of a short form. Nil is none.
func (p *project) defaultStage(a *application) *gateway.Default {
	if !p.isShort() || len(a.plans) != 1 {
		return nil
	}
	return &gateway.Default{APIID: a.plans[0].APIID, Stage: a.plans[0].Name, AnyPath: p.source.URL != ""}
}
