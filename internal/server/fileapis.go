package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/backends"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/control"
	"github.com/stagedoor/stagedoor/internal/deploy"
	"github.com/stagedoor/stagedoor/internal/lifetime"
	"github.com/stagedoor/stagedoor/internal/shortfile"
	"github.com/stagedoor/stagedoor/internal/source"
	"github.com/stagedoor/stagedoor/internal/store"
	"github.com/stagedoor/stagedoor/internal/template"
)

// fileStack is the stack that the APIs of the configuration belong to. It is no
// name that "stagedoor deploy --stack" takes.
const fileStack = "stagedoor.yaml"

// The tag by which the control plane shows who keeps an API in step, and its
// value for the configuration.
const (
	tagManaged    = "stagedoor:managed-by"
	managedByFile = "file"
)

// loadFile reads the application that the APIs of a configuration stand for, nil
// for none. Functions that have handlers need no code. Mistakes are a mistake.List.
func loadFile(c *config.Config, handlers backends.Handlers) (*template.Application, error) {
	if c.APIs == nil {
		return nil, nil
	}
	if len(c.APIs.APIs) == 0 {
		return &template.Application{StackName: fileStack}, nil
	}
	app, err := source.Load(c.APIs, template.Options{Region: c.Region, AccountID: c.Account, StackName: shortfile.StackName, Provided: handlers.Provides})
	if err != nil {
		return nil, err
	}
	app.StackName = fileStack
	for _, a := range app.APIs {
		a.API.Tags = maps.Clone(a.API.Tags)
		if a.API.Tags == nil {
			a.API.Tags = map[string]string{}
		}
		a.API.Tags[tagManaged] = managedByFile
		for _, s := range a.Stages {
			s.AutoDeploy = nil // one deployment of all that changes: clients see nothing between
		}
	}
	return app, nil
}

// fileAPIs keeps the APIs of the configuration in the store. What fails is tried
// again until it is done, or until the configuration wants something else.
type fileAPIs struct {
	config     *config.Config
	store      *storage
	operations control.Options
	log        *slog.Logger

	from    atomic.Pointer[string] // the name of the file that has apis; nil: none has
	wanted  chan *wantedFile       // the newest that was not begun
	keeping *lifetime.Task
}

// wantedFile is what the store is to have, and who waits for the first try.
type wantedFile struct {
	app   *template.Application
	tried chan struct{}
}

const (
	// fileRetry is between two tries, fileTime how long one may take, and filePatience
	// how long a start or a reload waits for the first.
	fileRetry    = 5 * time.Second
	fileTime     = 2 * time.Minute
	filePatience = 30 * time.Second
)

// newFileAPIs makes what keeps the APIs of a configuration in a store, by the
// operations of the control plane.
func newFileAPIs(c *config.Config, s *storage, operations control.Options, log *slog.Logger) *fileAPIs {
	f := &fileAPIs{config: c, store: s, operations: operations, log: log, wanted: make(chan *wantedFile, 1)}
	f.setFrom(c)
	return f
}

// start puts an application into the store, before clients can connect. A gateway
// that cannot do it now serves what is stored, and tries again.
func (f *fileAPIs) start(ctx context.Context, app *template.Application) {
	f.keeping = lifetime.Start(ctx, f.keep)
	f.want(ctx, app)
}

// want has an application put into the store, and waits for the first try, for some
// time. It is called by one goroutine. Nil changes nothing.
func (f *fileAPIs) want(ctx context.Context, app *template.Application) {
	if app == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, filePatience)
	defer cancel()
	next := &wantedFile{app, make(chan struct{})}
	select {
	case <-f.wanted: // one that comes too late
	default:
	}
	f.wanted <- next
	select {
	case <-next.tried:
	case <-ctx.Done():
	}
}

func (f *fileAPIs) close(context.Context) { f.keeping.Stop() }

