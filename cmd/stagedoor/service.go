package main

import (
	"fmt"
	"io"
	"net"
	"strings"
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

	ended chan struct{} // closed to end the watchdog's messages
	done  chan struct{} // closed when they have ended
}

// newService takes what the service manager hands over, and keeps its watchdog
// quiet until close.
func newService(stderr io.Writer) (*service, error) {
	given, err := activation.ListenersWithNames()
	if err != nil {
		return nil, fmt.Errorf("sockets of the service manager: %w", err)
	}
	s := &service{stderr: stderr, listeners: map[string][]net.Listener{}, ended: make(chan struct{}), done: make(chan struct{})}
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

// watchdog says at every interval that the process is alive.
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
			s.notify(daemon.SdNotifyWatchdog)
		case <-s.ended:
			return
		}
	}
}

func (s *service) ready()    { s.notify(daemon.SdNotifyReady) }
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
	close(s.ended)
	<-s.done
}
