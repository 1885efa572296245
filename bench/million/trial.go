//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// trial is a message on one connection, whose answer is its id, and a push to it.
type trial struct {
	running bool
	on      int32      // the connection
	pushed  bool       // the answer was there
	began   time.Time  // of the message, then of the push
	failed  chan error // has room for the failure of the push
}

// push is what is pushed.
const push = "hello"

// advanceTrial begins a trial when it is time, on a connection at random.
func (h *holder) advanceTrial() error {
	t := &h.trial
	if t.running {
		select {
		case err := <-t.failed:
			return fmt.Errorf("pushing to connection %d: %w", t.on+1, err)
		default:
		}
		if time.Since(t.began) > patience {
			return fmt.Errorf("connection %d waited %v for an answer or a push", t.on+1, patience)
		}
		return nil
	}
	if time.Now().Before(h.due) {
		return nil
	}
	h.due = time.Now().Add(h.pause())
	on := rand.Int32N(int32(len(h.conns)))
	if h.conns[on].state != idle {
		return nil
	}
	*t = trial{running: true, on: on, began: time.Now(), failed: make(chan error, 1)}
	if err := h.send(on); err != nil {
		t.running = false
		h.lose(on, err.Error())
	}
	return nil
}

// received takes a message that a connection got.
func (t *trial) received(h *holder, i int32, payload string) {
	switch {
	case !t.running || i != t.on || t.pushed && payload != push:
		h.lose(i, fmt.Sprintf("it got %q, which is not for it", payload))
	case t.pushed:
		h.results.Pushed = append(h.results.Pushed, time.Since(t.began))
		t.running = false
	default:
		h.results.Asked = append(h.results.Asked, time.Since(t.began))
		t.pushed, t.began = true, time.Now()
		target := "http://" + h.Address + h.Path + "/@connections/" + url.PathEscape(payload)
		failed := t.failed
		go func() {
			if err := post(target); err != nil {
				failed <- err
			}
		}()
	}
}

var client = &http.Client{Timeout: patience}

// post pushes by the @connections API.
func post(target string) error {
	answer, err := client.Post(target, "text/plain", strings.NewReader(push))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusOK {
		return errors.Join(err, fmt.Errorf("%s: %s", answer.Status, text))
	}
	return err
}
