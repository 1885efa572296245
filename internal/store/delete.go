package store

import (
	"context"
	"errors"
)

// DeleteAPI removes an API whose revision is still the given one, with its
// stages and deployments, and returns the revision of the API's removal.
//
// That removal is the first write, and the one that counts: after it no stage
// of the API is served, here or elsewhere. So ErrConflict and ErrNotFound leave
// everything as it was. The stages and deployments are removed afterwards. If
// that is interrupted, those that are left serve nothing, and Clean removes
// them at the next start.
func (c *Configuration) DeleteAPI(ctx context.Context, id string, revision uint64) (uint64, error) {
	removed, err := c.APIs.Delete(ctx, revision, id)
	if err != nil {
		return 0, err
	}
	// An error here is not returned: the API is gone, and Clean removes the
	// rest.
	for _, prefix := range []string{c.Stages.Key(id), c.Deployments.Key(id)} {
		records, _ := c.Store.Keys(ctx, prefix)
		_, _ = c.remove(ctx, records)
	}
	return removed, nil
}

// Clean removes stages and deployments whose API does not exist, and returns
// their keys. It may run while others write. Records that cannot be read stay.
func (c *Configuration) Clean(ctx context.Context) ([]string, error) {
	stages, err := c.Stages.IDs(ctx)
	if err != nil {
		return nil, err
	}
	deployments, err := c.Deployments.IDs(ctx)
	if err != nil {
		return nil, err
	}
	// An API is written before its stages and deployments, and its id is used
	// only once. So an API that is not there now, after these were seen, was
	// removed.
	apis, err := c.APIs.IDs(ctx)
	if err != nil {
		return nil, err
	}
	exists := make(map[string]bool, len(apis))
	for _, id := range apis {
		exists[id[0]] = true
	}
	var orphans []Record
	orphans = appendOrphans(ctx, orphans, c.Stages, stages, exists)
	orphans = appendOrphans(ctx, orphans, c.Deployments, deployments, exists)
	return c.remove(ctx, orphans)
}

func appendOrphans[T any](ctx context.Context, orphans []Record, c *Collection[T], ids [][]string, exists map[string]bool) []Record {
	for _, id := range ids {
		if exists[id[0]] {
			continue
		}
		if _, revision, err := c.Get(ctx, id...); err == nil {
			orphans = append(orphans, Record{Key: c.Key(id...), Revision: revision})
		}
	}
	return orphans
}

// remove deletes records, and returns the keys of those that it deleted. A
// record that was removed or changed meanwhile is left out, without an error.
func (c *Configuration) remove(ctx context.Context, records []Record) ([]string, error) {
	var removed []string
	for _, record := range records {
		_, err := c.Store.Delete(ctx, record.Key, record.Revision)
		switch {
		case err == nil:
			removed = append(removed, record.Key)
		case !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrConflict):
			return removed, err
		}
	}
	return removed, nil
}
