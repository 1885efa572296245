package server

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/administration"
	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/control"
	"github.com/stagedoor/stagedoor/internal/eventstream"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/store"
	"github.com/stagedoor/stagedoor/internal/webguard"
)

// controlOptions are the operations of the control plane on a store, for whoever
// is in this process: nobody is asked for a signature. Operations end when a
// rollout has put them into effect.
func controlOptions(c *config.Config, s *store.Configuration, rollout *follower, log *slog.Logger) control.Options {
	links := c.VPCLinks
	o := control.Options{
		Store: s, Region: c.Region, AccountID: c.Account,
		Quotas: control.Quotas(c.Quotas), Requests: c.Limits.Requests, Await: rollout.Await, Log: log, Warn: warn,
		HasLink: func(id string) bool { return links[id] != "" },
	}
	if c.APIEndpoint.IsSet() {
		o.Endpoint = c.APIEndpoint.URL
	}
	return o
}

// controlPlane makes the control plane of the admin port, which asks who may do
// what, and beside it what AWS has no operations for: backups, access keys, and events
// as they happen.
func (s *Server) controlPlane(operations control.Options) http.Handler {
	operations.Authorize = s.authorizeControl
	plane := control.New(operations)
	own := administration.NewHandler(administration.HandlerOptions{
		Local:  &administration.Local{Configuration: s.store.Configuration, Applied: s.access.apply},
		Region: s.config.Region, Account: s.config.Account, Gateway: s.describe(), Authorize: s.access.decide,
		Events: eventstream.Handler(s.tail), Log: s.log,
	})
	both := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.access.dropBody(r)
		if isOwn(r) {
			own.ServeHTTP(w, r)
			return
		}
		plane.ServeHTTP(w, r)
	}))
	if s.options.Open {
		both = gateway.Guarded(s.webGuard(), both)
	}
	return s.access.audited(both)
}

// authorizeControl decides about a request to the control plane: who may do it, and
// whether anybody may.
func (s *Server) authorizeControl(r *http.Request, action, resource string) *apigw.Error {
	if err := s.access.control(r, action, resource); err != nil {
		return err
	}
	return s.file.refuse(r, resource)
}

// isOwn reports whether a request is for what AWS has no operations for.
func isOwn(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, administration.Prefix) }

// describe says where clients reach the gateway, whose public ports nobody serves
// yet.
func (s *Server) describe() administration.Gateway {
	told := administration.Gateway{APIEndpoint: s.config.APIEndpoint.String()}
	for _, port := range s.ports.public {
		told.Public = append(told.Public, withScheme("http://"+port.Addr().String(), s.config.TLS.Required))
	}
	return told
}

// webGuard returns a guard that lets web pages of the gateway's own names through:
// those that the operator has given, and custom domains.
func (s *Server) webGuard() webguard.Guard {
	return webguard.Guard{Knows: func(host string) bool {
		return webguard.IsOneOf(host, s.options.Hosts, append(slices.Clone(s.config.Listen), s.config.Admin.Listen)...) || s.gateway.HasDomain(host)
	}}
}
