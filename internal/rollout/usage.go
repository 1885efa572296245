package rollout

import (
	"context"
	"errors"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/store"
	"github.com/stagedoor/stagedoor/internal/usage"
)

// UsageRecords keeps the counts of API keys in the configuration's store. It is
// a usage.Records.
type UsageRecords struct{ *store.Collection[apigw.Usage] }

// List implements usage.Records. A count that cannot be read is reported by the
// collection, and left out.
func (r UsageRecords) List(ctx context.Context) ([]*apigw.Usage, error) {
	entries, err := r.Collection.List(ctx)
	records := make([]*apigw.Usage, len(entries))
	for i := range entries {
		records[i] = entries[i].Value
	}
	return records, err
}

// Get implements usage.Records.
func (r UsageRecords) Get(ctx context.Context, planID, keyID string) (*apigw.Usage, uint64, error) {
	record, revision, err := r.Collection.Get(ctx, planID, keyID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, 0, nil
	}
	return record, revision, err
}

// Put implements usage.Records.
func (r UsageRecords) Put(ctx context.Context, record *apigw.Usage, revision uint64) error {
	_, err := r.Collection.Put(ctx, record, revision)
	if errors.Is(err, store.ErrConflict) {
		return usage.ErrLostRace
	}
	return err
}
