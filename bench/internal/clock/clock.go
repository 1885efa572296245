//go:build linux

// Package clock makes Go programs whose wall clock can be set forward and back
// while they run, without an effect on others on the same machine.
//
// A program's Go is built with a standard library in which time.Now adds what a
// file says to the wall clock. The monotonic clock goes on as it does, as when
// somebody sets the clock of a machine: timers and what is measured do not change.
package clock

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// variable names the file in the environment of a program.
const variable = "STAGEDOOR_CHAOS_CLOCK"

// size is that of the file: one number of nanoseconds.
const size = 8

// Clock is the wall clock of a program. It is safe for concurrent use.
type Clock struct {
	file   string
	memory []byte
}

// New makes a clock that is right, with its file in the folder. Close must be
// called.
func New(folder, name string) (*Clock, error) {
	c := &Clock{file: filepath.Join(folder, name)}
	file, err := os.OpenFile(c.file, os.O_CREATE|os.O_RDWR|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := file.Truncate(size); err != nil {
		return nil, err
	}
	if c.memory, err = syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED); err != nil {
		return nil, fmt.Errorf("mapping %s: %w", c.file, err)
	}
	return c, nil
}

// Env is the environment variable that makes a program use this clock. The
// program must be built with an overlay of Overlay.
func (c *Clock) Env() string { return variable + "=" + c.file }

// Set sets the clock ahead by a time, or behind if it is negative.
func (c *Clock) Set(ahead time.Duration) { atomic.StoreInt64(c.number(), int64(ahead)) }

// Ahead returns how far the clock is ahead.
func (c *Clock) Ahead() time.Duration { return time.Duration(atomic.LoadInt64(c.number())) }

// Now returns the time by the clock.
func (c *Clock) Now() time.Time { return time.Now().Add(c.Ahead()) }

func (c *Clock) number() *int64 { return (*int64)(unsafe.Pointer(unsafe.SliceData(c.memory))) }

// Close releases the clock in this process. Programs may still use it.
func (c *Clock) Close() { _ = syscall.Munmap(c.memory) }
