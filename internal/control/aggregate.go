package control

import (
	"context"
	"errors"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/store"
)

// readAPI returns a copy of an API, with all its parts, for the caller to
// change.
func (s *server) readAPI(ctx context.Context, id string) (*apigw.API, error) {
	api, _, err := s.loadAPI(ctx, id)
	return api, err
}

// loadAPI is readAPI, and returns the API's revision as well.
func (s *server) loadAPI(ctx context.Context, id string) (*apigw.API, uint64, error) {
	api, revision, err := s.Store.APIs.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, 0, apigw.NotFound("Api", "Invalid API identifier specified "+s.AccountID+":"+id)
	}
	return api, revision, err
}

// changeAPI loads an API, lets change work on it, writes it, and deploys it on
// its stages with autoDeploy. An error of change leaves everything as it was.
// If another request wrote the API meanwhile, that write stays, and the error
// is store.ErrConflict.
func (s *server) changeAPI(ctx context.Context, id string, change func(*apigw.API) error) error {
	api, revision, err := s.loadAPI(ctx, id)
	if err != nil {
		return err
	}
	if err := change(api); err != nil {
		return err
	}
	if revision, err = s.Store.APIs.Put(ctx, api, revision); err != nil {
		return err
	}
	return s.written(ctx, s.redeploy(ctx, id, revision), nil)
}

// maxAwait is the longest that an answer waits until this node serves the
// change. After that it is sent all the same: the change is written, and a
// client without an answer would repeat it.
const maxAwait = 10 * time.Second

// written ends a write: it waits until this node serves what was written.
func (s *server) written(ctx context.Context, revision uint64, err error) error {
	if err != nil || s.Await == nil {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, maxAwait)
	defer cancel()
	if err := s.Await(waiting, revision); err != nil {
		s.Log.WarnContext(ctx, "the control plane answers before this node serves the change", "revision", revision, "error", err)
	}
	return nil
}

// notFound is the answer to an id that no resource of a type has.
func notFound(resourceType, id string) error {
	return apigw.NotFound(resourceType, "Invalid "+resourceType+" identifier specified "+id)
}

// errNoAuthorizer is the answer for authorizers. Unlike that of notFound, AWS's
// text does not name the id (section H.2).
var errNoAuthorizer = apigw.NotFound("Authorizer", "Invalid Authorizer identifier specified")

// unusedID calls next until it returns an id that is not taken.
func unusedID(next func() string, taken func(id string) bool) string {
	for {
		if id := next(); !taken(id) {
			return id
		}
	}
}

// invalid is the answer to a request whose members cannot work or contradict
// what is configured. Its text is that of the error.
func invalid(err error) error {
	if err == nil {
		return nil
	}
	return apigw.BadRequest(err.Error())
}
