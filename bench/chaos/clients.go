//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagedoor/stagedoor/bench/internal/history"
	"github.com/stagedoor/stagedoor/bench/internal/load"
	"github.com/stagedoor/stagedoor/bench/internal/plane"
)

// crowd is all clients of the gateway.
type crowd struct {
	end  context.CancelFunc
	gone sync.WaitGroup
}

// enter starts clients, pushers and a writer of the configuration.
func (w *world) enter(ctx context.Context) *crowd {
	ctx, cancel := context.WithCancel(ctx)
	c := &crowd{end: cancel}
	for i := range w.clients {
		chance := rand.New(rand.NewPCG(w.seed, uint64(i)))
		c.gone.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				w.visit(ctx, fmt.Sprintf("c%d.%d", i, n), chance)
			}
		})
	}
	c.gone.Go(func() { w.push(ctx) })
	c.gone.Go(func() { w.writer.run(ctx) })
	return c
}

// leave waits until all of them have ended.
func (c *crowd) leave() {
	c.end()
	c.gone.Wait()
}

// visit is one connection of a client, from its opening to its end.
func (w *world) visit(ctx context.Context, key string, chance *rand.Rand) {
	ordered := chance.IntN(3) == 0
	path := w.paths[0]
	if ordered {
		path = w.paths[1]
	}
	life := time.Duration(3+chance.IntN(57)) * time.Second
	manner := chance.IntN(3)
	pause(ctx, time.Duration(chance.IntN(500))*time.Millisecond)
	start := w.gateway.starts.Load()
	socket, err := load.DialSocket(w.public, path+"?key="+key)
	if err != nil {
		pause(ctx, 200*time.Millisecond)
		return
	}
	defer socket.Close()
	c := w.log.Open(key, ordered)
	var leaving atomic.Bool
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			text, err := socket.Receive(2 * time.Hour)
			if err != nil {
				if !leaving.Load() && !w.gateway.ended(start) {
					w.log.Violate("%s: the gateway ended a connection that was well: %v", key, err)
				}
				return
			}
			c.Received(text)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, life)
	defer cancel()
	w.talk(ctx, socket, c, chance, ended)
	leaving.Store(true)
	switch manner {
	case 0: // hangs up
	default:
		if socket.Leave() == nil {
			select {
			case <-ended:
			case <-time.After(5 * time.Second):
			}
		}
	}
	socket.Close()
	<-ended
}

// talk sends messages until ctx or the connection ends.
func (w *world) talk(ctx context.Context, socket *load.Socket, c *history.Connection, chance *rand.Rand, ended chan struct{}) {
	interval := time.Duration(w.clients) * time.Second / time.Duration(w.rate)
	timer := time.NewTimer(time.Duration(chance.Int64N(int64(interval))))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ended:
			return
		case <-timer.C:
		}
		for range 1 + chance.IntN(3) { // some at once
			padding := strings.Repeat("x", chance.IntN(2000))
			text := marshal(map[string]any{"action": actions[chance.IntN(len(actions))], "id": c.Send(), "padding": padding})
			if socket.Send(text) != nil {
				return
			}
		}
		timer.Reset(interval + time.Duration(chance.Int64N(int64(interval)*2)))
	}
}

// push sends to connections, as functions do, until ctx ends.
func (w *world) push(ctx context.Context) {
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	sign := signer(w.clocks.gateway.Now)
	for i := 0; ctx.Err() == nil; i++ {
		pause(ctx, 5*time.Millisecond)
		name := fmt.Sprintf("p%d", i)
		id := w.log.Push(name)
		if id == "" {
			continue
		}
		path := w.paths[rand.IntN(2)] // that of another API is gone
		body := []byte(marshal(map[string]string{"push": name}))
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+w.public+path+"/@connections/"+strings.ReplaceAll(id, "=", "%3D"), bytes.NewReader(body))
		if err != nil {
			panic(err) // ids are written as those of AWS
		}
		sign.Sign(request, body, plane.Connections)
		answer, err := client.Do(request)
		if err != nil {
			continue // whether it was sent is not known: it is not sent again
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
}
