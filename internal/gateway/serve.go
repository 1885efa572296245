package gateway

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

const maxURL = 4096

// ServeHTTP answers WebSocket handshakes and @connections requests.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t := g.hosting.Load().find(r.Host, r.URL)
	upgrade := isUpgrade(r)
	id, management := connectionID(t.rest)
	switch {
	case len(r.RequestURI) > maxURL:
		apigw.ErrForbidden.WriteTo(w)
	case management && t.stage != nil:
		g.spare(r)
		g.connections.Serve(w, r, t.apiID, t.stage.plan.Load().Name, id)
	case !upgrade && !management && !t.named:
		g.fallback.ServeHTTP(w, r)
	case t.stage == nil || t.rest != "":
		apigw.ErrForbidden.WriteTo(w)
	default:
		if err := websocket.CheckUpgrade(r); err != nil {
			refuseUpgrade(w, err)
			return
		}
		g.handshake(w, r, t)
	}
}

func forbidden(w http.ResponseWriter, _ *http.Request) { apigw.ErrForbidden.WriteTo(w) }

// refuseUpgrade answers a request for a stage that is no WebSocket handshake,
// or a malformed one. The specification leaves 426 or 403 open for a plain
// request (section M, row 1); 426 tells a person what is wrong.
func refuseUpgrade(w http.ResponseWriter, reason error) {
	if !errors.Is(reason, websocket.ErrNotUpgrade) && !errors.Is(reason, websocket.ErrVersion) {
		apigw.BadRequest("Bad WebSocket handshake: " + reason.Error()).WriteTo(w)
		return
	}
	w.Header().Set("Upgrade", "websocket")
	w.Header().Set("Connection", "Upgrade")
	w.Header().Set("Sec-WebSocket-Version", "13")
	(&apigw.Error{
		Status: http.StatusUpgradeRequired, Type: "UpgradeRequiredException",
		Message: "This is a WebSocket API: " + reason.Error(),
	}).WriteTo(w)
}

// connectionID finds the id in "@connections/{id}", in any escaped form.
func connectionID(rest string) (id string, management bool) {
	first, rest, found := strings.Cut(rest, "/")
	if name, err := url.PathUnescape(first); err != nil || name != "@connections" || !found {
		return "", false
	}
	id, err := url.PathUnescape(rest)
	if err != nil {
		id = rest
	}
	return id, true
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
