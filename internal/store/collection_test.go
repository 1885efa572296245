package store

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

func TestCollection(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c := NewConfiguration(NewMemory(), nil)
	stage := &apigw.Stage{ApiId: "a1", StageName: "prod", StageVariables: map[string]string{"k": "v"}, CreatedDate: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	_, _, err := c.Stages.Get(ctx, "a1", "prod")
	wantErr(t, err, ErrNotFound)
	first, err := c.Stages.Put(ctx, stage, 0)
	wantErr(t, err, nil)
	_, err = c.Stages.Put(ctx, stage, 0)
	wantErr(t, err, ErrConflict)
	got, revision, err := c.Stages.Get(ctx, "a1", "prod")
	if err != nil || revision != first || !cmp.Equal(got, stage) {
		t.Errorf("got %+v, %d, %v", got, revision, err)
	}
	for _, other := range []*apigw.Stage{{ApiId: "a1", StageName: "dev"}, {ApiId: "a11", StageName: "dev"}} {
		_, err := c.Stages.Put(ctx, other, 0)
		wantErr(t, err, nil)
	}
	entries, err := c.Stages.List(ctx, "a1")
	if err != nil || len(entries) != 2 || entries[0].Value.StageName != "dev" || entries[1].Value.StageName != "prod" || entries[1].Revision != first {
		t.Errorf("listed %+v, %v", entries, err)
	}
	ids, err := c.Stages.IDs(ctx)
	if diff := cmp.Diff([][]string{{"a1", "dev"}, {"a1", "prod"}, {"a11", "dev"}}, ids); diff != "" || err != nil {
		t.Errorf("ids (-want +got), %v:\n%s", err, diff)
	}
	_, err = c.Stages.Delete(ctx, first+1, "a1", "prod")
	wantErr(t, err, ErrConflict)
	_, err = c.Stages.Delete(ctx, first, "a1", "prod")
	wantErr(t, err, nil)
}

// A record that cannot be read is reported with its key, once, and left alone; the
// others are as if it were not there.
func TestUnreadableRecords(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := NewMemory()
	var reported []string
	c := NewConfiguration(s, func(e *RecordError) { reported = append(reported, e.Key) })
	_, err := c.APIs.Put(ctx, &apigw.API{ApiId: "good"}, 0)
	wantErr(t, err, nil)
	tests := []struct {
		id, value string
		want      error
	}{
		{"cut", `{"version":1,"value":{"ApiId":`, ErrCorrupt},
		{"empty", ``, ErrCorrupt},
		{"later", `{"version":2,"value":{"Whatever":1},"extra":true}`, ErrLaterVersion},
		{"member", `{"version":1,"value":{"ApiId":"member","Guard":"yes"}}`, ErrLaterVersion},
		{"none", `{"version":1}`, ErrCorrupt},
		{"null", `{"version":1,"value":null}`, ErrCorrupt},
		{"other", `{"version":1,"value":{"ApiId":"good"}}`, ErrCorrupt},
		{"type", `{"version":1,"value":{"ApiId":7}}`, ErrCorrupt},
		{"versionless", `{"value":{"ApiId":"versionless"}}`, ErrCorrupt},
	}
	var keys []string
	for _, test := range tests {
		revision := mustPut(t, s, "api."+test.id, test.value, 0)
		keys = append(keys, "api."+test.id)
		_, found, err := c.APIs.Get(ctx, test.id)
		var unreadable *RecordError
		if !errors.As(err, &unreadable) || !errors.Is(err, test.want) || unreadable.Key != "api."+test.id || found != revision {
			t.Errorf("%s: revision %d, error %v, want %v", test.id, found, err, test.want)
		}
		_, err = c.APIs.Put(ctx, &apigw.API{ApiId: test.id}, 0)
		wantErr(t, err, ErrConflict)
	}
	before := contents(t, s)
	entries, err := c.APIs.List(ctx)
	if err != nil || len(entries) != 1 || entries[0].Value.ApiId != "good" {
		t.Errorf("listed %+v, %v", entries, err)
	}
	watched, cancel := context.WithCancel(ctx)
	var good []string
	var bad int
	err = c.APIs.Watch(watched, func(e Event[apigw.API]) {
		if e.Err == nil {
			good = append(good, e.Value.ApiId)
		} else {
			bad++
		}
	}, cancel)
	wantErr(t, err, context.Canceled)
	if !slices.Equal(good, []string{"good"}) || bad != len(tests) {
		t.Errorf("watched %v, and %d that cannot be read", good, bad)
	}
	if diff := cmp.Diff(keys, reported); diff != "" {
		t.Errorf("reported (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, contents(t, s)); diff != "" {
		t.Errorf("records changed (-before +after):\n%s", diff)
	}
	// Whoever gives its revision, may.
	_, revision, _ := c.APIs.Get(ctx, "cut")
	_, err = c.APIs.Delete(ctx, revision, "cut")
	wantErr(t, err, nil)
}

func putAll(t *testing.T, c *Configuration, api string) uint64 {
	t.Helper()
	ctx := t.Context()
	a := &apigw.API{ApiId: api}
	revision, err := c.APIs.Put(ctx, a, 0)
	wantErr(t, err, nil)
	for _, id := range []string{"d1", "d2"} {
		_, err = c.Deployments.Put(ctx, &apigw.Deployment{DeploymentId: id, API: a}, 0)
		wantErr(t, err, nil)
		_, err = c.Stages.Put(ctx, &apigw.Stage{ApiId: api, StageName: "stage" + id, DeploymentId: id}, 0)
		wantErr(t, err, nil)
	}
	return revision
}

func keysOf(t *testing.T, s Store) []string {
	t.Helper()
	records, err := s.Keys(t.Context(), "")
	wantErr(t, err, nil)
	keys := []string{}
	for _, record := range records {
		keys = append(keys, record.Key)
	}
	return keys
}

// An API goes with all that belongs to it, or stays with all of it.
func TestDeleteAPI(t *testing.T) {
	t.Parallel()
	c := NewConfiguration(NewMemory(), nil)
	revision := putAll(t, c, "a")
	putAll(t, c, "ab")
	all := keysOf(t, c.Store)
	for _, lost := range []uint64{0, revision + 1} {
		_, err := c.DeleteAPI(t.Context(), "a", lost)
		wantErr(t, err, ErrConflict)
	}
	_, err := c.DeleteAPI(t.Context(), "none", revision)
	wantErr(t, err, ErrNotFound)
	if diff := cmp.Diff(all, keysOf(t, c.Store)); diff != "" {
		t.Errorf("refused, but (-before +after):\n%s", diff)
	}
	removed, err := c.DeleteAPI(t.Context(), "a", revision)
	if err != nil || removed <= revision {
		t.Errorf("removed at %d, %v", removed, err)
	}
	want := []string{"api.ab", "deployment.ab.d1", "deployment.ab.d2", "stage.ab.staged1", "stage.ab.staged2"}
	if diff := cmp.Diff(want, keysOf(t, c.Store)); diff != "" {
		t.Errorf("(-want +left):\n%s", diff)
	}
}

// crashing is a store that fails for good after some deletions.
type crashing struct {
	Store
	left int
}

func (s *crashing) Delete(ctx context.Context, key string, revision uint64) (uint64, error) {
	if s.left--; s.left < 0 {
		return 0, ErrUnavailable
	}
	return s.Store.Delete(ctx, key, revision)
}

// Wherever the deletion of an API is cut off: before its first write nothing
// has happened, and after it Clean takes the rest, and nothing else.
func TestClean(t *testing.T) {
	t.Parallel()
	for cut := range 6 {
		m := NewMemory()
		c := NewConfiguration(m, nil)
		revision := putAll(t, c, "a")
		putAll(t, c, "b")
		mustPut(t, m, "stage.gone.later", `{"version":2}`, 0) // not ours to judge
		kept := keysOf(t, m)
		if cut > 0 {
			kept = slices.DeleteFunc(kept, func(key string) bool {
				return isBelow(key, "stage.a") || isBelow(key, "deployment.a") || key == "api.a"
			})
		}
		_, err := NewConfiguration(&crashing{m, cut}, nil).DeleteAPI(t.Context(), "a", revision)
		if (err == nil) != (cut > 0) {
			t.Errorf("cut after %d: %v", cut, err)
		}
		removed, err := c.Clean(t.Context())
		if diff := cmp.Diff(kept, keysOf(t, m)); diff != "" || err != nil || cut > 0 && len(removed) != 5-cut {
			t.Errorf("cut after %d: removed %v, %v (-want +left):\n%s", cut, removed, err, diff)
		}
	}
}
