package gateway

import "strings"

// Default is the stage of requests whose path names none. It is for a gateway
// with one API, whose clients need not know of stages: they connect to /, and
// messages are pushed to /@connections/{id}. What names a stage goes there, as
// ever.
type Default struct {
	APIID, Stage string
	// AnyPath: clients may connect at any path, not at / alone.
	AnyPath bool
}

// SetDefault replaces the default stage; nil is none.
func (g *Gateway) SetDefault(d *Default) {
	g.mu.Lock()
	defer g.mu.Unlock()
	next := *g.hosting.Load()
	next.standard = d
	g.hosting.Store(&next)
}

// byDefault is what a path means that names no stage. Requests that are neither
// handshakes nor for @connections are not for an API.
func (d *directory) byDefault(path string) (t target, found bool) {
	if d.standard == nil {
		return target{}, false
	}
	s := d.stages[stageKey{d.standard.APIID, d.standard.Stage}]
	if s == nil {
		return target{}, false
	}
	t = target{apiID: d.standard.APIID, stage: s, rest: strings.TrimPrefix(path, "/")}
	if _, management := connectionID(t.rest); management || t.rest == "" {
		return t, true
	}
	t.rest = ""
	return t, d.standard.AnyPath
}
