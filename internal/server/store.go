package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/lifetime"
	"github.com/stagedoor/stagedoor/internal/store"
)

// storage is the configuration's storage while it is open.
type storage struct {
	*store.Configuration
	records  recordStore
	nats     *store.NATS    // nil: it is in memory
	checking *lifetime.Task // whether it answers and takes writes
}

// recordStore is what a gateway needs of a store: one on NATS, or in memory.
type recordStore interface {
	store.Store
	Check(context.Context) error
	Alive() error
	Damage() *store.Damage
	Close()
}

// openStorage opens the storage of the configuration: in memory, in the data folder
// or on the NATS servers that are configured. For servers elsewhere it waits: they
// may come later than the gateway.
func openStorage(ctx context.Context, o Config, c *config.Config, h *health) (*storage, error) {
	s := &storage{}
	if o.InMemory {
		s.records = store.NewMemory()
	} else {
		nats, err := openNATS(ctx, c, o.Repair, h)
		if err != nil {
			return nil, err
		}
		s.records, s.nats = nats, nats
	}
	h.noteDamage(s.records.Damage())
	s.Configuration = store.NewConfiguration(s.records, func(e *store.RecordError) {
		h.log.Error("a record of the configuration is not used", "error", e)
	})
	s.checking = lifetime.Start(ctx, func(ctx context.Context) { checkStore(ctx, s.records, h) })
	return s, nil
}

// openNATS opens the data folder, or the store on the NATS servers. With repair, a
// data folder that is damaged is restored from its automatic backups first.
func openNATS(ctx context.Context, c *config.Config, repair bool, h *health) (*store.NATS, error) {
	options, err := natsOptions(c)
	if err != nil {
		return nil, err
	}
	options.Log, options.BackupKeep, options.OnDamage = h.log, c.Backup.Keep, store.ServeWhole
	if repair {
		options.OnDamage = store.Repair
	}
	nats, err := store.Open(ctx, options)
	for options.URL != "" && errors.Is(err, store.ErrUnavailable) && ctx.Err() == nil {
		h.noteStore(err)
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

// close ends the storage. Nobody uses it any more.
func (s *storage) close(context.Context) {
	s.checking.Stop()
	s.records.Close()
}

// pause waits for a time, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// natsOptions returns the store's options, with their secrets.
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

// checkStore keeps note of whether the store answers and takes writes, for
// /readyz, until ctx ends.
func checkStore(ctx context.Context, s recordStore, h *health) {
	for {
		err := s.Check(ctx)
		if ctx.Err() != nil {
			return
		}
		h.noteStore(err)
		pause(ctx, storeInterval)
	}
}
