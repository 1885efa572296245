package administration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/identity"
	"github.com/stagedoor/stagedoor/internal/store"
)

// Local is the Administration of a store that is open in this process.
type Local struct {
	Configuration *store.Configuration
	// Applied is called after an access key was written, and with nil after it
	// was removed, so that a gateway uses the change at once and need not wait
	// for its watch of the store. It may be nil.
	Applied func(accessKeyID string, key *apigw.AccessKey)
}

var _ Administration = (*Local)(nil)

// ErrWrong means that a name, a policy or a time is not valid.
var ErrWrong = errors.New("cannot make the access key")

// Backup implements Administration.
func (l *Local) Backup(ctx context.Context, to io.Writer) (int, error) {
	return store.Backup(ctx, l.Configuration.Store, to)
}

// Restore implements Administration.
func (l *Local) Restore(ctx context.Context, file io.ReadSeeker, replace bool) (int, error) {
	return store.Restore(ctx, l.Configuration.Store, file, replace)
}

// CreateAccessKey implements Administration.
func (l *Local) CreateAccessKey(ctx context.Context, k NewAccessKey) (*AccessKey, error) {
	now := time.Now().UTC().Truncate(time.Second)
	if !k.Expires.IsZero() && !k.Expires.After(now) {
		return nil, fmt.Errorf("%w: it would have ended on %s", ErrWrong, k.Expires.Format(time.RFC3339))
	}
	policies := make([]string, len(k.Policies))
	for i, p := range k.Policies {
		policies[i] = string(p)
	}
	var record *apigw.AccessKey
	var token identity.Secret
	var err error
	if k.Bearer {
		record, token, err = identity.NewToken(k.UserName, policies, now, k.Expires)
	} else {
		record, err = identity.NewAccessKey(k.UserName, policies, now, k.Expires)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWrong, err)
	}
	if _, err := l.Configuration.AccessKeys.Put(ctx, record, 0); err != nil {
		return nil, err
	}
	l.applied(record.AccessKeyId, record)
	made := view(record)
	made.SecretAccessKey, made.Token = record.SecretAccessKey, string(token)
	return made, nil
}

// AccessKeys implements Administration.
func (l *Local) AccessKeys(ctx context.Context) ([]*AccessKey, error) {
	entries, err := l.Configuration.AccessKeys.List(ctx)
	if err != nil {
		return nil, err
	}
	keys := make([]*AccessKey, len(entries))
	for i, e := range entries {
		keys[i] = view(e.Value)
	}
	return keys, nil
}

// DeleteAccessKey implements Administration. It also removes a record that
// cannot be read.
func (l *Local) DeleteAccessKey(ctx context.Context, id string) error {
	_, revision, err := l.Configuration.AccessKeys.Get(ctx, id)
	var unreadable *store.RecordError
	if err == nil || errors.As(err, &unreadable) {
		_, err = l.Configuration.AccessKeys.Delete(ctx, revision, id)
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("there is no access key %s in the store: %w", id, err)
	case err != nil:
		return err
	}
	l.applied(id, nil)
	return nil
}

func (l *Local) applied(id string, key *apigw.AccessKey) {
	if l.Applied != nil {
		l.Applied(id, key)
	}
}

// view is what operators see of a record.
func view(k *apigw.AccessKey) *AccessKey {
	v := &AccessKey{AccessKeyID: k.AccessKeyId, Kind: KindAccessKey, UserName: k.UserName, Status: k.Status, Created: k.CreatedDate, Expires: k.Expires}
	if k.TokenHash != "" {
		v.Kind = KindBearer
	}
	for _, p := range k.Policies {
		v.Policies = append(v.Policies, json.RawMessage(p))
	}
	return v
}
