package stagedoor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/forwarded"
	"github.com/stagedoor/stagedoor/internal/identity"
	"github.com/stagedoor/stagedoor/internal/store"
)

// access says who may use the control plane, and logs what they change and who
// is refused. A gateway that is open asks nobody. The gateway asks the same
// directory about handshakes and @connections.
type access struct {
	directory *identity.Directory
	open      bool
	log       *slog.Logger

	cancel context.CancelFunc // ends the following of the store
	ended  chan struct{}      // closed when it has ended
}

// startAccess takes the credentials of the configuration, and those of the
// store from now on.
func (s *serving) startAccess(ctx context.Context) error {
	following, cancel := context.WithCancel(context.WithoutCancel(ctx))
	a := &access{
		directory: identity.New(identity.Options{Region: s.config.Region, Account: s.config.Account}),
		open:      s.options.Open, log: s.log,
		cancel: cancel, ended: make(chan struct{}),
	}
	if err := a.use(s.config.Credentials); err != nil {
		cancel()
		return err
	}
	s.access = a
	ready := make(chan struct{})
	go a.follow(following, s.store.AccessKeys, func() { close(ready) })
	select {
	case <-ready:
		return nil
	case <-a.ended:
		return errors.New("the access keys of the store cannot be followed")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// use puts the credentials of the configuration into effect, all or none.
func (a *access) use(credentials []config.Credential) error {
	list := make([]identity.Credential, len(credentials))
	for i, c := range credentials {
		secret, err := readSecret(c.Secret)
		if err != nil {
			return fmt.Errorf("the secret of access key %s: %w", c.AccessKeyID, err)
		}
		list[i] = identity.Credential{
			User: c.User, AccessKeyID: c.AccessKeyID, Secret: identity.Secret(secret), Policies: c.Policies, Expires: c.Expires,
		}
	}
	return a.directory.Replace(identity.Configuration, list)
}

// follow puts the store's access keys into effect as they change.
func (a *access) follow(ctx context.Context, keys *store.Collection[apigw.AccessKey], ready func()) {
	defer close(a.ended)
	_ = keys.Watch(ctx, func(e store.Event[apigw.AccessKey]) { // ends with ctx or the store
		if err := a.directory.Apply(e.ID[0], e.Value); err != nil {
			a.log.Error("an access key of the store is not used", "error", err)
		}
	}, ready)
}

func (a *access) stop() {
	a.cancel()
	<-a.ended
}

// callerKey is under which a request of the control plane carries who sent it.
type callerKey struct{}

// caller is filled in when a request is authenticated.
type caller struct{ user, accessKeyID string }

// control decides about a request to the control plane, whose body is in
// memory.
func (a *access) control(r *http.Request, action, resource string) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return apigw.BadRequest("The request's body could not be read.")
	}
	return a.decide(r, body, identity.Permission{Service: identity.ServiceControl, Action: action, Resource: resource})
}

func (a *access) decide(r *http.Request, body []byte, needed identity.Permission) error {
	if a.open {
		return nil
	}
	circumstances := identity.CircumstancesOf(r, sourceOf(r))
	circumstances.SecureTransport = forwarded.Of(r).Proto == "https"
	id, err := a.directory.Check(r, body, needed, circumstances)
	who := caller{}
	if id != nil {
		who = caller{id.User, id.AccessKeyID}
	}
	if c, ok := r.Context().Value(callerKey{}).(*caller); ok {
		*c = who
	}
	if err != nil {
		a.log.Warn("access refused", "user", who.user, "accessKeyId", who.accessKeyID, "source", circumstances.SourceIP,
			"action", needed.Action, "resource", needed.Resource, "error", refusalText(err))
	}
	return err
}

// refusalText is why somebody was refused, in a line. What AWS tells of the
// string that was signed is for the client alone.
func refusalText(err error) string {
	var known *apigw.Error
	if errors.As(err, &known) {
		return known.Type
	}
	return err.Error()
}

// sourceOf is the address of a request's client, behind proxies that are
// believed.
func sourceOf(r *http.Request) string { return forwarded.Of(r).Address }

// audited logs every request that is to change something, with its result.
func (a *access) audited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		began := time.Now()
		who := &caller{}
		seen := &statusWriter{ResponseWriter: w}
		next.ServeHTTP(seen, r.WithContext(context.WithValue(r.Context(), callerKey{}, who)))
		a.log.Info("control plane", "user", who.user, "accessKeyId", who.accessKeyID, "source", sourceOf(r),
			"method", r.Method, "path", r.URL.Path, "status", seen.status, "durationMs", milliseconds(time.Since(began)))
	})
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
