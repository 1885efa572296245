package usage

import (
	"runtime"
	"sync"
	"weak"
)

// Registry keeps, by name, what several plans or configurations share: what a
// stage's old plan counted counts for its new one. A thing is gone when nothing
// refers to it any more. The zero value is ready for use, by any number of
// goroutines.
type Registry[T any] struct {
	mu    sync.Mutex
	named map[string]weak.Pointer[T] // guarded by mu
}

// Get gives the thing of a name, a new one when nothing refers to an older. The
// parts of a name are kept apart. T has a size.
func (r *Registry[T]) Get(parts ...string) *T {
	name := join(parts)
	r.mu.Lock()
	defer r.mu.Unlock()
	if thing := r.named[name].Value(); thing != nil {
		return thing
	}
	if r.named == nil {
		r.named = make(map[string]weak.Pointer[T])
	}
	thing := new(T)
	r.named[name] = weak.Make(thing)
	runtime.AddCleanup(thing, r.forget, name)
	return thing
}

// forget removes a name whose thing is gone.
func (r *Registry[T]) forget(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.named[name].Value() == nil {
		delete(r.named, name)
	}
}

// join makes one text of several that no other texts give.
func join(parts []string) string {
	var name []byte
	for _, part := range parts {
		name = append(append(name, part...), 0)
	}
	return string(name)
}

// Buckets keeps buckets by name.
type Buckets struct{ registry Registry[sharedBucket] }

// sharedBucket is a Bucket alone on its cache line.
type sharedBucket struct {
	Bucket
	_ [56]byte
}

func (b *Buckets) get(parts ...string) *Bucket { return &b.registry.Get(parts...).Bucket }
