//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/clock"
	"github.com/stagedoor/stagedoor/bench/internal/plane"
)

// clocks are the wall clocks of programs.
type clocks struct {
	gateway, nats *clock.Clock
	overlay       string // what programs are built with to go by them
	reason        error  // why they cannot be set; nil: they can
}

// newClocks makes clocks that are right, with their files in a folder.
func newClocks(folder string) (*clocks, error) {
	c := &clocks{}
	var err error
	if c.gateway, err = clock.New(folder, "clock-of-gateway"); err != nil {
		return nil, err
	}
	if c.nats, err = clock.New(folder, "clock-of-nats"); err != nil {
		c.gateway.Close()
		return nil, err
	}
	c.overlay, c.reason = clock.Overlay(folder)
	return c, nil
}

func (c *clocks) close() {
	c.gateway.Close()
	c.nats.Close()
}

// stepped is a fault that sets a clock. It stays as it is set until it is set
// again, while other things break.
func (w *world) stepped(name string, c *clock.Clock, stream uint64) func(context.Context, time.Duration) error {
	chance := rand.New(rand.NewPCG(w.seed, stream<<32))
	return func(ctx context.Context, length time.Duration) error {
		ahead := step(chance, c.Ahead())
		c.Set(ahead)
		switch {
		case ahead > 0:
			w.say("%s is %v ahead", name, ahead)
		case ahead < 0:
			w.say("%s is %v behind", name, -ahead)
		default:
			w.say("%s is right again", name)
		}
		pause(ctx, length)
		return nil
	}
}

const (
	// smallStep is less than a signature of AWS may be off, and largeStep is more.
	smallStep = time.Minute
	largeStep = time.Hour
)

// step says how far a clock is ahead next: by seconds, hours or days, or behind, or
// that it is right again.
func step(chance *rand.Rand, now time.Duration) time.Duration {
	if now != 0 && chance.IntN(3) == 0 {
		return 0
	}
	ahead := time.Duration(1+chance.IntN(int(smallStep/time.Second))) * time.Second
	switch chance.IntN(3) {
	case 0:
		ahead = largeStep * time.Duration(1+chance.IntN(24))
	case 1:
		ahead = 24 * time.Hour * time.Duration(1+chance.IntN(400))
	}
	if chance.IntN(2) == 0 {
		ahead = -ahead
	}
	return ahead
}

// The key that all is signed with.
const (
	accessKeyID = "AKIACHAOS"
	secret      = "a secret of this machine alone"
)

func signer(now func() time.Time) *plane.Signer {
	return &plane.Signer{AccessKeyID: accessKeyID, Secret: secret, Now: now}
}

// checkSignatures finds out whether the gateway takes what is signed by its own
// clock, and what is signed by the right one only where the two differ by no more
// than AWS allows.
func (w *world) checkSignatures(ctx context.Context) error {
	ahead := w.clocks.gateway.Ahead()
	for _, now := range []func() time.Time{w.clocks.gateway.Now, time.Now} {
		c := plane.NewSigned(w.admin, signer(now))
		_, err := c.Call(ctx, "GET", w.writer.stage, nil)
		c.Close()
		want := ""
		if ahead.Abs() >= largeStep && now().Sub(w.clocks.gateway.Now()).Abs() > smallStep {
			want = "Signature expired"
			if ahead < 0 {
				want = "Signature not yet current"
			}
		}
		var refusal *plane.Refusal
		switch {
		case want == "" && err != nil:
			return fmt.Errorf("the gateway's clock is %v ahead: %w", ahead, err)
		case want != "" && err == nil:
			return fmt.Errorf("the gateway's clock is %v ahead, and what is signed by the right one is taken", ahead)
		case want != "" && (!errors.As(err, &refusal) || refusal.Status != 403 || !strings.Contains(refusal.Body, want)):
			return fmt.Errorf("the gateway's clock is %v ahead; want 403 and %q for what is signed by the right one: %w", ahead, want, err)
		}
	}
	return nil
}
