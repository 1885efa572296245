package server

import (
	"context"
	"crypto/tls"
	"sync"

	"github.com/stagedoor/stagedoor/internal/acme"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/servertls"
)

// certificates is the TLS of the ports, as far as they have any. Files that
// change are read again.
type certificates struct {
	public, admin *servertls.Certificates // nil: plain HTTP

	cancel   context.CancelFunc
	watching sync.WaitGroup
}

func (s *Server) openCertificates() (err error) {
	c := &certificates{}
	report := func(err error) { s.log.Error("TLS", "error", err) }
	if public := s.config.TLS; public.Speaks() {
		o := servertls.Options{Files: pairs(public.Certificates), Policy: public.Policy, Report: report}
		if len(public.ACME.Domains) > 0 {
			o.Managed, o.Protocols = s.certificate, []string{acme.Protocol}
		}
		if c.public, err = servertls.New(o); err != nil {
			return err
		}
	}
	if admin := s.config.Admin.TLS; admin.Certificate != (config.Certificate{}) {
		c.admin, err = servertls.New(servertls.Options{
			Files: pairs([]config.Certificate{admin.Certificate}), Policy: admin.Policy, ClientCAs: admin.ClientCA, Report: report,
		})
		if err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	for _, of := range []*servertls.Certificates{c.public, c.admin} {
		if of != nil {
			c.watching.Go(func() { of.Watch(ctx) })
		}
	}
	s.certificates = c
	return nil
}

// use reads the files again, and those that are new. Files cannot make a port
// speak TLS that did not, nor the other way round.
func (c *certificates) use(files []config.Certificate) error {
	if c.admin != nil {
		c.admin.Reload()
	}
	if c.public == nil || len(files) == 0 {
		return nil
	}
	return c.public.Use(pairs(files))
}

func (c *certificates) stop() {
	c.cancel()
	c.watching.Wait()
}

func pairs(files []config.Certificate) []servertls.Pair {
	list := make([]servertls.Pair, len(files))
	for i, f := range files {
		list[i] = servertls.Pair{CertFile: f.Cert, KeyFile: f.Key}
	}
	return list
}

// tlsOf is a port's configuration; nil stands for plain HTTP.
func tlsOf(c *servertls.Certificates) *tls.Config {
	if c == nil {
		return nil
	}
	return c.TLSConfig()
}
