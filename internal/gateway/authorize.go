package gateway

import (
	"net/http"
	"strconv"
	"strings"
	"time"
	"unique"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/authorizer"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/forwarded"
	"github.com/stagedoor/stagedoor/internal/identity"
	"github.com/stagedoor/stagedoor/internal/trace"
)

// authorize asks who is connecting: the stage's authorizer, or the signature.
func (p *pipeline) authorize() {
	access := &p.stage.Access
	switch {
	case access.Authorizer != nil:
		p.askAuthorizer(access.Authorizer)
	case access.Signed && !p.connection.gateway.guards.Unsigned:
		p.checkSignature(p.connection.gateway.guards.Identities)
	}
}

// askAuthorizer lets an authorizer decide. What it knows of the client stays
// with the connection.
func (p *pipeline) askAuthorizer(a authorizer.Authorizer) {
	began := time.Now()
	grant, refusal := a.Authorize(p.time(), &p.event)
	if p.event.Trace != nil {
		p.traceAccess(began, grant.Principal, refusal)
	}
	known := p.connection.known()
	if known.Latency = grant.Latency; known.Latency > 0 {
		p.connection.gateway.authorizerTook(known.Latency)
	}
	if refusal != nil {
		p.fail(refusal)
		return
	}
	known.PrincipalID = strings.Clone(grant.Principal)
	known.Context = make([]event.Parameter, len(grant.Context))
	for i, entry := range grant.Context {
		// The names are those of every connection of the stage. A value that is
		// part of a larger text must not keep it in memory.
		known.Context[i] = event.Parameter{Name: unique.Make(entry.Name).Value(), Value: strings.Clone(entry.Value)}
	}
	p.handshake.usageIdentifier = grant.UsageIdentifierKey
	if grant.Protocol != nil {
		p.handshake.protocol = grant.Protocol.Accepted
		p.event.Header = offering(p.event.Header, grant.Protocol.Offered)
	}
}

// offering is a header with other subprotocols offered; "" stands for none.
func offering(header []event.Parameter, protocols string) []event.Parameter {
	changed := make([]event.Parameter, 0, len(header))
	for _, f := range header {
		if !strings.EqualFold(f.Name, "Sec-WebSocket-Protocol") {
			changed = append(changed, f)
		} else if protocols != "" {
			changed = append(changed, event.Parameter{Name: f.Name, Value: protocols})
			protocols = ""
		}
	}
	return changed
}

// checkSignature lets the signer's policies decide.
func (p *pipeline) checkSignature(identities *identity.Directory) {
	r := p.handshake.request
	began := time.Now()
	p.handshake.needed = identities.ConnectPermission(p.connection.facts.APIID, p.connection.facts.Stage)
	id, err := identities.Check(r, nil, p.handshake.needed, circumstances(r, forwarded.Of(r)))
	p.handshake.signer = id
	var refusal *failure.Error
	if err != nil {
		refusal = signatureError(err)
	}
	if p.event.Trace != nil {
		p.traceAccess(began, caller(id, r), refusal)
	}
	if refusal != nil {
		p.fail(refusal)
		return
	}
	p.connection.known().Identity = []event.Parameter{
		{Name: "accountId", Value: id.AccountID}, {Name: "caller", Value: id.UserID}, {Name: "user", Value: id.UserID},
		{Name: "userArn", Value: id.ARN}, {Name: "accessKey", Value: id.AccessKeyID},
	}
}

// circumstances are those of a request, as policies see them, given where it comes
// from.
func circumstances(r *http.Request, origin forwarded.Origin) identity.Circumstances {
	c := identity.CircumstancesOf(r, origin.Address)
	c.SecureTransport = origin.Proto == "https"
	return c
}

// signatureError is the failure of a handshake that is not signed as it must
// be. Its reason has nothing of what was signed, which may be a secret.
func signatureError(err *apigw.Error) *failure.Error {
	switch err.Type {
	case "MissingAuthenticationTokenException", "IncompleteSignatureException":
		return &failure.Error{Kind: failure.NoSignature, Reason: err.Type}
	case "InvalidSignatureException", "UnrecognizedClientException":
		return &failure.Error{Kind: failure.Signature, Reason: err.Type, Text: err.Message}
	case "ExpiredTokenException":
		return &failure.Error{Kind: failure.Expired, Reason: err.Type, Text: err.Message}
	case "AccessDeniedException":
		return &failure.Error{Kind: failure.Denied, Reason: err.Message, Text: err.Message}
	case "BadRequestException":
		return &failure.Error{Kind: failure.Request, Reason: err.Type, Text: err.Message}
	}
	return failure.New(failure.Internal, "%w", err) // InternalServerErrorException
}

// maxAPIKey is the length of the longest API key.
const maxAPIKey = 128

// readKey finds the handshake's API key, and keeps it where routes want it.
func (p *pipeline) readKey() {
	p.keepKey(p.handshake.request, p.handshake.usageIdentifier)
}

// keepKey is readKey for a handshake, and the API key that the authorizer gave.
func (p *pipeline) keepKey(r *http.Request, usageIdentifier string) {
	access := &p.stage.Access
	if !access.KeepsKey && (p.route == nil || !p.route.KeyRequired) {
		return
	}
	key := access.APIKey(func(name string) string {
		lines := r.Header.Values(name)
		if len(lines) != 1 {
			return ""
		}
		return lines[0]
	}, usageIdentifier)
	if key != "" && len(key) <= maxAPIKey {
		p.connection.known().APIKey = strings.Clone(key)
	}
}

// checkKey counts the event for the client's API key, where the route wants
// one.
func (p *pipeline) checkKey() {
	if p.route == nil || !p.route.KeyRequired {
		if p.event.Trace != nil {
			p.event.Trace.Add(trace.Key{At: time.Now()})
		}
		return
	}
	key := ""
	if p.connection.facts.Client != nil {
		key = p.connection.facts.Client.APIKey
	}
	use, refusal := p.connection.gateway.guards.Keys.Check(key, p.connection.facts.APIID, p.connection.facts.Stage, p.route.Key, p.event.Time)
	if p.handshake != nil {
		p.handshake.keyID = use.KeyID
	}
	if p.event.Trace != nil {
		p.traceKey(use.KeyID, refusal)
	}
	if refusal != nil {
		p.fail(refusal)
		return
	}
	if p.handshake == nil {
		return
	}
	p.connection.facts.Client.Identity = append(p.connection.facts.Client.Identity,
		event.Parameter{Name: "apiKey", Value: key}, event.Parameter{Name: "apiKeyId", Value: use.KeyID})
}

// known is what is known of the client. It may be changed during the handshake
// only.
func (c *connection) known() *event.Client {
	if c.facts.Client == nil {
		c.facts.Client = new(event.Client)
	}
	return c.facts.Client
}

// originReason says which page may not connect.
func originReason(lines []string) string {
	if len(lines) == 0 {
		return "the client sent no Origin, which the stage requires"
	}
	const most = 256
	text := strings.Join(lines, ", ")
	return "the origin " + strconv.QuoteToASCII(text[:min(len(text), most)]) + " is not one that the stage allows"
}
