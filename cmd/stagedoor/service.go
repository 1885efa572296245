package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
)

// service is the service manager, systemd, that may have started this process.
// It is told of the gateway's life by sd_notify, and may hand it sockets.
// Without a service manager, nothing is told and nothing handed.
type service struct {
	stderr    io.Writer
	listeners map[string][]net.Listener // "public" and "admin"

	alive atomic.Pointer[func(context.Context) error] // asks the gateway; nil until it is ready

	watching context.Context // ends to end the watchdog's messages
	end      context.CancelFunc
	done     chan struct{} // closed when they have ended
}

// newService takes what the service manager hands over, and keeps its watchdog
// quiet until close, as long as the gateway is alive.
func newService(stderr io.Writer) (*service, error) {
	given, err := activation.ListenersWithNames()
	if err != nil {
		return nil, fmt.Errorf("sockets of the service manager: %w", err)
	}
	s := &service{stderr: stderr, listeners: map[string][]net.Listener{}, done: make(chan struct{})}
	s.watching, s.end = context.WithCancel(context.Background())
	for name, listeners := range given {
		name = listenerName(name)
		s.listeners[name] = append(s.listeners[name], listeners...)
	}
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return nil, fmt.Errorf("the service manager's watchdog: %w", err)
	}
	go s.watchdog(interval / 2)
	return s, nil
}

// listenerName is what a socket is for: what FileDescriptorName= says, or
// without that, the name of its unit.
func listenerName(name string) string {
	switch strings.TrimSuffix(name, ".socket") {
	case "stagedoor":
		return "public"
	case "stagedoor-admin":
		return "admin"
	}
	return name
}

// watchdog asks the gateway at every interval whether it is alive, and passes a
// good answer on. Without one nothing is passed on: the service manager then
// starts the process again. A gateway that is not ready yet is not asked.
func (s *service) watchdog(interval time.Duration) {
	defer close(s.done)
	if interval <= 0 {
		return
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.ask(interval)
		case <-s.watching.Done():
			return
		}
	}
}

// ask gives the gateway so much time to answer.
func (s *service) ask(limit time.Duration) {
	if alive := s.alive.Load(); alive != nil {
		ctx, cancel := context.WithTimeout(s.watching, limit)
		defer cancel()
		if err := (*alive)(ctx); err != nil {
			if s.watching.Err() == nil {
				_, _ = fmt.Fprintf(s.stderr, "stagedoor: part of the gateway hangs, so the watchdog is told nothing: %v\n", err)
			}
			return
		}
	}
	s.notify(daemon.SdNotifyWatchdog)
}

// ready says that the gateway serves, and whom to ask from now on whether it is
// alive.
func (s *service) ready(alive func(context.Context) error) {
	s.alive.Store(&alive)
	s.reloaded()
}

func (s *service) reloaded() { s.notify(daemon.SdNotifyReady) }
func (s *service) stopping() { s.notify(daemon.SdNotifyStopping) }

// reloading tells the time as well, as Type=notify-reload wants it.
func (s *service) reloading() {
	s.notify(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
}

// notify tells the service manager something. That it cannot be told is for
// the log of whoever looks at why the service counts as dead.
func (s *service) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		_, _ = fmt.Fprintf(s.stderr, "stagedoor: cannot tell the service manager %s: %v\n", state, err)
	}
}

func (s *service) close() {
	s.end()
	<-s.done
}
