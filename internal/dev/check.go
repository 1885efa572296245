package dev

import (
	"errors"

	"github.com/stagedoor/stagedoor/internal/source"
	"github.com/stagedoor/stagedoor/internal/usage"
)

// Check reads and compiles a template without running anything. The error is
// a mistake.List for mistakes in the template. Variables of the environment change
// nothing of a stagedoor.yaml.
func Check(config Config) (Application, error) {
	d, err := newDev(config, nil)
	if err != nil {
		return Application{}, err
	}
	loaded, err := d.load()
	if err != nil {
		return Application{}, err
	}
	compiled, err := d.compile(loaded)
	if err != nil {
		return Application{}, err
	}
	return d.describe(compiled), nil
}

// Expand returns a template after SAM's expansion, as indented JSON.
func Expand(config Config) ([]byte, error) {
	d, err := newDev(config, nil)
	if err != nil {
		return nil, err
	}
	return d.source.Expand(d.templateOptions())
}

// newDev makes what reads templates; nothing runs yet. environ are variables of
// the environment, as in os.Environ, which say more than a stagedoor.yaml.
func newDev(config Config, environ []string) (*dev, error) {
	if config.Template == "" {
		return nil, errors.New("no template is given")
	}
	from, err := source.Find(config.Template)
	if err != nil {
		return nil, err
	}
	file, err := from.Config(environ)
	if err != nil {
		return nil, err
	}
	if config, err = config.with(file).withDefaults(); err != nil {
		return nil, err
	}
	backends, err := newBuilder(config)
	if err != nil {
		return nil, err
	}
	compiler := newCompiler(backends)
	limits := config.limits
	if config.Limits != nil {
		config.Limits(&limits)
	}
	compiler.SetLimits(limits)
	return &dev{config: config, source: from, file: file, compiler: compiler, keys: usage.NewKeys(new(usage.Buckets), usage.NewLedger(nil))}, nil
}
