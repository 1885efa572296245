package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"

	"github.com/stagedoor/stagedoor/internal/administration"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/store"
)

// ErrInUse says that a gateway that runs has the data folder.
var ErrInUse = store.ErrInUse

// OpenedStore is the store of a configuration, opened beside no gateway or, on
// servers elsewhere, beside those that run. Close must be called.
type OpenedStore struct {
	*administration.Local
	Region string // that of the gateways
	nats   *store.NATS
}

// OpenStore opens the store that a gateway with this configuration has. A data
// folder is made only if make says so. One that is damaged is an error, unless
// replace says to move it aside and to open an empty one. The error is
// a mistake.List for mistakes in the configuration, or wraps ErrInUse. The log
// takes what is wrong with the store.
func OpenStore(ctx context.Context, source config.Options, make, replace bool, log io.Writer) (*OpenedStore, error) {
	c, _, err := config.Load(source)
	if err != nil {
		return nil, err
	}
	options, err := natsOptions(c)
	if err != nil {
		return nil, err
	}
	if options.URL == "" {
		if err := checkDir(options.Dir, make); err != nil {
			return nil, err
		}
	}
	if replace {
		options.OnDamage = store.Replace
	}
	level := new(slog.LevelVar)
	level.Set(slog.LevelWarn)
	options.Log = newLogger(log, config.LogText, level)
	nats, err := store.Open(ctx, options)
	if err != nil {
		return nil, err
	}
	report := func(e *store.RecordError) { options.Log.Warn("a record of the configuration is not used", "error", e) }
	return &OpenedStore{&administration.Local{Configuration: store.NewConfiguration(nats, report)}, c.Region, nats}, nil
}

// checkDir returns an error where a data folder is missing and may not be made, or
// is not to be written to by this user.
func checkDir(dir string, make bool) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !make:
		return fmt.Errorf("the data directory %s does not exist", dir)
	case err != nil:
		return nil // opening it tells what is wrong, or makes it
	}
	return checkOwner(dir, info)
}

// Close closes the store.
func (s *OpenedStore) Close() { s.nats.Close() }
