package dynamodb

import (
	"encoding/json"
	"strings"
)

// write is a change of an item. It is prepared and then committed, so that a
// transaction can prepare all of its writes before it commits any.
type write struct {
	table     *table
	key       item
	condition condition
	change    func(old item) (item, error) // nil result: the item is deleted
	old, new  item                         // set by prepare

	returnOldOnFailure bool
}

// prepare checks the condition and computes the new item. It changes nothing in
// the table.
func (w *write) prepare() error {
	w.old = w.table.get(w.key)
	if w.condition != nil && !w.condition.holds(w.old) {
		failed := modelError("ConditionalCheckFailedException", "The conditional request failed")
		if w.returnOldOnFailure {
			failed.item = w.old
		}
		return failed
	}
	var err error
	if w.new, err = w.change(w.old); err != nil || w.new == nil {
		return err
	}
	return w.table.checkItem(w.new)
}

func (w *write) commit() { w.table.replace(w.old, w.new) }

func (w *write) run() error {
	err := w.prepare()
	if err == nil {
		w.commit()
	}
	return err
}

// conditional is the part that the inputs of all conditional operations have.
type conditional struct {
	TableName                           string
	ConditionExpression                 *string
	ExpressionAttributeNames            map[string]string
	ExpressionAttributeValues           map[string]value
	ReturnValuesOnConditionCheckFailure string
}

type putInput struct {
	conditional
	Item item
}

type deleteInput struct {
	conditional
	Key item
}

type updateInput struct {
	conditional
	Key              item
	UpdateExpression *string
}

// begin makes a write from the conditional part of an input. The caller sets
// its key and change, and calls finish when all expressions are parsed.
func (input *conditional) begin(s *Server) (*write, *expressions, error) {
	t, err := s.table(input.TableName)
	if err != nil {
		return nil, nil, err
	}
	switch input.ReturnValuesOnConditionCheckFailure {
	case "", "NONE", "ALL_OLD":
	default:
		return nil, nil, validation("1 validation error detected: Value '%s' at 'returnValuesOnConditionCheckFailure' failed to satisfy constraint: Member must satisfy enum value set: [ALL_OLD, NONE]", clip(input.ReturnValuesOnConditionCheckFailure))
	}
	e := newExpressions(input.ExpressionAttributeNames, input.ExpressionAttributeValues)
	condition, err := e.condition("ConditionExpression", input.ConditionExpression)
	return &write{table: t, condition: condition, returnOldOnFailure: input.ReturnValuesOnConditionCheckFailure == "ALL_OLD"}, e, err
}

func (input *putInput) write(s *Server) (*write, error) {
	w, e, err := input.begin(s)
	if err != nil {
		return nil, err
	}
	if err := w.table.checkItem(input.Item); err != nil {
		return nil, err
	}
	w.key = w.table.primary.keyOf(input.Item)
	w.change = func(item) (item, error) { return input.Item, nil }
	return w, e.finish()
}

func (input *deleteInput) write(s *Server) (*write, error) {
	w, e, err := input.begin(s)
	if err != nil {
		return nil, err
	}
	w.key = input.Key
	w.change = func(item) (item, error) { return nil, nil }
	if err := e.finish(); err != nil {
		return nil, err
	}
	return w, w.table.checkKey(w.key)
}

// write also returns the update, nil where there is none.
func (input *updateInput) write(s *Server) (*write, *update, error) {
	w, e, err := input.begin(s)
	if err != nil {
		return nil, nil, err
	}
	w.key = input.Key
	if err := w.table.checkKey(w.key); err != nil {
		return nil, nil, err
	}
	var u *update
	if input.UpdateExpression != nil {
		if u, err = parse(e, "UpdateExpression", *input.UpdateExpression, (*parser).update); err != nil {
			return nil, nil, err
		}
		for _, path := range u.paths() {
			if _, isKey := w.key[path[0].name]; isKey {
				return nil, nil, validation("One or more parameter values were invalid: Cannot update attribute %s. This attribute is part of the key", path[0].name)
			}
		}
	}
	w.change = func(old item) (item, error) {
		if old == nil {
			old = w.key
		}
		if u == nil {
			return old, nil
		}
		return u.apply(old)
	}
	return w, u, e.finish()
}

