package gateway

import (
	"strings"
	"sync"

	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/plan"
)

// maxEndpoints is how many endpoints are known at most. There are more only where a
// custom domain with a wildcard has more names than that in use.
const maxEndpoints = 1024

// endpoints has connections to the same endpoint share its description. The zero value
// knows none.
type endpoints struct {
	mu    sync.Mutex
	known map[event.Endpoint]*event.Endpoint // guarded by mu
}

// of describes a stage, as clients know it that have connected by a custom domain;
// empty: by the stage's own host.
func (e *endpoints) of(s *plan.Stage, domain string) *event.Endpoint {
	wanted := event.Endpoint{APIID: s.APIID, Stage: s.Name, DomainName: domain}
	if domain == "" {
		wanted.DomainName = s.DomainName
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if known := e.known[wanted]; known != nil {
		return known
	}
	if e.known == nil || len(e.known) >= maxEndpoints {
		e.known = make(map[event.Endpoint]*event.Endpoint) // connections keep those that they have
	}
	wanted.DomainName = strings.Clone(wanted.DomainName) // of a request's header, perhaps
	e.known[wanted] = &wanted
	return &wanted
}
