// Package source reads what is given to "stagedoor dev", check and deploy: a
// SAM or CloudFormation template, a stagedoor.yaml with the short form of APIs,
// a folder with one of them, or the URL of an HTTP backend. Each of them
// becomes a template's application.
package source

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/shortfile"
	"github.com/stagedoor/stagedoor/internal/template"
)

// shortNames are the names of a short file in a folder, in the order in which
// they are looked for.
var shortNames = []string{"stagedoor.yaml", "stagedoor.yml"}

// Source is where an application is read from. It can be read any number of
// times, and each time reads the file anew.
type Source struct {
	// File is the template or the short file; empty for a URL.
	File string
	// URL is the HTTP backend; empty for a file.
	URL string
	// Note is a message about a file that was passed over; empty where none
	// was.
	Note string

	short   bool
	backend *shortfile.File // of a URL
}

// Find finds the source that a path or URL stands for. In a folder it takes a
// template before a short file. The error says what to do where there is
// neither.
func Find(what string) (*Source, error) {
	if IsURL(what) {
		backend, err := shortfile.ForURL(what)
		if err != nil {
			return nil, err
		}
		return &Source{URL: what, backend: backend}, nil
	}
	info, err := os.Stat(what)
	switch {
	case errors.Is(err, os.ErrNotExist) && looksLikeHost(what):
		return nil, fmt.Errorf("there is no file %s; an HTTP backend is written with its scheme: http://%s", filepath.Base(what), filepath.Base(what))
	case err == nil && info.IsDir():
		return inFolder(what)
	}
	file, err := template.Find(what)
	if err != nil {
		return nil, err
	}
	return &Source{File: file, short: config.IsConfiguration(file)}, nil
}

// IsURL reports whether a text is the URL of a backend, and not a path.
func IsURL(what string) bool {
	return strings.HasPrefix(what, "http://") || strings.HasPrefix(what, "https://")
}

// looksLikeHost reports whether a text looks like a host with a port,
// localhost:8000, and not like a path with a drive of Windows.
func looksLikeHost(what string) bool {
	u, err := url.Parse("http://" + filepath.Base(what))
	return err == nil && len(u.Hostname()) > 1 && u.Port() != ""
}

func inFolder(folder string) (*Source, error) {
	short := ""
	for _, name := range shortNames {
		file := filepath.Join(folder, name)
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			short = file
			break
		}
	}
	file, err := template.Find(folder)
	switch {
	case err == nil && short != "":
		note := fmt.Sprintf("the folder has %s as well; %s is taken", filepath.Base(short), filepath.Base(file))
		return &Source{File: file, Note: note}, nil
	case err == nil:
		return &Source{File: file}, nil
	case short != "":
		return &Source{File: short, short: true}, nil
	}
	if !errors.Is(err, template.ErrNone) {
		return nil, err // it says what to do
	}
	return nil, fmt.Errorf("%w, and no %s; \"stagedoor init\" writes one", err, shortNames[0])
}

// IsShort reports whether the source is a stagedoor.yaml.
func (s *Source) IsShort() bool { return s.short }

// Name is the file or URL, for messages.
func (s *Source) Name() string {
	if s.URL != "" {
		return s.URL
	}
	return s.File
}

// Config reads a short file as a configuration; it returns nil for other
// sources. environ are variables of the environment, as os.Environ has them.
// For a file with mistakes the error is a mistake.List.
func (s *Source) Config(environ []string) (*config.Config, error) {
	if !s.short {
		return nil, nil
	}
	c, _, err := config.Load(config.Options{File: s.File, Environ: environ})
	return c, err
}

// Load reads the application. If the options name no stack, the stack has the
// name of the file's folder, as for every template; for a URL it is
// shortfile.StackName.
func (s *Source) Load(o template.Options) (*template.Application, error) {
	file, err := s.shortForm()
	if err != nil {
		return nil, err
	}
	if s.URL != "" && o.StackName == "" {
		o.StackName = shortfile.StackName
	}
	if file == nil {
		return template.Load(s.File, o)
	}
	return Load(file, o)
}

// Load reads the application that APIs in their short form stand for. Mistakes
// are reported with lines of the short file.
func Load(file *shortfile.File, o template.Options) (*template.Application, error) {
	return template.LoadText(text(file), o)
}

// Expand returns the template after SAM's expansion, as template.Expand does.
func (s *Source) Expand(o template.Options) ([]byte, error) {
	file, err := s.shortForm()
	if err != nil {
		return nil, err
	}
	if file == nil {
		return template.Expand(s.File, o)
	}
	return template.ExpandText(text(file), o)
}

// Template returns the template as it is written, or the one that a short form
// stands for. For a file that is not YAML or JSON, or too large, the error is a
// mistake.List.
func (s *Source) Template() ([]byte, error) {
	file, err := s.shortForm()
	if err != nil {
		return nil, err
	}
	if file == nil {
		return template.Source(s.File)
	}
	return file.Template(), nil
}

// shortForm returns the APIs of a short file or a URL; nil for a template.
func (s *Source) shortForm() (*shortfile.File, error) {
	if !s.short {
		return s.backend, nil
	}
	c, err := s.Config(nil)
	switch {
	case err != nil:
		return nil, err
	case c.APIs == nil || len(c.APIs.APIs) == 0:
		return nil, fmt.Errorf("%s has no apis; docs/http-backend.md says how they are written", s.File)
	}
	return c.APIs, nil
}

func text(file *shortfile.File) template.Text {
	places := file.Places()
	return template.Text{
		Source: file.Template(), File: file.Name,
		Place: func(logicalID string) (int, string) {
			if place, found := places[logicalID]; found {
				return place.Line, place.Key
			}
			return 0, logicalID
		},
	}
}