// replace runs a write that replaces or deletes an item, and returns its
// answer, which may have the old item in it.
func replace(w *write, err error, returnValues string) (any, error) {
	if err != nil {
		return nil, err
	}
	if err := w.run(); err != nil {
		return nil, err
	}
	return attributes(w.old, returnValues == "ALL_OLD"), nil
}

func (s *Server) putItem(input *struct {
	putInput
	legacyParameters
	ReturnValues string
}) (any, error) {
	if err := input.check(input.ReturnValues, "NONE", "ALL_OLD"); err != nil {
		return nil, err
	}
	w, err := input.write(s)
	return replace(w, err, input.ReturnValues)
}

func (s *Server) deleteItem(input *struct {
	deleteInput
	legacyParameters
	ReturnValues string
}) (any, error) {
	if err := input.check(input.ReturnValues, "NONE", "ALL_OLD"); err != nil {
		return nil, err
	}
	w, err := input.write(s)
	return replace(w, err, input.ReturnValues)
}

func (s *Server) updateItem(input *struct {
	updateInput
	legacyParameters
	ReturnValues string
}) (any, error) {
	if err := input.check(input.ReturnValues, "NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"); err != nil {
		return nil, err
	}
	w, u, err := input.write(s)
	if err != nil {
		return nil, err
	}
	if err := w.run(); err != nil {
		return nil, err
	}
	result := w.new
	if strings.HasSuffix(input.ReturnValues, "_OLD") {
		result = w.old
	}
	if strings.HasPrefix(input.ReturnValues, "UPDATED_") {
		if u == nil {
			return struct{}{}, nil
		}
		touched, err := newProjection(u.paths())
		if err != nil {
			return nil, err
		}
		result = touched.of(result)
	}
	return attributes(result, input.ReturnValues != "" && input.ReturnValues != "NONE"), nil
}

// attributes returns the answer of a write, with the item if it is wanted and
// there is one.
func attributes(i item, wanted bool) any {
	if !wanted || len(i) == 0 {
		return struct{}{}
	}
	return map[string]any{"Attributes": i}
}

// legacyParameters are parameters from before there were expressions. They are
// not supported and are refused, because a write must not succeed without the
// condition that it was given.
type legacyParameters struct {
	AttributeUpdates, ConditionalOperator, Expected, KeyConditions, QueryFilter, ScanFilter json.RawMessage
}

func (l *legacyParameters) refuse() error {
	for _, given := range []struct {
		name  string
		value json.RawMessage
	}{
		{"AttributeUpdates", l.AttributeUpdates}, {"ConditionalOperator", l.ConditionalOperator}, {"Expected", l.Expected},
		{"KeyConditions", l.KeyConditions}, {"QueryFilter", l.QueryFilter}, {"ScanFilter", l.ScanFilter},
	} {
		if len(given.value) > 0 && string(given.value) != "null" {
			return validation("The built-in DynamoDB of stagedoor dev does not take the legacy parameter %s: expressions have taken its place. %s", given.name, realOnes)
		}
	}
	return nil
}

// check refuses legacy parameters and an unknown ReturnValues.
func (l *legacyParameters) check(returnValues string, known ...string) error {
	if err := l.refuse(); err != nil {
		return err
	}
	return checkEnum("returnValues", returnValues, known...)
}

// checkEnum returns an error for a member whose value is neither empty, which
// is unset, nor one of the known values.
func checkEnum(member, given string, known ...string) error {
	for _, one := range known {
		if given == "" || given == one {
			return nil
		}
	}
	return validation("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set: [%s]", clip(given), member, strings.Join(known, ", "))
}
