package plan

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/expression"
	"github.com/stagedoor/stagedoor/internal/model"
	"github.com/stagedoor/stagedoor/internal/trace"
)

// defaultModel is the key of the model for messages whose own key has none.
const defaultModel = "$default"

// Validator checks a route's messages against the models that the route's
// model selection expression selects.
type Validator struct {
	selection *expression.Expression
	models    map[string]*model.Model // by key
}

// Validate checks a message against the model that the model selection
// expression selects. The error says what does not fit, for the operator, in at
// most 1 KB. A message without a model is refused. The trace, which may be nil, is told
// of it, with all that does not fit.
func (v *Validator) Validate(message []byte, to *trace.Trace) error {
	var room [64]byte // so that no key is allocated
	key := v.selection.Append(room[:0], expression.Input{Message: message})
	selected, found := v.models[string(key)]
	if !found {
		selected, found = v.models[defaultModel]
	}
	if !found {
		return fmt.Errorf("the route has no model for the key %.100q and none for %s", key, defaultModel)
	}
	err := selected.Validate(message)
	if to != nil {
		to.Add(newModelStep(to, selected, message, err == nil))
	}
	return err
}

// newModelStep is what a trace is told of a message that was checked.
func newModelStep(to *trace.Trace, m *model.Model, message []byte, fits bool) trace.Model {
	step := trace.Model{At: time.Now(), Name: m.Name()}
	if fits {
		return step
	}
	for _, violation := range m.Violations(message) {
		step.Violations = append(step.Violations, to.Text(violation))
	}
	return step
}

// validator makes a route's validator. It returns nil where nothing is
// validated: for a route without a model selection expression, and for $connect
// and $disconnect, whose events have no message.
func validator(r *apigw.Route, models *model.Set) (*Validator, error) {
	if r.ModelSelectionExpression == "" || r.RouteKey == "$connect" || r.RouteKey == "$disconnect" {
		return nil, nil
	}
	selection, err := expression.ParseAt(expression.ModelSelection, r.ModelSelectionExpression)
	if err != nil {
		return nil, fmt.Errorf("model %w", err)
	}
	v := &Validator{selection: selection, models: make(map[string]*model.Model, len(r.RequestModels))}
	for _, key := range slices.Sorted(maps.Keys(r.RequestModels)) {
		if v.models[key], err = models.Model(r.RequestModels[key]); err != nil {
			return nil, fmt.Errorf("request model %s: %w", key, err)
		}
	}
	return v, nil
}
