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
// It is notified by sd_notify when the gateway is ready, reloads and stops, and
// it may pass listening sockets. Without a service manager all methods do
// nothing.
type service struct {
	stderr    io.Writer
	listeners map[string][]net.Listener // "public" and "admin"

	alive atomic.Pointer[func(context.Context) error] // checks the gateway; nil until it is ready

	watching context.Context // its end ends the messages to the watchdog
	end      context.CancelFunc
	done     chan struct{} // closed when they have ended
}

// newService takes the sockets that the service manager passes, and sends
// messages to its watchdog until close, as long as the gateway is alive.
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

// listenerName returns what a socket is for, "public" or "admin". name is the
// socket's FileDescriptorName= or, without one, the name of its unit.
func listenerName(name string) string {
	switch strings.TrimSuffix(name, ".socket") {
	case "stagedoor":
		return "public"
	case "stagedoor-admin":
		return "admin"
	}
	return name
}

// watchdog checks at every interval whether the gateway is alive, and if it is
// sends a message to the service manager, which restarts the process when
// messages are missing. A gateway that is not ready yet is not checked.
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

// ask checks the gateway once, within a time limit.
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

// ready notifies the service manager that the gateway serves. alive checks from
// now on whether it is alive.
func (s *service) ready(alive func(context.Context) error) {
	s.alive.Store(&alive)
	s.reloaded()
}

func (s *service) reloaded() { s.notify(daemon.SdNotifyReady) }
func (s *service) stopping() { s.notify(daemon.SdNotifyStopping) }

// reloading also sends the time, as Type=notify-reload requires.
func (s *service) reloading() {
	s.notify(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
}

// notify sends a state to the service manager. It prints an error, which
// explains why the service manager takes the service for dead.
func (s *service) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		_, _ = fmt.Fprintf(s.stderr, "stagedoor: cannot tell the service manager %s: %v\n", state, err)
	}
}

func (s *service) close() {
	s.end()
	<-s.done
}
