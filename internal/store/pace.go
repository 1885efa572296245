package store

import (
	"context"
	"io"
	"time"
)

// pacer slows down work that nobody waits for, so that others have the machine:
// it pauses for idle times the time of the work. It is used by one goroutine.
type pacer struct {
	ctx  context.Context
	idle int       // the pauses' time, for one unit of work's
	last time.Time // when work began after the last pause or step
	owed time.Duration
}

// leastPause is the shortest pause; shorter ones are added up.
const leastPause = 20 * time.Millisecond

func newPacer(ctx context.Context, idle int) *pacer {
	return &pacer{ctx: ctx, idle: idle, last: time.Now()}
}

// step is called between two parts of the work. It pauses if enough time has
// been worked.
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
