package control

import (
	"context"
	"errors"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/store"
)

// readAPI returns an API with all that belongs to it. It is the caller's own.
func (s *server) readAPI(ctx context.Context, id string) (*apigw.API, error) {
	api, _, err := s.loadAPI(ctx, id)
	return api, err
}

// loadAPI is readAPI with the revision of what it gives.
func (s *server) loadAPI(ctx context.Context, id string) (*apigw.API, uint64, error) {
	api, revision, err := s.Store.APIs.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, 0, apigw.NotFound("Api", "Invalid API identifier specified "+s.AccountID+":"+id)
	}
	return api, revision, err
}

// changeAPI loads an API, lets change work on it, writes it, and deploys it on
// its stages with autoDeploy. An error of change leaves everything as it was. If somebody else wrote the API meanwhile,
// that one wins, and the error is store.ErrConflict.
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

// maxAwait is how long an answer waits for the node at most. What was written is
// written: a client that heard nothing would do it again.
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

// notFound is the answer to an id that is none of a type's.
func notFound(resourceType, id string) error {
	return apigw.NotFound(resourceType, "Invalid "+resourceType+" identifier specified "+id)
}

// errNoAuthorizer names no id, other than notFound (spec H.2).
var errNoAuthorizer = apigw.NotFound("Authorizer", "Invalid Authorizer identifier specified")

// unusedID makes ids until one is not taken.
func unusedID(next func() string, taken func(id string) bool) string {
	for {
		if id := next(); !taken(id) {
			return id
		}
	}
}

// invalid is the answer to a request whose members contradict what is
// configured or cannot work, in the words of the package that found out.
func invalid(err error) error {
	if err == nil {
		return nil
	}
	return apigw.BadRequest(err.Error())
}
