package store

import (
	"context"
	"io"
	"time"
)

// pacer lets work that nobody waits for leave the machine to others: for each
// moment of work there are some without. It is used by one goroutine.
type pacer struct {
	ctx  context.Context
	idle int       // moments without work, for one of work
	last time.Time // when work went on
	owed time.Duration
}

// leastPause is the shortest pause: shorter ones are put together.
const leastPause = 20 * time.Millisecond

func newPacer(ctx context.Context, idle int) *pacer {
	return &pacer{ctx: ctx, idle: idle, last: time.Now()}
}

// step is called between two parts of the work.
func (p *pacer) step() {
	if p.owed += time.Since(p.last) * time.Duration(p.idle); p.owed > leastPause {
		select {
		case <-p.ctx.Done():
		case <-time.After(p.owed):
		}
		p.owed = 0
	}
	p.last = time.Now()
}

// pacedStore is a store that is read with pauses.
type pacedStore struct {
	Store
	pace *pacer
}

func (s pacedStore) Get(ctx context.Context, key string) (Record, error) {
	s.pace.step()
	return s.Store.Get(ctx, key)
}

// pacedReader is a file that is read with pauses.
type pacedReader struct {
	io.Reader
	pace *pacer
}

func (r pacedReader) Read(p []byte) (int, error) {
	r.pace.step()
	return r.Reader.Read(p)
}
