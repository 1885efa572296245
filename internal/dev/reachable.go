package dev

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"syscall"
	"time"
)

// dialTime is how long the start waits to see whether a backend is there.
const dialTime = time.Second

// backend looks whether somebody listens at the URL that gets every event.
func (p *project) backend(ctx context.Context) *Backend {
	if p.source.URL == "" {
		return nil
	}
	b := &Backend{URL: p.source.URL}
	u, err := url.Parse(b.URL)
	if err != nil {
		b.Unreachable = err.Error()
		return b
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		b.Unreachable = unreachable(err)
		return b
	}
	_ = connection.Close() // nothing was sent
	return b
}

// unreachable says in a few words why a backend cannot be connected to.
func unreachable(err error) string {
	var name *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody listens there yet"
	case errors.As(err, &name):
		return "there is no host " + name.Name
	case errors.Is(err, context.DeadlineExceeded), os.IsTimeout(err):
		return "it does not answer"
	}
	return err.Error()
}
