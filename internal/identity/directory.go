package identity

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/sigv4"
)

// Source is where credentials come from.
type Source string

// The sources.
const (
	Configuration Source = "the configuration"
	Store         Source = "the store"
)

// Options configure a Directory.
type Options struct {
	Region  string // that requests must be signed for
	Account string // of all users
	// Now is the clock; nil stands for time.Now.
	Now func() time.Time
}

// Directory has the credentials. Its methods are safe for concurrent use; those
// that do not change it take no lock.
type Directory struct {
	region, account string
	now             func() time.Time

	current atomic.Pointer[map[string]*key] // by access key id; never changed
	signing sigv4.SigningKeys

	mu      sync.Mutex                 // guards what follows, and the order of changes
	sources map[Source]map[string]*key // by access key id
}

// New makes a Directory without credentials: it refuses everybody.
func New(o Options) *Directory {
	d := &Directory{region: o.Region, account: o.Account, now: o.Now, sources: make(map[Source]map[string]*key)}
	if d.now == nil {
		d.now = time.Now
	}
	d.current.Store(&map[string]*key{})
	return d
}

// Replace replaces all credentials of a source at once. If any is wrong nothing
// changes, and the error has all mistakes.
func (d *Directory) Replace(source Source, credentials []Credential) error {
	compiled := make(map[string]*key, len(credentials))
	var mistakes []error
	for i := range credentials {
		c := &credentials[i]
		k, err := c.compile(d.region, d.account)
		switch {
		case err != nil:
			mistakes = append(mistakes, err)
		case compiled[c.AccessKeyID] != nil:
			mistakes = append(mistakes, fmt.Errorf("access key %q is there twice", c.AccessKeyID))
		default:
			compiled[c.AccessKeyID] = k
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for id := range compiled {
		mistakes = append(mistakes, d.takenLocked(source, id))
	}
	if err := errors.Join(mistakes...); err != nil {
		return err
	}
	d.sources[source] = compiled
	d.publishLocked()
	return nil
}

// Put adds a credential to a source, or replaces the one with the same access
// key id. If it is wrong there is none with this id afterwards, because the old
// one must not be used any more.
func (d *Directory) Put(source Source, c Credential) error {
	k, err := c.compile(d.region, d.account)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		err = d.takenLocked(source, c.AccessKeyID)
	}
	if err != nil {
		d.removeLocked(source, c.AccessKeyID)
		return err
	}
	if d.sources[source] == nil {
		d.sources[source] = make(map[string]*key)
	}
	d.sources[source][c.AccessKeyID] = k
	d.publishLocked()
	return nil
}

// Remove removes a credential from a source. Requests that were authenticated
// before go on.
func (d *Directory) Remove(source Source, accessKeyID string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.removeLocked(source, accessKeyID)
}

// Apply follows a change of a record of the store. A nil record stands for one
// that was removed or cannot be read. After an error there is no credential
// with this id.
func (d *Directory) Apply(accessKeyID string, record *apigw.AccessKey) error {
	if record == nil {
		d.Remove(Store, accessKeyID)
		return nil
	}
	return d.Put(Store, fromStore(record))
}

// Len is the number of access keys, of any state.
func (d *Directory) Len() int { return len(*d.current.Load()) }

func (d *Directory) removeLocked(source Source, accessKeyID string) {
	if d.sources[source][accessKeyID] == nil {
		return
	}
	delete(d.sources[source], accessKeyID)
	d.publishLocked()
}

// takenLocked returns an error if another source has a credential with this id.
func (d *Directory) takenLocked(source Source, accessKeyID string) error {
	for other, keys := range d.sources {
		if other != source && keys[accessKeyID] != nil {
			return fmt.Errorf("access key %q is in %s and in %s", accessKeyID, other, source)
		}
	}
	return nil
}

// publishLocked puts the credentials of all sources into use.
func (d *Directory) publishLocked() {
	all := make(map[string]*key)
	for _, keys := range d.sources {
		maps.Copy(all, keys)
	}
	d.current.Store(&all)
}
