package server

import (
	"context"
	"crypto/tls"
	"log/slog"

	"github.com/stagedoor/stagedoor/internal/acme"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/lifetime"
	"github.com/stagedoor/stagedoor/internal/servertls"
)

// certificates is the TLS of the ports, as far as they have any. Files that
// change are read again.
type certificates struct {
	public, admin *servertls.Certificates // nil: plain HTTP

	watches lifetime.Closers // of the files
}

// openCertificates reads the certificates of the ports. managed gives those that the
// configuration wants by ACME.
func openCertificates(ctx context.Context, of *config.Config, managed func(*tls.ClientHelloInfo) (*tls.Certificate, error), log *slog.Logger) (c *certificates, err error) {
	c = &certificates{}
	report := func(err error) { log.Error("TLS", "error", err) }
	if public := of.TLS; public.Speaks() {
		o := servertls.Options{Files: pairs(public.Certificates), Policy: public.Policy, Records: public.Records, Report: report}
		if len(public.ACME.Domains) > 0 {
			o.Managed, o.Protocols = managed, []string{acme.Protocol}
		}
		if c.public, err = servertls.New(o); err != nil {
			return nil, err
		}
	}
	if admin := of.Admin.TLS; admin.Certificate != (config.Certificate{}) {
		c.admin, err = servertls.New(servertls.Options{
			Files: pairs([]config.Certificate{admin.Certificate}), Policy: admin.Policy, ClientCAs: admin.ClientCA, Report: report,
		})
		if err != nil {
			return nil, err
		}
	}
	for _, files := range []*servertls.Certificates{c.public, c.admin} {
		if files != nil {
			c.watches.Add(lifetime.Start(ctx, files.Watch).Close)
		}
	}
	return c, nil
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

func (c *certificates) close(ctx context.Context) { c.watches.Close(ctx) }

func pairs(files []config.Certificate) []servertls.Pair {
	list := make([]servertls.Pair, len(files))
	for i, f := range files {
		list[i] = servertls.Pair{CertFile: f.Cert, KeyFile: f.Key}
	}
	return list
}

// tlsOf returns the TLS of a port; nil stands for plain HTTP.
func tlsOf(c *servertls.Certificates) *tls.Config {
	if c == nil {
		return nil
	}
	return c.TLSConfig()
}
