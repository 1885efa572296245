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
	// maxStore is larger than any disk, in bytes: the disk is the limit.
	maxStore = 1 << 50
	// checkInterval is the time between two looks at the server.
	checkInterval = 500 * time.Millisecond
)

// embeddedServer is the NATS server in this process. It opens no port. A NATS
// server that cannot write, because the disk is full for instance, stops its
// storage for good; such a server is replaced by another one.
type embeddedServer struct {
	options Options
	*soundFiles
	lock   *os.File
	broken atomic.Bool // the running server could not write

	mu      sync.Mutex // guards running
	running *server.Server

	stopping chan struct{}
	done     chan struct{}
}

func startEmbedded(ctx context.Context, options Options) (*embeddedServer, error) {
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
	e := &embeddedServer{options: options, lock: lock, stopping: make(chan struct{}), done: make(chan struct{})}
	if e.soundFiles, err = openFiles(ctx, options); err == nil {
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
func (e *embeddedServer) start(ctx context.Context) error {
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

// lookAfter replaces a server whose storage stopped, until stop is called.
func (e *embeddedServer) lookAfter() {
	defer close(e.done)
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	told := "" // the last error that was logged
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
			return // the server's start still runs in this process: another try would not do better
		}
	}
}

// restart inspects the files again, as at the first start, and runs a server.
func (e *embeddedServer) restart() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-e.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	if err := e.soundFiles.inspectAgain(ctx, e.options); err != nil {
		return err
	}
	return e.start(ctx)
}

func (e *embeddedServer) current() *server.Server {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.running
}

// end shuts the server down, if one runs.
func (e *embeddedServer) end() {
	e.mu.Lock()
	s := e.running
	e.running = nil
	e.mu.Unlock()
	if s != nil {
		stopWithin(s)
	}
}

func (e *embeddedServer) stop() {
	close(e.stopping)
	<-e.done
	e.end()
	e.manifest.close()
	unlockDir(e.lock)
}

// InProcessConn implements nats.InProcessConnProvider: a client connects by it.
func (e *embeddedServer) InProcessConn() (net.Conn, error) {
	s := e.current()
	if s == nil {
		return nil, errors.New("the NATS server does not run")
	}
	return s.InProcessConn()
}

// serverLog writes the server's log to ours. Its notices become debug lines:
// they only help to find a mistake.
type serverLog struct {
	log    *slog.Logger
	broken *atomic.Bool // set when the storage cannot be written: the server's log is the only sign of it
}

func (l serverLog) Noticef(format string, v ...any) {
	l.log.Debug("NATS: " + fmt.Sprintf(format, v...))
}
func (l serverLog) Debugf(format string, v ...any) { l.log.Debug("NATS: " + fmt.Sprintf(format, v...)) }
func (l serverLog) Tracef(format string, v ...any) { l.log.Debug("NATS: " + fmt.Sprintf(format, v...)) }
func (l serverLog) Warnf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	// Both warnings are about what is done on purpose: maxPayload, and the file
	// with the times to live that opener.take removes.
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
