package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	// maxPayload is the size of the largest record, in bytes, as it is written.
	maxPayload = 16 << 20
	// maxStore is no limit, in bytes: the disk is.
	maxStore = 1 << 50
	// checkInterval is how often the server is looked after.
	checkInterval = 500 * time.Millisecond
)

// embedded is the NATS server of this process. It opens no port. A server that
// gave up its storage, as one does when the disk is full, is replaced: it would
// not write any more when there is space again.
type embedded struct {
	options Options
	*opened
	lock   *os.File
	broken atomic.Bool // the server that runs could not write

	mu      sync.Mutex // guards running
	running *server.Server

	stopping chan struct{}
	done     chan struct{}
}

func startEmbedded(ctx context.Context, options Options) (*embedded, error) {
	if err := os.MkdirAll(options.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("the data directory: %w", err)
	}
	if err := os.Chmod(options.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("the data directory cannot be kept from other users: %w", err)
	}
	lock, err := lockDir(options.Dir)
	if err != nil {
		return nil, err
	}
	e := &embedded{options: options, lock: lock, stopping: make(chan struct{}), done: make(chan struct{})}
	if e.opened, err = openFiles(ctx, options); err == nil {
		if err = e.start(ctx); err != nil {
			e.manifest.close()
		}
	}
	if err != nil {
		unlockDir(lock)
		return nil, err
	}
	go e.lookAfter()
	return e, nil
}

// start runs a server on files that were inspected.
func (e *embedded) start(ctx context.Context) error {
	e.broken.Store(false)
	s, err := newServer(e.dir, true, e.options.Log, &e.broken)
	if err != nil {
		return err
	}
	if err := startNATS(ctx, s, e.dir); err != nil {
		return err
	}
	e.mu.Lock()
	e.running = s
	e.mu.Unlock()
	return nil
}

// lookAfter replaces a server that gave up its storage, until stop.
func (e *embedded) lookAfter() {
	defer close(e.done)
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	told := "" // why it could not be started, of what is in the log
	for {
		select {
		case <-e.stopping:
			return
		case <-ticker.C:
		}
		e.manifest.sync()
		if s := e.current(); s != nil && s.JetStreamEnabled() && !e.broken.Load() {
			told = ""
			continue
		}
		if told == "" {
			e.options.Log.Warn("The configuration's storage stopped, and is started again")
		}
		e.end()
		err := e.restart()
		if err != nil && err.Error() != told {
			told = err.Error()
			e.options.Log.Error("The configuration's storage cannot be started", "error", err)
		}
		if errors.Is(err, errStart) {
			return // what it began goes on in this process: another one would be no better
		}
	}
}

// restart inspects the files again, as at the first start, and runs a server.
func (e *embedded) restart() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-e.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	if err := e.opened.inspectAgain(ctx, e.options); err != nil {
		return err
	}
	return e.start(ctx)
}

func (e *embedded) current() *server.Server {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.running
}

// end shuts the server down, if one runs.
func (e *embedded) end() {
	e.mu.Lock()
	s := e.running
	e.running = nil
	e.mu.Unlock()
	if s != nil {
		stopWithin(s)
	}
}

func (e *embedded) stop() {
	close(e.stopping)
	<-e.done
	e.end()
	e.manifest.close()
	unlockDir(e.lock)
}

// InProcessConn is how a client connects.
func (e *embedded) InProcessConn() (net.Conn, error) {
	s := e.current()
	if s == nil {
		return nil, errors.New("the NATS server does not run")
	}
	return s.InProcessConn()
}

// serverLog passes on what the server logs. Its notices are of use to who
// looks for a mistake, and to nobody else.
type serverLog struct {
	log    *slog.Logger
	broken *atomic.Bool // set when the storage cannot be written: the server tells nobody else
}

func (l serverLog) Noticef(format string, v ...any) {
	l.log.Debug("NATS: " + fmt.Sprintf(format, v...))
}
func (l serverLog) Debugf(format string, v ...any) { l.log.Debug("NATS: " + fmt.Sprintf(format, v...)) }
func (l serverLog) Tracef(format string, v ...any) { l.log.Debug("NATS: " + fmt.Sprintf(format, v...)) }
func (l serverLog) Warnf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	// maxPayload is what it is on purpose; the state of times to live is left out
	// on purpose, see openFiles.
	if strings.HasPrefix(text, "Maximum payloads over") || strings.Contains(text, "TTL state is outdated") {
		l.Noticef("%s", text)
		return
	}
	l.log.Warn("NATS: " + text)
}
func (l serverLog) Errorf(format string, v ...any) {
	if strings.Contains(strings.ToLower(format), "critical write error") {
		l.broken.Store(true)
	}
	l.log.Error("NATS: " + fmt.Sprintf(format, v...))
}
func (l serverLog) Fatalf(format string, v ...any) { l.log.Error("NATS: " + fmt.Sprintf(format, v...)) }
