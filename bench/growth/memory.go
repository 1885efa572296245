//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/lab"
	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/process"
)

// idle is how many connections a gateway holds while its memory is read, where their
// number is not what grows.
const idle = 1000

// holder is a gateway whose memory is read.
type holder struct {
	*measured
	gateway *process.Process
	conns   *load.Connections
	before  int64
}

// memory reads what idle connections take, that have had one message each. The
// gateways of all points run at the same time, and collect garbage as soon as there is
// some: otherwise that of a hundred handshakes would be most of what is read.
func memory(ctx context.Context, l *lab.Lab, list []*measured, backend string, settle time.Duration) error {
	if err := os.Setenv("GOGC", "5"); err != nil {
		return err
	}
	defer func() { _ = os.Unsetenv("GOGC") }() // it fails for names that are none
	fmt.Printf("Waiting until the memory of %d gateways has not shrunk for %v, twice\n", len(list), settle)
	var holders []*holder
	for _, m := range list {
		m.held = idle
		if m.grows.name == dimensions[0].name {
			m.held = m.connections
		}
		h := &holder{measured: m}
		defer h.close()
		if err := h.start(ctx, l, backend); err != nil {
			return fmt.Errorf("%v: %w", m.point, err)
		}
		holders = append(holders, h)
	}
	for i, h := range holders {
		var err error
		if h.before, err = h.settled(ctx, settle, i == 0); err != nil {
			return err
		}
	}
	for _, h := range holders {
		if err := h.open(); err != nil {
			return fmt.Errorf("%v: %w", h.point, err)
		}
	}
	for i, h := range holders {
		after, err := h.settled(ctx, settle, i == 0)
		if err != nil {
			return err
		}
		h.memory = (after - h.before) / int64(h.held)
	}
	return nil
}

// start starts the gateway, and has some connections come and go, so that what is
// made at first use is there.
func (h *holder) start(ctx context.Context, l *lab.Lab, backend string) (err error) {
	if h.gateway, err = h.measured.start(ctx, l, backend); err != nil {
		return err
	}
	conns, err := load.Open(h.gateway.Address, h.protocol(h.gateway.Address), few)
	if err != nil {
		return err
	}
	defer conns.Close()
	return conns.Exchange()
}

func (h *holder) open() (err error) {
	if h.conns, err = load.Open(h.gateway.Address, h.protocol(h.gateway.Address), h.held); err != nil {
		return err
	}
	return h.conns.Exchange()
}

func (h *holder) close() {
	if h.conns != nil {
		h.conns.Close()
	}
	if h.gateway != nil {
		h.gateway.Stop()
	}
}

// settled reads the gateway's memory: the first of several waits until it does not
// shrink any more, and they all settle meanwhile.
func (h *holder) settled(ctx context.Context, settle time.Duration, first bool) (int64, error) {
	if first {
		return h.gateway.Settled(ctx, settle)
	}
	return process.Memory(h.gateway.PID)
}
