package template

import (
	"fmt"
	"path/filepath"
)

// Load reads a template file, or the template of a folder as Find does, and
// gives what it describes. A template with mistakes gives Problems; any other
// error means that the file could not be read.
func Load(path string, o Options) (*Application, error) {
	source, r, err := open(path)
	if err != nil {
		return nil, err
	}
	return load(source, o, r)
}

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

// load is Load without the reading of the file.
func load(source []byte, o Options, r *report) (*Application, error) {
	folder, err := filepath.Abs(filepath.Dir(r.file))
	if err != nil {
		return nil, fmt.Errorf("find the template's folder: %w", err)
	}
	doc, parameters := expanded(source, o, r)
	if doc == nil {
		return nil, r.err()
	}
	requireValues(doc, parameters, r)
	checkReferences(doc, parameters, r)
	b := newBuilder(newResolver(doc, newStack(r.file, o), parameters, r), folder)
	app := b.build()
	app.File = r.file
	if err := r.err(); err != nil {
		return nil, err
	}
	app.Ignored = r.ignored()
	return app, nil
}

// Expand gives a template after SAM's expansion as indented JSON with sorted
// keys. Functions stay as they are written. Mistakes give Problems.
func Expand(path string, o Options) ([]byte, error) {
	source, r, err := open(path)
	if err != nil {
		return nil, err
	}
	doc, _ := expanded(source, o, r)
	if err := r.err(); err != nil {
		return nil, err
	}
	return indentedJSON(doc.root)
}

// expanded parses a template and expands what is SAM's in it. The document is
// nil when the source cannot be parsed.
func expanded(source []byte, o Options, r *report) (*document, map[string]*parameter) {
	root := parse(source, r)
	if root == nil {
		return nil, nil
	}
	doc := newDocument(root, r)
	parameters := readParameters(doc, o.Parameters, r)
	return expandSAM(doc, parameters, r), parameters
}
