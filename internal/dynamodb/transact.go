package dynamodb

import (
	"errors"
	"strings"
)

// maxTransaction is how many items a transaction may have.
const maxTransaction = 100

type transactWrite struct {
	ConditionCheck *deleteInput
	Put            *putInput
	Delete         *deleteInput
	Update         *updateInput
}

func (action transactWrite) write(s *Server) (*write, error) {
	given := 0
	for _, present := range []bool{action.ConditionCheck != nil, action.Put != nil, action.Delete != nil, action.Update != nil} {
		if present {
			given++
		}
	}
	switch {
	case given != 1:
		return nil, validation("TransactItems can only contain one of Check, Put, Update or Delete")
	case action.Put != nil:
		return action.Put.write(s)
	case action.Delete != nil:
		return action.Delete.write(s)
	case action.Update != nil:
		w, _, err := action.Update.write(s)
		return w, err
	}
	if action.ConditionCheck.ConditionExpression == nil {
		return nil, validation("The ConditionExpression of a ConditionCheck must not be null")
	}
	w, err := action.ConditionCheck.write(s)
	if err == nil {
		w.change = func(old item) (item, error) { return old, nil }
	}
	return w, err
}

// transactWriteItems makes all writes or none. A repeated ClientRequestToken
// is not recognised.
func (s *Server) transactWriteItems(input *struct{ TransactItems []transactWrite }) (any, error) {
	if err := checkTransaction(len(input.TransactItems)); err != nil {
		return nil, err
	}
	writes := make([]*write, len(input.TransactItems))
	keys := map[string][]item{}
	for n, action := range input.TransactItems {
		w, err := action.write(s)
		if err != nil {
			return nil, err
		}
		writes[n] = w
		keys[w.table.name] = append(keys[w.table.name], w.key)
	}
	for name, keys := range keys {
		if s.checkDistinct(name, keys) != nil {
			return nil, validation("Transaction request cannot include multiple operations on one item")
		}
	}
	reasons := make([]reason, len(writes))
	cancelled := false
	for n, w := range writes {
		reasons[n] = reason{Code: "None"}
		if err := w.prepare(); err != nil {
			reasons[n] = reasonOf(err)
			cancelled = true
		}
	}
	if cancelled {
		return nil, cancellation(reasons)
	}
	for _, w := range writes {
		w.commit()
	}
	return struct{}{}, nil
}

func reasonOf(err error) reason {
	failed, ok := errors.AsType[*apiError](err)
	switch {
	case ok && failed.kind == conditionFailed:
		return reason{"ConditionalCheckFailed", failed.message, failed.item}
	default:
		return reason{Code: "ValidationError", Message: err.Error()}
	}
}

func cancellation(reasons []reason) error {
	codes := make([]string, len(reasons))
	for n, reason := range reasons {
		codes[n] = reason.Code
	}
	failed := modelError("TransactionCanceledException", "Transaction cancelled, please refer cancellation reasons for specific reasons [%s]", strings.Join(codes, ", "))
	failed.reasons = reasons
	return failed
}

func (s *Server) transactGetItems(input *struct{ TransactItems []struct{ Get *getInput } }) (any, error) {
	if err := checkTransaction(len(input.TransactItems)); err != nil {
		return nil, err
	}
	responses := make([]itemResult, len(input.TransactItems))
	for n, action := range input.TransactItems {
		if action.Get == nil {
			return nil, validation("TransactItems can only contain Get")
		}
		i, err := action.Get.read(s)
		if err != nil {
			return nil, err
		}
		responses[n] = newItemResult(i)
	}
	return map[string]any{"Responses": responses}, nil
}

func checkTransaction(count int) error {
	if count < 1 || count > maxTransaction {
		return validation("1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length between 1 and %d", maxTransaction)
	}
	return nil
}
