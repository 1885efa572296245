package gateway

import (
	"math/rand/v2"
	"net/http"
	"strconv"
)

// RefuseHandshakes has new connections refused, with 503 and after how many
// seconds to come again, until it is called with false. Open connections and
// @connections are not concerned.
func (g *Gateway) RefuseHandshakes(refuse bool) { g.refusing.Store(refuse) }

// refuseOverloaded answers a handshake that there is no room for. Clients that
// were refused together do not come again together.
func (g *Gateway) refuseOverloaded(w http.ResponseWriter) {
	g.turnedAway()
	w.Header().Set("Retry-After", strconv.Itoa(2+rand.IntN(9)))
	g.refuseUnavailable(w)
}

// refuseUnavailable answers a handshake that there was no event for.
func (g *Gateway) refuseUnavailable(w http.ResponseWriter) {
	g.answered(unavailable.Status)
	unavailable.WriteTo(w)
}
