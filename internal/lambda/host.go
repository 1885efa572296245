package lambda

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// ErrClosed is returned by Invoke after Close.
var ErrClosed = errors.New("the host of the functions is closed")

// ErrPayloadTooLarge is returned by Invoke for a payload over 6 MiB, which
// Lambda refuses without calling the function.
var ErrPayloadTooLarge = fmt.Errorf("request must be smaller than %d bytes for the InvokeFunction operation", maxRequestBytes)

// Host runs functions. It is an Invoker. All its methods are safe for
// concurrent use.
type Host struct {
	options   Options
	initLimit time.Duration // how long a process may take to ask for work: 10 s, as in AWS
	lookPath  func(string) (string, error)
	// channelsDial is set where processes inherit no channel, and open one. Tests
	// set it on systems where they could.
	channelsDial bool

	ctx         context.Context // ends with Close
	cancel      context.CancelFunc
	background  sync.WaitGroup // all goroutines that the host and its pools start
	later       atomic.Int64   // bytes of asynchronous calls, at most maxLater
	starter     *starter
	gitignores  gitignores
	mutes       mutes    // for followChanges
	watcher     *watcher // nil when the system can't watch files
	told        sync.Map // the texts of noticeOnce that were written
	draining    sync.Map // retired pools that still have processes
	probes      sync.Map // probeResults
	failedFills sync.Map // folders of the cache that could not be made
	assetsOnce  func() (string, error)

	mu        sync.Mutex
	functions map[string]*hostedFunction // by name
	closed    bool
}

// hostedFunction is a function that the host serves, with the pool of its
// newest code.
type hostedFunction struct {
	function Function
	pool     *pool
	roots    []string // folders whose content is the code
	// unsettled is set while the code is being changed, and is closed when that
	// is over; invocations wait for it.
	unsettled chan struct{}
}

var _ Invoker = (*Host)(nil)

// NewHost makes a host without functions. The caller must Close it.
func NewHost(o Options) *Host {
	ctx, cancel := context.WithCancel(context.Background())
	h := &Host{
		options:   o.withDefaults(),
		initLimit: 10 * time.Second,
		lookPath:  exec.LookPath,
		ctx:       ctx,
		cancel:    cancel,
		starter:   newStarter(),
		functions: map[string]*hostedFunction{},
	}
	h.assetsOnce = sync.OnceValues(h.writeAssets)
	h.background.Go(h.reapIdle)
	var err error
	if h.watcher, err = newWatcher(filepath.Clean(h.options.CacheDir)); err != nil {
		h.notice("", "", "changes of code will not be noticed: "+err.Error())
		return h
	}
	h.background.Go(h.collectChanges)
	h.background.Go(h.followChanges)
	return h
}

// Update makes the given functions the ones that are served: new ones are
// added, changed ones replaced, and those not named removed. Running
// invocations finish on the code they were started with.
func (h *Host) Update(functions []Function) {
	problem := ""
	defer func() { h.notice("", "", problem) }() // not under the lock
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	next := make(map[string]*hostedFunction, len(functions))
	for _, f := range functions {
		f = f.withDefaults(h.options)
		old := h.functions[f.Name]
		if old != nil && reflect.DeepEqual(old.function, f) {
			next[f.Name] = old
			continue
		}
		next[f.Name] = &hostedFunction{function: f, pool: newPool(h, f), roots: codeRoots(f)}
	}
	for name, old := range h.functions {
		if next[name] != old {
			old.retire()
		}
	}
	h.functions = next
	if err := h.watchLocked(); err != nil {
		problem = "some changes of code will not be noticed: " + err.Error()
	}
}

// Prepare gets all functions ready before their first call, in the background:
// it builds Go code and fills the caches of SDKs. Failures are logged, and
// calls of those functions try again.
func (h *Host) Prepare() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	for _, f := range h.functions {
		if f.function.InProcess == nil {
			pool := f.pool                                         // a change of the code replaces it
			h.background.Go(func() { _, _ = pool.prepare(h.ctx) }) // failures are told and kept by the pool
		}
	}
}

