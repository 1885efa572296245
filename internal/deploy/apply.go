package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// ApplyError is the error of a change that failed. The changes before it stay;
// a new plan goes on from there.
type ApplyError struct {
	Change *Change
	Done   int // changes that were made before
	Total  int
	Err    error
}

func (e *ApplyError) Error() string {
	return fmt.Sprintf("%s: %v", e.Change, e.Err)
}

// Unwrap returns the error of the request.
func (e *ApplyError) Unwrap() error { return e.Err }

// Apply makes the changes of a plan, one after the other, and calls done after
// each. It stops at the first that fails, with an *ApplyError.
func (p *Plan) Apply(ctx context.Context, c *Client, done func(*Change)) error {
	known := maps.Clone(p.known)
	for i, change := range p.Changes {
		for _, s := range change.calls {
			if err := s.do(ctx, c, known, change.Action); err != nil {
				return &ApplyError{change, i, len(p.Changes), err}
			}
		}
		done(change)
	}
	return nil
}

// do does a step with the ids that are known by now. Deleting a resource that
// does not exist any more is no failure.
func (s *step) do(ctx context.Context, c *Client, known resolver, action Action) error {
	resolved := call{Endpoint: s.Endpoint, path: known.texts(s.path), query: s.query, body: known.properties(s.body)}
	if s.binds == "" {
		err := c.do(ctx, &resolved, nil)
		var refused *apigw.Error
		if action == Delete && errors.As(err, &refused) && refused.Status == http.StatusNotFound {
			return nil
		}
		return err
	}
	var answer map[string]any
	if err := c.do(ctx, &resolved, &answer); err != nil {
		return err
	}
	given, _ := answer[s.member].(string)
	created, err := id(s.Name, &given)
	if err != nil {
		return err
	}
	known[s.binds] = created
	return nil
}
