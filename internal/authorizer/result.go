package authorizer

import (
	"errors"
	"fmt"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/iampolicy"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

const (
	maxResult        = 8 << 10 // bytes of a function's answer
	maxIdentifierKey = 128
)

// result is what a function answered: a grant, which holds where the policy allows
// the handshake.
type result struct {
	grant  *Grant
	policy *iampolicy.Document
}

// parseResult reads a function's answer. The error's text continues a sentence that
// begins with "the authorizer's function".
func parseResult(payload []byte) (*result, error) {
	if len(payload) > maxResult {
		return nil, fmt.Errorf("answered %d bytes; %d are allowed", len(payload), maxResult)
	}
	document, err := jsonvalue.Parse(payload)
	if err != nil {
		return nil, fmt.Errorf("answered something that cannot be read: %w", err)
	}
	answer, ok := document.(*jsonvalue.Object)
	if !ok {
		return nil, errors.New("answered no object")
	}
	r := &result{grant: &Grant{}}
	if r.grant.Principal, ok = get(answer, "principalId").(string); !ok {
		return nil, errors.New("answered no principalId, or one that is no text")
	}
	policy, ok := get(answer, "policyDocument").(*jsonvalue.Object)
	if !ok {
		return nil, errors.New("answered no policyDocument, or one that is no object")
	}
	if r.policy, err = parsePolicy(policy); err != nil {
		return nil, fmt.Errorf("answered a policyDocument that is wrong: %w", err)
	}
	switch key := get(answer, "usageIdentifierKey").(type) {
	case nil:
	case string:
		if r.grant.UsageIdentifierKey = key; len(key) > maxIdentifierKey {
			return nil, fmt.Errorf("answered a usageIdentifierKey of more than %d characters", maxIdentifierKey)
		}
	default:
		return nil, errors.New("answered a usageIdentifierKey that is no text")
	}
	r.grant.Context, err = parseContext(get(answer, "context"))
	return r, err
}

// get returns a member of an object, nil where there is none.
func get(o *jsonvalue.Object, name string) any {
	value, _ := o.Get(name)
	return value
}

// parseContext reads the member context, whose values become texts. Members that are
// null or have a reserved name are skipped.
func parseContext(value any) ([]event.Parameter, error) {
	if value == nil {
		return nil, nil
	}
	object, ok := value.(*jsonvalue.Object)
	if !ok {
		return nil, errors.New("answered a context that is no object")
	}
	context := make([]event.Parameter, 0, object.Len())
	for name, value := range object.All() {
		if value == nil || reserved(name) {
			continue
		}
		text, ok := scalar(value)
		if !ok {
			return nil, fmt.Errorf("answered a context whose %q is neither a string, a number nor a boolean", name)
		}
		context = append(context, event.Parameter{Name: name, Value: text})
	}
	return context, nil
}
