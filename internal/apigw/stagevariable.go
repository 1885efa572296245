package apigw

import (
	"fmt"
	"strings"

	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

var stageVariable = lazyregexp.New(`\$\{stageVariables\.([A-Za-z0-9_]+)\}`)

// HasStageVariable reports whether a URI or an ARN refers to a variable of the
// stage, "${stageVariables.name}": what it is then depends on the stage.
func HasStageVariable(text string) bool { return strings.Contains(text, "${stageVariables.") }

// ReplaceStageVariables returns a text in which each reference to a variable of
// the stage is replaced by what value returns for the variable's name.
func ReplaceStageVariables(text string, value func(name string) string) string {
	if !HasStageVariable(text) {
		return text
	}
	return stageVariable.Compiled().ReplaceAllStringFunc(text, func(reference string) string {
		return value(stageVariable.FindStringSubmatch(reference)[1])
	})
}

// WithStageVariables returns a text with the values of the stage's variables. The
// error names a variable that the stage does not have.
func WithStageVariables(text string, variables map[string]string) (string, error) {
	var err error
	text = ReplaceStageVariables(text, func(name string) string {
		value, found := variables[name]
		if !found && err == nil {
			err = fmt.Errorf("the stage has no variable %s", name)
		}
		return value
	})
	return text, err
}
