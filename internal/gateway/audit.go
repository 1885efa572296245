package gateway

import (
	"net/http"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/forwarded"
	"github.com/stagedoor/stagedoor/internal/identity"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/webguard"
)

// refused says who was refused a connection, for the record; nil when it was
// not access that was refused.
func (p *pipeline) refused() *telemetry.Access {
	h := p.handshake
	access := &telemetry.Access{
		Caller: caller(h.signer, h.request), Source: p.connection.facts.SourceIP, Action: h.needed.Action, Resource: h.needed.Resource,
	}
	switch {
	case p.event.Failed != nil && p.event.Failed.IsRefusal():
		access.Result = p.event.Failed.ResponseType()
	case p.event.Failed == nil && (p.response.Status == http.StatusUnauthorized || p.response.Status == http.StatusForbidden):
		access.Result = "REFUSED_BY_INTEGRATION"
	default:
		return nil
	}
	switch {
	case access.Caller != "":
	case h.keyID != "":
		access.Caller = "API key " + h.keyID
	case p.connection.facts.Client != nil:
		access.Caller = p.connection.facts.Client.PrincipalID
	}
	return access
}

// caller names who sent a request: the signer where the signature is right,
// else the access key that the request claims to be signed with.
func caller(signer *identity.Identity, r *http.Request) string {
	if signer != nil {
		return signer.ARN
	}
	if key := identity.ClaimedKey(r); key != "" {
		return "unverified access key " + key
	}
	return ""
}

// smallBody is the size of bodies that need not be spared.
const smallBody = 4 << 10

// spare takes the body from a request to @connections that will be refused with
// any: nobody who is not known makes the gateway keep a large one in memory.
func (g *Gateway) spare(r *http.Request) {
	if r.ContentLength >= 0 && r.ContentLength <= smallBody || g.guards.Unsigned {
		return
	}
	if !g.guards.Identities.Plausible(r, identity.ServiceExecuteAPI) {
		r.Body = http.NoBody
	}
}

// admit decides about requests to @connections.
func (g *Gateway) admit(r *http.Request, body []byte, apiID, stage string) (telemetry.Access, *identity.Identity, *apigw.Error) {
	origin := forwarded.Of(r)
	access := telemetry.Access{Source: origin.Address}
	var signer *identity.Identity
	if !g.guards.Unsigned {
		identities := g.guards.Identities
		needed := identities.ManagePermission(apiID, stage, r.Method)
		id, err := identities.Check(r, body, needed, circumstances(r, origin))
		access.Caller, access.Action, access.Resource = caller(id, r), needed.Action, needed.Resource
		if err != nil {
			access.Result = err.Type
			return access, id, err
		}
		signer = id
	}
	if g.guards.Account.Request(time.Now()) != nil {
		access.Result = apigw.ErrLimit.Type
		return access, signer, apigw.ErrLimit
	}
	return access, signer, nil
}

// refusesVisitor answers a request to @connections that a web page of another
// site may have sent, where nobody has to sign, and reports whether it did.
func (g *Gateway) refusesVisitor(w http.ResponseWriter, r *http.Request) bool {
	if !g.guards.Unsigned {
		return false
	}
	refusal := g.guards.Visitors.Check(r)
	if refusal == nil {
		return false
	}
	g.refuse(w, r, RefuseVisitor(refusal), refusal.Message)
	return true
}

// RefuseVisitor is the answer to a request that a web page of another site may
// have sent.
func RefuseVisitor(r *webguard.Refusal) *apigw.Error {
	kind := "ForeignOriginException"
	if r.Status == http.StatusMisdirectedRequest {
		kind = "MisdirectedRequestException"
	}
	return &apigw.Error{Status: r.Status, Type: kind, Message: r.Message}
}