// keep applies what is wanted, until ctx ends.
func (f *fileAPIs) keep(ctx context.Context) {
	var wanted *wantedFile
	waits := false // somebody, for the first try
	var retry <-chan time.Time
	told := ""
	for {
		select {
		case <-ctx.Done():
			return
		case wanted = <-f.wanted:
			told, waits = "", true
		case <-retry:
		}
		err := f.apply(ctx, wanted.app)
		if waits {
			close(wanted.tried)
			waits = false
		}
		retry = nil
		if err == nil || ctx.Err() != nil {
			continue
		}
		retry = time.After(fileRetry)
		if text := err.Error(); text != told {
			told = text
			f.log.Error("the apis of the configuration are not in effect as they stand there; it is tried again", "error", err)
		}
	}
}

// apply makes the store have what is wanted, through the control plane, as
// "stagedoor deploy" does. Of the gateways that share a store one does it at a
// time: the next finds it done.
func (f *fileAPIs) apply(ctx context.Context, app *template.Application) error {
	ctx, cancel := context.WithTimeout(ctx, fileTime)
	defer cancel()
	if f.config.NATS.URL != "" {
		lock, err := f.store.nats.Lock(ctx, "apis")
		switch {
		case err == nil:
			defer lock.Release()
		case !errors.Is(err, store.ErrNoNodes): // which was told
			return err
		}
	}
	client, err := f.client(app)
	if err != nil {
		return err
	}
	have, err := deploy.Read(ctx, client, fileStack)
	if err != nil {
		return err
	}
	plan, err := deploy.Compare(deploy.Wanted(app), have, f.config.Region)
	if err != nil {
		return err
	}
	err = plan.Apply(ctx, client, func(change *deploy.Change) {
		f.log.Info("the apis of the configuration", "api", change.API, "change", change.String())
	})
	if err == nil && len(plan.Changes) > 0 {
		f.log.Info("the apis of the configuration are in effect", "changes", len(plan.Changes))
	}
	return err
}

// client returns a client of a control plane that is for the configuration alone:
// it asks for no signature, and APIs get the ids that their names stand for.
func (f *fileAPIs) client(app *template.Application) (*deploy.Client, error) {
	ids := map[string]string{}
	for _, a := range app.APIs {
		ids[a.LogicalID] = a.API.ApiId
	}
	o := f.operations
	o.NewAPIID = func(tags map[string]string) string { return ids[tags[deploy.TagLogical]] }
	return deploy.NewClient(deploy.ClientOptions{Gateway: "http://configuration", Region: f.config.Region, Transport: inProcess{control.New(o)}})
}

// refuse refuses to change an API that the configuration keeps in step: the
// next reload would undo it. resource is the ARN that the request is for.
func (f *fileAPIs) refuse(r *http.Request, resource string) *apigw.Error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead || f.from.Load() == nil {
		return nil
	}
	id := apiOf(resource)
	if id == "" {
		return nil
	}
	api, _, err := f.store.APIs.Get(r.Context(), id)
	if err != nil || api.Tags[tagManaged] != managedByFile {
		return nil // what is wrong with it is the operation's to say
	}
	return apigw.Conflict(fmt.Sprintf("The API %s is kept in step by apis in the gateway's configuration, %s: change it there, and have it read again (SIGHUP).",
		api.Name, *f.from.Load()))
}

// apiOf returns the id of the API that an ARN of the control plane is in: of the API,
// of something in it, or of the tags of either.
func apiOf(resource string) string {
	_, path, _ := strings.Cut(resource, "::")
	if tagged, found := strings.CutPrefix(path, "/tags/"); found {
		arn, err := url.QueryUnescape(tagged)
		if err != nil {
			return ""
		}
		_, path, _ = strings.Cut(arn, "::")
	}
	rest, found := strings.CutPrefix(strings.TrimLeft(path, "/"), "apis/")
	if !found {
		return ""
	}
	id, _, _ := strings.Cut(strings.TrimLeft(rest, "/"), "/")
	return id
}

// setFrom takes note of whether a configuration has apis.
func (f *fileAPIs) setFrom(c *config.Config) {
	if c.APIs == nil {
		f.from.Store(nil)
		return
	}
	f.from.Store(&c.APIs.Name)
}
