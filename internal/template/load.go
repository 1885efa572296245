package template

import (
	"fmt"
	"path/filepath"
)

// Load reads a template file, or the template of a folder as Find does, and
// returns what it describes. For a template with mistakes the error is
// mistake.List; any other error means that the file could not be read.
func Load(path string, o Options) (*Application, error) {
	source, r, err := open(path)
	if err != nil {
		return nil, err
	}
	return load(source, o, r)
}

// Text is a template that was made from another file, a short form for
// instance.
type Text struct {
	Source []byte
	// File is the file it was made from. Relative paths are relative to its
	// folder, and messages name it.
	File string
	// Place returns the line of the file that a resource comes from, and the
	// resource's name there. With nil, messages have no lines.
	Place func(logicalID string) (line int, name string)
}

func (t Text) report() *report {
	r := newReport(t.File)
	if r.place = t.Place; r.place == nil {
		r.place = func(logicalID string) (int, string) { return 0, logicalID }
	}
	return r
}

// LoadText is Load for a template that was made from another file.
func LoadText(t Text, o Options) (*Application, error) { return load(t.Source, o, t.report()) }

// ExpandText is Expand for a template that was made from another file.
func ExpandText(t Text, o Options) ([]byte, error) { return expand(t.Source, o, t.report()) }

// open finds and reads a template, and starts the report about it.
func open(path string) ([]byte, *report, error) {
	file, err := Find(path)
	if err != nil {
		return nil, nil, err
	}
	r := newReport(file)
	source, err := readTemplate(r)
	return source, r, err
}

// load is Load for a source that was read.
func load(source []byte, o Options, r *report) (*Application, error) {
	t, err := readSource(source, o, r)
	if err != nil {
		return nil, err
	}
	requireValues(t.doc, t.parameters, r)
	checkReferences(t.doc, t.parameters, r)
	resolver := newResolver(t.doc, newStack(r.file, o), t.parameters, r)
	resolver.imports = o.Imports
	b := newBuilder(resolver, t.folder)
	b.provided = o.Provided
	app := b.build()
	if err := r.err(); err != nil {
		return nil, err
	}
	app.File, app.Includes = r.file, t.includes
	app.Ignored, app.Warnings = inOrder(r.notices), inOrder(r.warnings)
	return app, nil
}

// Expand returns a template after SAM's expansion as indented JSON with sorted
// keys. Functions stay as they are written. For a template with mistakes the
// error is mistake.List.
func Expand(path string, o Options) ([]byte, error) {
	source, r, err := open(path)
	if err != nil {
		return nil, err
	}
	return expand(source, o, r)
}

// expand is Expand for a source that was read.
func expand(source []byte, o Options, r *report) ([]byte, error) {
	t, err := readSource(source, o, r)
	if err != nil {
		return nil, err
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return indentedJSON(t.doc.root)
}

// expandedTemplate is a template after SAM's expansion.
type expandedTemplate struct {
	doc        *document
	parameters map[string]*parameter
	folder     string   // of the template, absolute
	includes   []string // files that are part of it
}

// readSource parses a template and expands the resources of SAM in it. Mistakes
// are in the report. An error means that the template could not be read to its
// end.
func readSource(source []byte, o Options, r *report) (*expandedTemplate, error) {
	folder, err := filepath.Abs(filepath.Dir(r.file))
	if err != nil {
		return nil, fmt.Errorf("find the template's folder: %w", err)
	}
	root := parse(source, r)
	if root == nil {
		return nil, r.err()
	}
	t := &expandedTemplate{folder: folder, includes: include(root, folder, r)}
	t.parameters = readParameters(&document{root: root}, o.Parameters, r)
	expandLoops(root, newStack(r.file, o), t.parameters, r)
	t.doc = expandSAM(newDocument(root, r), t.parameters, r)
	return t, nil
}
