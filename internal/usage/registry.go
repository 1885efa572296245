package usage

import (
	"runtime"
	"sync"
	"weak"
)

// Buckets keeps the buckets that several plans or configurations share, by
// name: what a stage's old plan let in counts for its new one. A bucket is
// gone when nothing refers to it any more. The zero value is ready for use, by
// any number of goroutines.
type Buckets struct {
	mu    sync.Mutex
	named map[string]weak.Pointer[sharedBucket] // guarded by mu
}

// sharedBucket is a Bucket alone on its cache line.
type sharedBucket struct {
	Bucket
	_ [56]byte
}

// get gives the bucket of a name, a new one when nothing refers to an older.
// The parts of a name are kept apart.
func (b *Buckets) get(parts ...string) *Bucket {
	name := join(parts)
	b.mu.Lock()
	defer b.mu.Unlock()
	if bucket := b.named[name].Value(); bucket != nil {
		return &bucket.Bucket
	}
	if b.named == nil {
		b.named = make(map[string]weak.Pointer[sharedBucket])
	}
	bucket := &sharedBucket{}
	b.named[name] = weak.Make(bucket)
	runtime.AddCleanup(bucket, b.forget, name)
	return &bucket.Bucket
}

// forget removes a name whose bucket is gone.
func (b *Buckets) forget(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.named[name].Value() == nil {
		delete(b.named, name)
	}
}

func (b *Buckets) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.named)
}

// join makes one text of several that no other texts give.
func join(parts []string) string {
	var name []byte
	for _, part := range parts {
		name = append(append(name, part...), 0)
	}
	return string(name)
}
