package event

import (
	"strconv"
	"time"

	"github.com/stagedoor/stagedoor/internal/trace"
)

// Connection is what all events of one connection have in common. It is set
// before $connect and not changed after the handshake. A million of them are
// held, so nothing stands in it that follows from the rest.
type Connection struct {
	ID          string
	*Endpoint         // shared with others
	ConnectedAt int64 // milliseconds since 1970
	SourceIP    string
	UserAgent   string  // empty when the client sent none
	Client      *Client // nil when $connect was open to everyone, and has no span
	Port        uint16  // that the client connected to; 0 when it is not known
	Secure      bool    // the client speaks TLS
}

// Endpoint is where connections lead. It is not changed, and those to the same one
// share it.
type Endpoint struct {
	APIID      string
	Stage      string
	DomainName string // the host that clients and functions know the API by
}

// Client is what the check of who may connect found out, and what else few connections
// have. Events have it for the life of the connection.
type Client struct {
	// PrincipalID and Context are what an authorizer returned: the context as
	// texts.
	PrincipalID string
	Context     []Parameter
	// Identity is $context.identity but for sourceIp and userAgent: accountId,
	// apiKey, apiKeyId, caller, user, userArn, accessKey.
	Identity []Parameter
	// Latency is how long a Lambda authorizer took; 0 where there was none.
	Latency time.Duration
	// APIKey is the key that the client showed, valid or not. It is a secret.
	APIKey string
	// Traced is the span of the handshake; nil: it has none.
	Traced *trace.Link
}

// Parameter is a name with a value: a header line, a parameter of a query, an
// entry of an authorizer's context.
type Parameter struct{ Name, Value string }

// PortText is the port that the client connected to, in decimal; empty when it is
// not known.
func (c *Connection) PortText() string {
	if c.Port == 0 {
		return ""
	}
	return strconv.Itoa(int(c.Port))
}

// Protocol is what the client speaks: "https" or "http".
func (c *Connection) Protocol() string {
	if c.Secure {
		return "https"
	}
	return "http"
}
