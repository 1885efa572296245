package template

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxIncludes bounds how many files a template may include.
const maxIncludes = 50

// includer replaces the transform AWS::Include by the content of local files.
// Values from a file have the line of the transform.
type includer struct {
	*report
	folder string   // of the template
	files  []string // that were included
	read   int      // bytes of all files
}

// include replaces every AWS::Include of a template and returns the files.
func include(root *value, folder string, r *report) []string {
	in := &includer{report: r, folder: folder}
	if transforms := root.get("Transform"); transforms != nil {
		macros := []*value{transforms}
		if transforms.kind == list {
			macros = transforms.items
		}
		for _, macro := range macros {
			if macro.get("Name").is("AWS::Include") {
				in.into(root, macro)
			}
		}
	}
	in.walk(root)
	return in.files
}

func (in *includer) walk(v *value) {
	for _, item := range v.items {
		in.walk(item)
	}
	if m := v.member("Fn::Transform"); m != nil && m.value.get("Name").is("AWS::Include") {
		macro := m.value
		*v = *v.without("Fn::Transform")
		in.into(v, macro)
	}
	for _, m := range v.members {
		in.walk(m.value)
	}
}

// into adds the members of the file that a macro names to an object. Members
// that the object has already stay.
func (in *includer) into(v *value, macro *value) {
	location := macro.get("Parameters").get("Location")
	if location == nil || location.kind != text {
		in.problem(macro.line, "", "AWS::Include needs the Parameters {Location: path of a file}")
		return
	}
	content, err := in.load(location.text)
	if err != nil {
		in.problem(location.line, "", "AWS::Include %s: %v", location.text, err)
		return
	}
	relocate(content, macro.line)
	for _, m := range content.members {
		if v.member(m.key) == nil {
			v.members = append(v.members, m)
		}
	}
}

// load reads a file to include.
func (in *includer) load(location string) (*value, error) {
	if strings.Contains(location, "://") {
		return nil, fmt.Errorf("only local files can be included here")
	}
	file := filepath.FromSlash(location)
	if !filepath.IsAbs(file) {
		file = filepath.Join(in.folder, file)
	}
	if len(in.files) >= maxIncludes {
		return nil, fmt.Errorf("at most %d files can be included", maxIncludes)
	}
	switch info, err := os.Stat(file); {
	case err != nil:
		return nil, fmt.Errorf("the file does not exist")
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("it is not a file")
	case info.Size()+int64(in.read) > maxBytes:
		return nil, fmt.Errorf("all included files together have more than %d bytes", maxBytes)
	}
	in.files = append(in.files, file)
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read it: %w", err)
	}
	in.read += len(source)
	r := newReport(file)
	content := parse(source, r)
	if len(r.problems) > 0 {
		return nil, fmt.Errorf("line %d: %s", r.problems[0].Line, r.problems[0].Message)
	}
	if content.kind != object {
		return nil, fmt.Errorf("the file must hold an object, not %s", content.describe())
	}
	if holdsInclude(content) {
		return nil, fmt.Errorf("an included file cannot include another one")
	}
	return content, nil
}

func holdsInclude(v *value) bool {
	if v.get("Fn::Transform").get("Name").is("AWS::Include") {
		return true
	}
	return slices.ContainsFunc(v.items, holdsInclude) ||
		slices.ContainsFunc(v.members, func(m member) bool { return holdsInclude(m.value) })
}

// relocate puts a value and all in it on one line.
func relocate(v *value, line int) {
	v.line = line
	for _, item := range v.items {
		relocate(item, line)
	}
	for i := range v.members {
		v.members[i].line = line
		relocate(v.members[i].value, line)
	}
}
