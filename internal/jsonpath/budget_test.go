package jsonpath

import (
	"errors"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/javaregexp"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// Evaluations share a budget: none begins anew.
func TestBudget(t *testing.T) {
	t.Parallel()
	path, err := Compile("$..x")
	if err != nil {
		t.Fatal(err)
	}
	document, _ := jsonvalue.Parse([]byte(`[` + strings.Repeat(`{"x":1},`, 999) + `{}]`))
	budget, evaluations := NewBudget(20_000), 0
	for ; err == nil && evaluations < 100; evaluations++ {
		_, _, err = path.EvaluateWithin(document, budget)
	}
	if !errors.Is(err, ErrTooMuchWork) || evaluations < 2 || evaluations > 20 {
		t.Errorf("%v after %d evaluations", err, evaluations)
	}
	if _, _, err := path.Evaluate(document); err != nil {
		t.Errorf("an evaluation of its own: %v", err)
	}
}

// Many texts that each take a regular expression long end as one does.
func TestBudgetOfRegularExpressions(t *testing.T) {
	t.Parallel()
	path, err := Compile("$[?(@ =~ /(?!x)(a+)+/)]")
	if err != nil {
		t.Fatal(err)
	}
	text := `"` + strings.Repeat("a", 18) + `!"` // takes some hundredths of a second
	document, _ := jsonvalue.Parse([]byte(`[` + strings.Repeat(text+",", 400) + text + `]`))
	if _, _, err := path.Evaluate(document); !errors.Is(err, javaregexp.ErrTimeout) {
		t.Error(err)
	}
}
