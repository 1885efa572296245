//go:build linux

package main

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/history"
)

// variable is the stage variable that is written.
const variable = "number"

// writer changes the configuration all the time: a number, and APIs that are
// made and never changed.
type writer struct {
	world *world
	stage string // its path below /v2/apis
	value history.Register
	count atomic.Int64
	made  []string // ids of APIs whose making was answered; of the goroutine that writes
}

func newWriter(w *world, api string) *writer {
	return &writer{world: w, stage: "/" + api + "/stages/prod", value: history.Register{Name: "the stage variable"}}
}

func (w *writer) answered() int64 { return w.count.Load() }

// mostMade is how many APIs are made.
const mostMade = 100

// run writes until ctx ends.
func (w *writer) run(ctx context.Context) {
	c := w.world.client()
	defer c.Close()
	for i := 0; ctx.Err() == nil; i++ {
		call, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		if i%10 == 9 && len(w.made) < mostMade {
			id, err := post(call, c, "", "apiId", map[string]any{"name": "made", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action"})
			if err == nil {
				w.made = append(w.made, id)
				w.count.Add(1)
			}
		} else {
			number := w.value.Attempt()
			_, err := c.Call(call, "PATCH", w.stage, map[string]any{"stageVariables": map[string]any{variable: strconv.Itoa(number)}})
			if err == nil {
				w.value.Answered(number)
				w.count.Add(1)
			}
		}
		cancel()
		pause(ctx, 50*time.Millisecond)
	}
}

// check reads everything that was written. It is called when nothing writes any
// more.
func (w *writer) check(ctx context.Context) error {
	c := w.world.client()
	defer c.Close()
	return w.world.wait(ctx, "what was written", func() error {
		members, err := c.Call(ctx, "GET", w.stage, nil)
		if err != nil {
			return err
		}
		variables, _ := members["stageVariables"].(map[string]any)
		text, _ := variables[variable].(string)
		number, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		if err := w.value.Read(number); err != nil {
			return err
		}
		for _, id := range w.made {
			if _, err := c.Call(ctx, "GET", "/"+id, nil); err != nil {
				return fmt.Errorf("an API whose making was answered: %w", err)
			}
		}
		return nil
	})
}

// pause waits, until ctx ends at most.
func pause(ctx context.Context, length time.Duration) {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
