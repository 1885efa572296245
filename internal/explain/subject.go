package explain

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
	"github.com/stagedoor/stagedoor/internal/mistake"
	"github.com/stagedoor/stagedoor/internal/source"
	"github.com/stagedoor/stagedoor/internal/template"
)

// ChoiceError says that it has to be told which API, or which stage, is meant.
type ChoiceError struct{ message string }

func (e *ChoiceError) Error() string { return e.message }

// FromSource reads a stage of an API from a template or a short file. api is its id, its
// logical id or its name, empty where there is only one; the same holds for the stage. For
// mistakes in it, the error is a mistake.List.
func FromSource(from *source.Source, o template.Options, api, stage string) (*Subject, error) {
	app, err := from.Load(o)
	if err != nil {
		return nil, err
	}
	chosen, err := chooseAPI(app.APIs, api)
	if err != nil {
		return nil, err
	}
	s := &Subject{
		API: chosen.API, Keys: app.ApiKeys, Plans: app.UsagePlans,
		Region: app.Region, AccountID: app.AccountID, File: from.Name(),
	}
	if s.Stage, err = ChooseStage(chosen.Stages, stage); err != nil {
		return nil, err
	}
	if from.File != "" {
		s.Source, _ = os.ReadFile(from.File) // without it, mistakes have no lines of the file
	}
	return s, nil
}

func chooseAPI(apis []*template.API, wanted string) (*template.API, error) {
	var names []string
	for _, a := range apis {
		if wanted != "" && (wanted == a.API.ApiId || wanted == a.LogicalID || wanted == a.API.Name) {
			return a, nil
		}
		names = append(names, a.LogicalID)
	}
	switch {
	case len(apis) == 0:
		return nil, errors.New("the template has no WebSocket API")
	case wanted != "":
		return nil, &ChoiceError{fmt.Sprintf("there is no API %s; there are %s", wanted, strings.Join(names, ", "))}
	case len(apis) > 1:
		return nil, &ChoiceError{"the template has several APIs; --api says which: " + strings.Join(names, ", ")}
	}
	return apis[0], nil
}

// ChooseStage returns the stage of a name, or the only one of those that have a deployment
// where the name is empty. The error is a ChoiceError where it is not clear which is meant.
func ChooseStage(stages []*apigw.Stage, wanted string) (*apigw.Stage, error) {
	deployed := slices.DeleteFunc(slices.Clone(stages), func(s *apigw.Stage) bool { return s.DeploymentId == "" })
	var names []string
	for _, s := range deployed {
		if s.StageName == wanted {
			return s, nil
		}
		names = append(names, s.StageName)
	}
	switch {
	case len(deployed) == 0:
		return nil, errors.New("the API has no stage that clients can connect to: none has a deployment")
	case wanted != "":
		return nil, &ChoiceError{fmt.Sprintf("there is no stage %s with a deployment; there are %s", wanted, strings.Join(names, ", "))}
	case len(deployed) > 1:
		return nil, &ChoiceError{"the API has several stages; --stage says which: " + strings.Join(names, ", ")}
	}
	return deployed[0], nil
}

// OfMistakes is the explanation of any event where the template cannot be used.
func OfMistakes(list mistake.List) *Explanation {
	return &Explanation{Result: Mistaken, Mistakes: placed(list), Limits: []Limit{}, Route: Route{Keys: []string{}}}
}

// placed returns the mistakes of a template with their lines.
func placed(list mistake.List) []Mistake {
	files := map[string][]string{}
	found := make([]Mistake, len(list))
	for i, m := range list {
		found[i] = Mistake{File: m.File, Line: m.Line, Where: m.Where, Message: m.Message}
		lines, read := files[m.File]
		if !read && m.Line > 0 {
			text, _ := os.ReadFile(m.File) // what cannot be read has no lines
			lines = strings.Split(string(text), "\n")
			files[m.File] = lines
		}
		if line, column := inMappingTemplate(lines, &m); line > 0 {
			found[i].Line, found[i].Column, found[i].Source = line, column, strings.TrimRight(lines[line-1], "\r")
			continue
		}
		if m.Line > 0 && m.Line <= len(lines) {
			found[i].Source = strings.TrimRight(lines[m.Line-1], "\r")
			found[i].Column = columnOf(found[i].Source, m.Message)
		}
	}
	return found
}

// mappingPlace finds where in a mapping template a mistake is: the template's key, its line
// and its column.
var mappingPlace = lazyregexp.New(`(?:Request|Response)Templates\["([^"]*)"\]: line (\d+), column (\d+): `)

// inMappingTemplate returns the line and the column in a file of a mistake in a mapping
// template that is written as a block there; 0 for any other mistake. The mistake's own line
// is that of the templates' property.
func inMappingTemplate(lines []string, m *mistake.Mistake) (line, column int) {
	place := mappingPlace.Compiled().FindStringSubmatch(m.Message)
	if place == nil || m.Line < 1 || m.Line > len(lines) {
		return 0, 0
	}
	row, _ := strconv.Atoi(place[2]) // digits, or 0
	column, _ = strconv.Atoi(place[3])
	depth := indentOf(lines[m.Line-1])
	for i := m.Line; i < len(lines) && (strings.TrimSpace(lines[i]) == "" || indentOf(lines[i]) > depth); i++ {
		key, value, _ := strings.Cut(strings.TrimSpace(lines[i]), ":")
		if strings.Trim(key, `"'`) != place[1] || !strings.HasPrefix(strings.TrimSpace(value), "|") {
			continue
		}
		first := i + 1
		for first < len(lines) && strings.TrimSpace(lines[first]) == "" {
			first++
		}
		if line = i + 1 + row; first < len(lines) && line <= len(lines) {
			return line, column + indentOf(lines[first])
		}
	}
	return 0, 0
}

// indentOf counts the spaces that a line begins with.
func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

var words = lazyregexp.New(`[A-Za-z0-9_$:./{}-]+`)

// columnOf returns the column of what a message about a line is about: the longest word of the
// message that the line has, else the beginning of the line's text.
func columnOf(line, message string) int {
	at, length := len(line)-len(strings.TrimLeft(line, " \t-")), 2
	for _, word := range words.Compiled().FindAllString(message, -1) {
		word = strings.TrimRight(word, ".:")
		if found := indexWord(line, word); found >= 0 && len(word) > length {
			at, length = found, len(word)
		}
	}
	return at + 1
}

// indexWord returns where a line has a word, and nothing of a word around it; -1 where it
// has not.
func indexWord(line, word string) int {
	for start := 0; word != ""; {
		i := strings.Index(line[start:], word)
		if i < 0 {
			return -1
		}
		i += start
		end := i + len(word)
		if (i == 0 || !isWordByte(line[i-1])) && (end == len(line) || !isWordByte(line[end])) {
			return i
		}
		start = i + 1
	}
	return -1
}

func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
