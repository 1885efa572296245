package store

import (
	"context"
	"errors"
)

// DeleteAPI removes an API whose revision is still the given one, with its
// stages and deployments, and gives the revision of the API's removal.
//
// That removal is the first write, and the one that counts: before it nothing
// has happened, and after it no stage of the API is served, here or elsewhere.
// So ErrConflict and ErrNotFound leave everything as it was. The stages and
// deployments go afterwards; what a crash or a lost storage leaves of them
// serves nothing, and Clean takes it at the next start.
func (c *Configuration) DeleteAPI(ctx context.Context, id string, revision uint64) (uint64, error) {
	removed, err := c.APIs.Delete(ctx, revision, id)
	if err != nil {
		return 0, err
	}
	// What fails here is left for Clean: the API is gone, and its deletion was done.
	for _, prefix := range []string{c.Stages.Key(id), c.Deployments.Key(id)} {
		records, _ := c.Store.Keys(ctx, prefix)
		_, _ = c.remove(ctx, records)
	}
	return removed, nil
}

// Clean removes stages and deployments whose API does not exist, and gives
// their keys. It may run while others write. What cannot be read stays.
func (c *Configuration) Clean(ctx context.Context) ([]string, error) {
	stages, err := c.Stages.IDs(ctx)
	if err != nil {
		return nil, err
	}
	deployments, err := c.Deployments.IDs(ctx)
	if err != nil {
		return nil, err
	}
	// An API is written before what belongs to it, and its id is used once. So
	// one that is not there now, after its children were seen, was removed.
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

// remove deletes records, and gives the keys of those that it did delete. One
// that somebody else removed or changed meanwhile is no failure.
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
