package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/store"
)

// storage is the configuration's storage while it is open.
type storage struct {
	*store.Configuration
	kept kept
	nats *store.NATS // nil: it is in memory

	cancel context.CancelFunc // ends the looking after
	done   chan struct{}      // closed when it has ended
}

// kept is a store as a gateway has it: on NATS, or in memory.
type kept interface {
	store.Store
	Check(context.Context) error
	Alive() error
	Damage() *store.Damage
	Close()
}

// openStore opens the storage of the configuration: in memory, in the data folder
// or on the NATS servers that are configured. For servers elsewhere it waits: they
// may come later than the gateway.
func (s *Server) openStore(ctx context.Context) error {
	opened := &storage{done: make(chan struct{})}
	if s.options.InMemory {
		opened.kept = store.NewMemory()
	} else {
		nats, err := s.openNATS(ctx)
		if err != nil {
			return err
		}
		opened.kept, opened.nats = nats, nats
	}
	s.tellDamage(opened.kept.Damage())
	opened.Configuration = store.NewConfiguration(opened.kept, func(e *store.RecordError) {
		s.log.Error("a record of the configuration is not used", "error", e)
	})
	ctx, opened.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.store = opened
	go s.lookAfterStore(ctx)
	return nil
}

// openNATS opens the data folder, or the store on the NATS servers.
func (s *Server) openNATS(ctx context.Context) (*store.NATS, error) {
	options, err := natsOptions(s.config)
	if err != nil {
		return nil, err
	}
	options.Log = s.log
	options.OnDamage, options.BackupKeep = s.onDamage(), s.config.Backup.Keep
	nats, err := store.Open(ctx, options)
	for options.URL != "" && errors.Is(err, store.ErrUnavailable) && ctx.Err() == nil {
		s.noteStore(err)
		if errors.Is(err, store.ErrRefused) { // which was not waited for
			pause(ctx, refusedInterval)
		}
		nats, err = store.Open(ctx, options)
	}
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nats, err
}

// pause waits for a time, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// natsOptions are the store's options, with their secrets.
func natsOptions(c *config.Config) (store.Options, error) {
	n := c.NATS
	if n.URL == "" {
		return store.Options{Dir: c.Data, BackupDir: c.Backup.Dir, Bucket: n.Bucket, Timeout: n.Timeout}, nil
	}
	o := store.Options{
		URL: n.URL, CredentialsFile: n.Credentials, NKeyFile: n.NKey, User: n.User,
		CAFile: n.TLS.CA, CertFile: n.TLS.Cert, KeyFile: n.TLS.Key,
		Bucket: n.Bucket, Replicas: n.Replicas, Timeout: n.Timeout,
	}
	var err error
	if o.Password, err = readSecret(n.Password); err != nil {
		return o, fmt.Errorf("nats: the password: %w", err)
	}
	if o.Token, err = readSecret(n.Token); err != nil {
		return o, fmt.Errorf("nats: the token: %w", err)
	}
	return o, nil
}

// refusedInterval is between two tries at servers that refuse this gateway.
const refusedInterval = 10 * time.Second

// storeInterval is how often the store is asked whether it answers and takes writes.
const storeInterval = 2 * time.Second

// lookAfterStore keeps note of whether the store answers and takes writes, for
// /readyz, until ctx ends.
func (s *Server) lookAfterStore(ctx context.Context) {
	defer close(s.store.done)
	ticker := time.NewTicker(storeInterval)
	defer ticker.Stop()
	for {
		err := s.store.kept.Check(ctx)
		if ctx.Err() != nil {
			return
		}
		s.noteStore(err)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// noteStore takes note of whether the store answers.
func (s *Server) noteStore(err error) {
	switch changed := s.state.setStore(err); {
	case !changed:
	case errors.Is(err, store.ErrRefused):
		s.log.Error("the configuration store refuses this gateway: look at the keys below nats in its configuration, and at the NATS servers' users; it is tried again", "error", err)
	case err != nil && !s.state.isSynced():
		s.log.Error("the configuration store does not answer; the gateway starts when it does", "error", err)
	case err != nil:
		s.log.Error("the configuration store does not answer; what is deployed goes on", "error", err)
	default:
		s.log.Info("the configuration store answers again")
	}
}

// close ends the storage. Nobody uses it any more.
func (s *storage) close() {
	s.cancel()
	<-s.done
	s.kept.Close()
}
