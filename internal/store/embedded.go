package store

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
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
	// startTime is how long a server may take to start.
	startTime = 30 * time.Second
	// checkInterval is how often the server is looked after.
	checkInterval = 500 * time.Millisecond
)

// embedded is the NATS server of this process. It opens no port. A server that
// gave up its storage, as one does when the disk is full, is replaced: it would
// not write any more when there is space again.
type embedded struct {
	options Options
	lock    *os.File
	broken  atomic.Bool // the server that runs could not write

	mu      sync.Mutex // guards running
	running *server.Server

	stopping chan struct{}
	done     chan struct{}
}

func startEmbedded(options Options) (*embedded, error) {
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
	if err := e.start(); err != nil {
		unlockDir(lock)
		return nil, err
	}
	go e.lookAfter()
	return e, nil
}

// start runs a server on the data directory.
func (e *embedded) start() error {
	s, err := server.NewServer(&server.Options{
		ServerName: "stagedoor",
		DontListen: true,
		NoSigs:     true,
		JetStream:  true,
		StoreDir:   filepath.Join(e.options.Dir, "nats"),
		// Otherwise it is what the disk has left at the start: a server that starts
		// on a full disk would take no write ever.
		JetStreamMaxStore: maxStore,
		SyncAlways:        true,
		MaxPayload:        maxPayload,
		NoLog:             true,
		MaxPending:        4 * maxPayload,
		PingInterval:      time.Hour, // nothing gets lost between here and here
	})
	if err != nil {
		return fmt.Errorf("the NATS server in %s: %w", e.options.Dir, err)
	}
	e.broken.Store(false)
	s.SetLoggerV2(serverLog{e.options.Log, &e.broken}, false, false, false)
	s.Start()
	if !s.ReadyForConnections(startTime) || !s.JetStreamEnabled() {
		s.Shutdown()
		s.WaitForShutdown()
		return fmt.Errorf("the NATS server cannot use %s; the log says why", e.options.Dir)
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
	for {
		select {
		case <-e.stopping:
			return
		case <-ticker.C:
		}
		if s := e.current(); s != nil && s.JetStreamEnabled() && !e.broken.Load() {
			continue
		}
		e.options.Log.Warn("The configuration's storage stopped, and is started again")
		e.end()
		if err := e.start(); err != nil {
			e.options.Log.Error("The configuration's storage cannot be started", "error", err)
		}
	}
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
		s.Shutdown()
		s.WaitForShutdown()
	}
}

func (e *embedded) stop() {
	close(e.stopping)
	<-e.done
	e.end()
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
	if strings.HasPrefix(format, "Maximum payloads over") {
		l.Noticef(format, v...) // maxPayload is what it is on purpose
		return
	}
	l.log.Warn("NATS: " + fmt.Sprintf(format, v...))
}
func (l serverLog) Errorf(format string, v ...any) {
	if strings.Contains(strings.ToLower(format), "critical write error") {
		l.broken.Store(true)
	}
	l.log.Error("NATS: " + fmt.Sprintf(format, v...))
}
func (l serverLog) Fatalf(format string, v ...any) { l.log.Error("NATS: " + fmt.Sprintf(format, v...)) }
