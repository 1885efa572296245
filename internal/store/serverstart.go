package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	// startTime is the longest that a server may take to start.
	startTime = time.Minute
	// startMemory is how much memory a server may take to start, in bytes, besides
	// startMemoryPerByte times the size of its files.
	startMemory        = 512 << 20
	startMemoryPerByte = 8
	// memoryInterval is the time between two looks at the memory.
	memoryInterval = 20 * time.Millisecond
)

// errStart means that a server did not start within its bounds. Its goroutines
// cannot be stopped, so the process should end.
var errStart = errors.New("the storage does not start")

// newServer makes a server that keeps its files in a folder. It opens no port.
func newServer(dir string, sync bool, log *slog.Logger, broken *atomic.Bool) (*server.Server, error) {
	s, err := server.NewServer(&server.Options{
		ServerName: "stagedoor",
		DontListen: true,
		NoSigs:     true,
		JetStream:  true,
		StoreDir:   dir,
		// The default is what the disk has left at the start: a server that
		// starts on a full disk would never accept a write.
		JetStreamMaxStore: maxStore,
		SyncAlways:        sync,
		MaxPayload:        maxPayload,
		NoLog:             true,
		MaxPending:        4 * maxPayload,
		PingInterval:      time.Hour, // a connection within the process is not lost
	})
	if err != nil {
		return nil, fmt.Errorf("the NATS server in %s: %w", dir, err)
	}
	s.SetLoggerV2(serverLog{log, broken}, false, false, false)
	return s, nil
}

// startNATS starts a server on the files in a folder, within bounds. The files
// were inspected before; the bounds are for damage that the inspection did not
// find.
func startNATS(ctx context.Context, s *server.Server, dir string) error {
	bounds := bounds{time: startTime, memory: startMemory + startMemoryPerByte*uint64(sizeOf(dir))}
	return bounds.run(ctx, "starting the storage in "+dir, func() error {
		s.Start()
		if s.ReadyForConnections(startTime) && s.JetStreamEnabled() {
			return nil
		}
		s.Shutdown()
		s.WaitForShutdown()
		return fmt.Errorf("the NATS server cannot use %s; the log says why", dir)
	})
}

// bounds limit what a piece of work may take.
type bounds struct {
	time   time.Duration
	memory uint64 // in bytes, besides what is in use at the beginning
}

// run runs a function, and returns its error. When ctx ends or a bound is
// reached, it returns an error at once, and leaves the function running.
func (b bounds) run(ctx context.Context, what string, do func() error) error {
	memory := heap() + b.memory
	done := make(chan error, 1)
	go func() { done <- do() }()
	end := time.NewTimer(b.time)
	defer end.Stop()
	ticker := time.NewTicker(memoryInterval)
	defer ticker.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-ticker.C:
			if heap() > memory {
				return fmt.Errorf("%w: %s takes more than %d MB of memory", errStart, what, b.memory>>20)
			}
		case <-end.C:
			return fmt.Errorf("%w: %s takes more than %s", errStart, what, b.time)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// stopTime is the longest that is waited for a server to stop.
const stopTime = 15 * time.Second

// stopWithin stops a server, and waits for stopTime at most. A server that
// hangs goes on.
func stopWithin(s *server.Server) {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.Shutdown()
		s.WaitForShutdown()
	}()
	select {
	case <-stopped:
	case <-time.After(stopTime):
	}
}

// heap returns the memory of all objects, in bytes.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// sizeOf returns the size of all files below a folder, as far as it can be
// seen.
func sizeOf(dir string) (size int64) {
	_ = filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			if info, err := e.Info(); err == nil {
				size += info.Size()
			}
		}
		return nil
	})
	return size
}
