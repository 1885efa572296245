package gateway

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/connections"
	"github.com/stagedoor/stagedoor/internal/forwarded"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

const maxURL = 4096

// ServeHTTP answers WebSocket handshakes and @connections requests.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	hosting := g.hosting.Load()
	t := hosting.find(r.Host, r.URL)
	upgrade := isUpgrade(r)
	id, management := connectionID(t.rest)
	switch {
	case len(r.RequestURI) > maxURL:
		g.RefuseURL(w, r, "the URL is longer than "+strconv.Itoa(maxURL)+" bytes")
	case management && g.refusesVisitor(w, r):
	case management && t.stage != nil:
		g.spare(r)
		g.connections.Serve(w, r, t.managed(r.Method), id)
	case !upgrade && !management && !t.named:
		g.fallback.ServeHTTP(w, r)
	case t.stage == nil:
		g.RefuseURL(w, r, hosting.missing(r.Host, r.URL, t))
	case t.rest != "":
		g.RefuseURL(w, r, "there is nothing below a stage but @connections/{connectionId}")
	default:
		if err := websocket.CheckUpgrade(r); err != nil {
			g.answered(refuseUpgrade(w, err))
			return
		}
		g.handshake(w, r, t)
	}
}

// managed is the target of a call of the @connections API.
func (t target) managed(method string) connections.Stage {
	s := t.stage.plan.Load()
	return connections.Stage{
		APIID: t.apiID, Name: s.Name, DomainName: cmp.Or(t.domain, s.DomainName), AccessLog: s.AccessLog, Meter: s.Meters.Call(method),
	}
}

// forbidden answers what is for no API where nothing else does.
func (g *Gateway) forbidden(w http.ResponseWriter, r *http.Request) {
	g.RefuseURL(w, r, noSuchStage)
}

// RefuseURL answers a request whose URL leads nowhere with 403, and records it
// with the reason, which the client is not told. It is for a Fallback as well.
func (g *Gateway) RefuseURL(w http.ResponseWriter, r *http.Request, reason string) {
	g.refuse(w, r, apigw.ErrForbidden, reason)
}

// refuse answers a request that no API sees, and records why.
func (g *Gateway) refuse(w http.ResponseWriter, r *http.Request, answer *apigw.Error, reason string) {
	answer.WriteTo(w)
	g.recorder.Record(&telemetry.Record{
		Event: telemetry.EventRefused, Time: time.Now(), Status: answer.Status, Error: reason,
		Refused: &telemetry.Access{
			Source: forwarded.Of(r).Address, Result: answer.Type,
			Host: limit(r.Host), Path: limit(r.URL.EscapedPath()),
		},
	})
}

func limit(text string) string { return text[:min(len(text), telemetry.MaxPath)] }

// refuseUpgrade answers a request for a stage that is no WebSocket handshake,
// or a malformed one. The specification leaves 426 or 403 open for a plain
// request (section M.1); 426 tells a person what is wrong.
func refuseUpgrade(w http.ResponseWriter, reason error) (status int) {
	if !errors.Is(reason, websocket.ErrNotUpgrade) && !errors.Is(reason, websocket.ErrVersion) {
		apigw.BadRequest("Bad WebSocket handshake: " + reason.Error()).WriteTo(w)
		return http.StatusBadRequest
	}
	w.Header().Set("Upgrade", "websocket")
	w.Header().Set("Connection", "Upgrade")
	w.Header().Set("Sec-WebSocket-Version", "13")
	(&apigw.Error{
		Status: http.StatusUpgradeRequired, Type: "UpgradeRequiredException",
		Message: "This is a WebSocket API: " + reason.Error(),
	}).WriteTo(w)
	return http.StatusUpgradeRequired
}

// connectionID finds the id in "@connections/{id}", in any escaped form.
func connectionID(rest string) (id string, management bool) {
	escaped, management := cutManagement(rest)
	if !management {
		return "", false
	}
	id, err := url.PathUnescape(escaped)
	if err != nil {
		id = escaped
	}
	return id, true
}

// cutManagement returns what is behind "@connections/", and reports whether a path
// begins so.
func cutManagement(path string) (rest string, management bool) {
	first, rest, found := strings.Cut(path, "/")
	name, err := url.PathUnescape(first)
	return rest, err == nil && name == "@connections" && found
}

// isUpgrade tells a WebSocket handshake, well-formed or not.
func isUpgrade(r *http.Request) bool {
	for _, value := range r.Header.Values("Upgrade") {
		if strings.Contains(strings.ToLower(value), "websocket") {
			return true
		}
	}
	return false
}
