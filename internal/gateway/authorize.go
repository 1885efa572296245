package gateway

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"unique"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/authorizer"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/forwarded"
	"github.com/stagedoor/stagedoor/internal/identity"
	"github.com/stagedoor/stagedoor/internal/integration"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// authorize asks who is connecting: the stage's authorizer, or the signature.
func (e *Event) authorize() {
	access := &e.stage.Access
	switch {
	case access.Authorizer != nil:
		e.askAuthorizer(access.Authorizer)
	case access.Signed && !e.connection.gateway.guards.Unsigned:
		e.checkSignature(e.connection.gateway.guards.Identities)
	}
}

// askAuthorizer lets an authorizer decide. What it knows of the client stays
// with the connection.
func (e *Event) askAuthorizer(a authorizer.Authorizer) {
	grant, refusal := a.Authorize(e.time(), e.AuthorizerEvent())
	known := e.connection.known()
	known.Latency = grant.Latency
	if refusal != nil {
		e.fail(refusal)
		return
	}
	known.PrincipalID = strings.Clone(grant.Principal)
	known.Context = make([]mapping.Parameter, len(grant.Context))
	for i, p := range grant.Context {
		// The names are those of every connection of the stage. A value that is
		// part of a larger text must not keep it in memory.
		known.Context[i] = mapping.Parameter{Name: unique.Make(p.Name).Value(), Value: strings.Clone(p.Value)}
	}
	e.handshake.usageIdentifier = grant.UsageIdentifierKey
	if grant.Protocol != nil {
		e.handshake.protocol = grant.Protocol.Accepted
		e.Header = offering(e.Header, grant.Protocol.Offered)
	}
}

// offering is a header with other subprotocols offered; "" stands for none.
func offering(header integration.Header, protocols string) integration.Header {
	changed := make(integration.Header, 0, len(header))
	for _, f := range header {
		if !strings.EqualFold(f.Name, "Sec-WebSocket-Protocol") {
			changed = append(changed, f)
		} else if protocols != "" {
			changed = append(changed, integration.HeaderField{Name: f.Name, Value: protocols})
			protocols = ""
		}
	}
	return changed
}

// checkSignature lets the signer's policies decide.
func (e *Event) checkSignature(identities *identity.Directory) {
	r := e.handshake.request
	e.handshake.needed = identities.ConnectPermission(e.APIID, e.Stage)
	id, err := identities.Check(r, nil, e.handshake.needed, circumstances(r))
	e.handshake.signer = id
	if err != nil {
		e.fail(signatureError(err))
		return
	}
	e.connection.known().Identity = []mapping.Parameter{
		{Name: "accountId", Value: id.AccountID}, {Name: "caller", Value: id.UserID}, {Name: "user", Value: id.UserID},
		{Name: "userArn", Value: id.ARN}, {Name: "accessKey", Value: id.AccessKeyID},
	}
}

// circumstances are those of a request, as policies see them.
func circumstances(r *http.Request) identity.Circumstances {
	origin := forwarded.Of(r)
	c := identity.CircumstancesOf(r, origin.Address)
	c.SecureTransport = origin.Proto == "https"
	return c
}

// signatureError is the failure of a handshake that is not signed as it must
// be. Its reason has nothing of what was signed, which may be a secret.
func signatureError(err error) *failure.Error {
	var known *apigw.Error
	if !errors.As(err, &known) {
		return &failure.Error{Kind: failure.Internal, Reason: err.Error()}
	}
	switch known.Type {
	case "MissingAuthenticationTokenException", "IncompleteSignatureException":
		return &failure.Error{Kind: failure.NoSignature, Reason: known.Type}
	case "InvalidSignatureException", "UnrecognizedClientException":
		return &failure.Error{Kind: failure.Signature, Reason: known.Type, Text: known.Message}
	case "ExpiredTokenException":
		return &failure.Error{Kind: failure.Expired, Reason: known.Type, Text: known.Message}
	case "AccessDeniedException":
		return &failure.Error{Kind: failure.Denied, Reason: known.Message, Text: known.Message}
	case "BadRequestException":
		return &failure.Error{Kind: failure.Request, Reason: known.Type, Text: known.Message}
	}
	return &failure.Error{Kind: failure.Internal, Reason: known.Error()}
}

// maxAPIKey is the length of the longest API key.
const maxAPIKey = 128

// readKey finds the handshake's API key, and keeps it where routes want it.
func (e *Event) readKey() {
	access := &e.stage.Access
	if !access.KeepsKey && (e.route == nil || !e.route.KeyRequired) {
		return
	}
	key := access.APIKey(func(name string) string {
		lines := e.handshake.request.Header.Values(name)
		if len(lines) != 1 {
			return ""
		}
		return lines[0]
	}, e.handshake.usageIdentifier)
	if key != "" && len(key) <= maxAPIKey {
		e.connection.known().APIKey = strings.Clone(key)
	}
}

// checkKey counts the event for the client's API key, where the route wants
// one.
func (e *Event) checkKey() {
	if e.route == nil || !e.route.KeyRequired {
		return
	}
	key := ""
	if e.Authorizer != nil {
		key = e.Authorizer.APIKey
	}
	use, refusal := e.connection.gateway.guards.Keys.Check(key, e.APIID, e.Stage, e.route.Key, e.Time)
	if e.handshake != nil {
		e.handshake.keyID = use.KeyID
	}
	if e.limited(refusal) || e.handshake == nil {
		return
	}
	e.Authorizer.Identity = append(e.Authorizer.Identity,
		mapping.Parameter{Name: "apiKey", Value: key}, mapping.Parameter{Name: "apiKeyId", Value: use.KeyID})
}

// known is what is known of the client. It may be changed during the handshake
// only.
func (c *connection) known() *integration.Authorizer {
	if c.facts.Authorizer == nil {
		c.facts.Authorizer = new(integration.Authorizer)
	}
	return c.facts.Authorizer
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
