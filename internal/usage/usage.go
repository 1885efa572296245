// Package usage limits how much comes in: token buckets for accounts, stages,
// routes, connections and API keys, caps on open connections, and the API keys
// of usage plans with their quotas. The plan compiles a stage's limits; the
// gateway asks on every handshake and message.
//
// Nothing here knows HTTP or WebSocket: what is not let in is one of the
// failures below.
package usage

import "github.com/stagedoor/stagedoor/internal/failure"

// Why something was not let in. They are compared by identity.
var (
	ErrAccountRate     = throttled("the gateway's limit of requests per second is reached")
	ErrConnectRate     = throttled("the gateway's limit of new connections per second is reached")
	ErrRouteRate       = throttled("the route's or stage's limit of requests per second is reached")
	ErrBackendBusy     = throttled("the backend has as many messages in flight as it may have, and answers too slowly for more")
	ErrConnectionRate  = throttled("the connection's limit of messages per second is reached")
	ErrOpenTotal       = throttled("the gateway has as many open connections as it may have")
	ErrOpenOfAPI       = throttled("the API has as many open connections as it may have")
	ErrOpenOfSource    = throttled("the client's address has as many open connections as it may have")
	ErrKeyMissing      = invalidKey("no API key was sent")
	ErrKeyUnknown      = invalidKey("the API key does not exist")
	ErrKeyDisabled     = invalidKey("the API key is disabled")
	ErrKeyNotOfStage   = invalidKey("the API key belongs to no usage plan of the stage")
	ErrKeyRate         = throttled("the API key's limit of requests per second is reached")
	ErrKeyRouteRate    = throttled("the API key's limit of requests per second to the route is reached")
	ErrKeyQuotaReached = &failure.Error{Kind: failure.Quota, Reason: "the API key's quota is used up"}
)

func throttled(reason string) *failure.Error {
	return &failure.Error{Kind: failure.Throttled, Reason: reason}
}

func invalidKey(reason string) *failure.Error {
	return &failure.Error{Kind: failure.APIKey, Reason: reason}
}
