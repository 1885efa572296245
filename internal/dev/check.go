package dev

// Check reads and compiles a template without running anything. The error is
// a mistake.List for mistakes in the template. Variables of the environment change
// nothing of a stagedoor.yaml.
func Check(config Config) (Application, error) {
	p, err := openProject(config, nil)
	if err != nil {
		return Application{}, err
	}
	loaded, err := p.load()
	if err != nil {
		return Application{}, err
	}
	backends := newBackends(p.config, p.config.endpoints, nil) // which are not called
	defer backends.Close()
	compiled, err := p.compile(loaded, newCompiler(p.config, backends))
	if err != nil {
		return Application{}, err
	}
	return p.describe(compiled, nil), nil
}

// Expand returns a template after SAM's expansion, as indented JSON.
func Expand(config Config) ([]byte, error) {
	p, err := openProject(config, nil)
	if err != nil {
		return nil, err
	}
	return p.source.Expand(p.templateOptions())
}