// Invoke calls a function. It returns ErrNotFound for a function that the host
// does not serve, ErrPayloadTooLarge, ErrTooManyEvents, ErrClosed, or the error of a context that
// ended. A context that ends does not end the function: it runs on, as in AWS,
// up to its own timeout.
func (h *Host) Invoke(ctx context.Context, call Invocation) (Result, error) {
	if len(call.Payload) > maxRequestBytes {
		return Result{}, ErrPayloadTooLarge
	}
	name := apigw.FunctionName(call.FunctionARN)
	if call.Event {
		return h.invokeLater(name, call)
	}
	call.TraceID = traced(call.TraceID)
	t := newTask(call, apigw.NewUUID())
	for {
		p, err := h.lookup(ctx, name)
		if err != nil {
			return Result{}, err
		}
		if !strings.HasPrefix(call.FunctionARN, "arn:") {
			t.FunctionARN = p.function.ARN
		}
		result, err := p.invoke(ctx, t)
		if !errors.Is(err, errRetired) {
			return result, err
		}
	}
}

// lookup returns the pool of a function's code as it is now.
func (h *Host) lookup(ctx context.Context, name string) (*pool, error) {
	for {
		p, unsettled, err := h.newest(name)
		if err != nil || unsettled == nil {
			return p, err
		}
		select {
		case <-unsettled:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// newest returns a function's pool, and a channel that has to be closed before
// it is used; nil if it can be used at once.
func (h *Host) newest(name string) (*pool, chan struct{}, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, nil, ErrClosed
	}
	served, ok := h.functions[name]
	if !ok {
		return nil, nil, fmt.Errorf("%s: %w", name, ErrNotFound)
	}
	return served.pool, served.unsettled, nil
}

// retire ends each of the function's processes when it has answered, and makes
// the invocations that wait for its code look it up again.
func (f *hostedFunction) retire() {
	f.pool.retire()
	if f.unsettled != nil {
		close(f.unsettled)
		f.unsettled = nil
	}
}

// reapIdle ends processes that have had no call for Options.IdleAfter.
func (h *Host) reapIdle() {
	ticker := time.NewTicker(max(h.options.IdleAfter/4, 10*time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			h.mu.Lock()
			for _, f := range h.functions {
				f.pool.reap(now, h.options.IdleAfter)
			}
			h.mu.Unlock()
		case <-h.ctx.Done():
			return
		}
	}
}

// Close ends all processes, with those that they started, and waits until they
// are gone. It sends SIGTERM first and, after half a second or when ctx ends,
// SIGKILL. Invocations that still run fail. It returns ctx's error if the
// processes were killed because ctx ended.
func (h *Host) Close(ctx context.Context) error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	h.cancel()
	pools := make([]*pool, 0, len(h.functions))
	for _, f := range h.functions {
		f.retire()
		pools = append(pools, f.pool)
	}
	h.mu.Unlock()
	h.draining.Range(func(p, _ any) bool {
		pools = append(pools, p.(*pool))
		return true
	})
	for _, p := range pools {
		p.each((*process).stop)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		h.background.Wait()
	}()
	var err error
	select {
	case <-gone:
	case <-ctx.Done():
		err = ctx.Err()
		for _, p := range pools {
			p.each((*process).killGroup)
		}
		<-gone
	}
	h.starter.close()
	return err
}

// traced completes a trace header as Lambda does: with a parent, and with the
// decision not to sample.
func traced(header string) string {
	if header == "" {
		header = apigw.NewTraceID(time.Now())
	}
	if strings.Contains(header, "Sampled=") {
		return header
	}
	var room [128]byte // for headers as they are
	var parent [8]byte
	binary.BigEndian.PutUint64(parent[:], rand.Uint64())
	text := append(append(room[:0], header...), ";Parent="...)
	text = hex.AppendEncode(text, parent[:])
	return string(append(text, ";Sampled=0"...))
}
