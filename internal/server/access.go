package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/forwarded"
	"github.com/stagedoor/stagedoor/internal/identity"
	"github.com/stagedoor/stagedoor/internal/lifetime"
	"github.com/stagedoor/stagedoor/internal/store"
)

// access says who may use the control plane, and logs what they change and who
// is refused. A gateway that is open asks nobody. The gateway asks the same
// directory about handshakes and @connections.
type access struct {
	directory *identity.Directory
	open      bool
	log       *slog.Logger

	following *lifetime.Task // of the store's access keys
}

// openAccess takes the credentials of the configuration, and those of the store
// from now on. It returns when the store's are known.
func openAccess(ctx context.Context, c *config.Config, open bool, keys *store.Collection[apigw.AccessKey], log *slog.Logger) (*access, error) {
	a := &access{directory: identity.New(identity.Options{Region: c.Region, Account: c.Account}), open: open, log: log}
	if err := a.use(c.Credentials); err != nil {
		return nil, err
	}
	ready := make(chan struct{})
	a.following = lifetime.Start(ctx, func(ctx context.Context) {
		_ = keys.Watch(ctx, func(e store.Event[apigw.AccessKey]) { // ends with ctx or the store
			a.apply(e.ID[0], e.Value)
		}, func() { close(ready) })
	})
	select {
	case <-ready:
		return a, nil
	case <-a.following.Ended():
		return nil, errors.New("the access keys of the store cannot be followed")
	case <-ctx.Done():
		a.following.Stop()
		return nil, ctx.Err()
	}
}

// use puts the credentials of the configuration into effect, all or none.
func (a *access) use(credentials []config.Credential) error {
	list := make([]identity.Credential, len(credentials))
	var missing []error
	for i, c := range credentials {
		secret, err := readSecret(c.Secret)
		if err != nil {
			missing = append(missing, fmt.Errorf("the secret of access key %s: %w", c.AccessKeyID, err))
			continue
		}
		list[i] = identity.Credential{
			User: c.User, AccessKeyID: c.AccessKeyID, Secret: identity.Secret(secret), Policies: c.Policies, Expires: c.Expires,
		}
	}
	if len(missing) > 0 {
		return errors.Join(missing...)
	}
	return a.directory.Replace(identity.Configuration, list)
}

// apply puts one access key of the store into effect; nil stands for none.
func (a *access) apply(id string, key *apigw.AccessKey) {
	if err := a.directory.Apply(id, key); err != nil {
		a.log.Error("an access key of the store is not used", "error", err)
	}
}

func (a *access) close(context.Context) { a.following.Stop() }

// dropBody takes the body from a request that is refused whatever its body says:
// a stranger cannot make the gateway keep one in memory.
func (a *access) dropBody(r *http.Request) {
	if !a.open && !a.directory.Plausible(r, identity.ServiceControl) {
		r.Body = http.NoBody
	}
}

// control decides about a request to the control plane, whose body is in
// memory.
func (a *access) control(r *http.Request, action, resource string) *apigw.Error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return apigw.BadRequest("The request's body could not be read.")
	}
	return a.decide(r, body, action, resource)
}

// decide says whether somebody may do an action on a resource, and notes both
// for the audit.
func (a *access) decide(r *http.Request, body []byte, action, resource string) *apigw.Error {
	note := auditOf(r)
	note.action, note.resource = action, resource
	if a.open {
		return nil
	}
	origin := forwarded.Of(r)
	circumstances := identity.CircumstancesOf(r, origin.Address)
	circumstances.SecureTransport = origin.Proto == "https"
	needed := identity.Permission{Service: identity.ServiceControl, Action: action, Resource: resource}
	id, err := a.directory.Check(r, body, needed, circumstances)
	note.signer, note.refused = id, err != nil
	return err
}
