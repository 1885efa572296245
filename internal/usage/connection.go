package usage

import "time"

// ConnectionLimits bound each connection of a gateway, where no tag of its API
// or stage says otherwise. A member of nothing bounds nothing.
type ConnectionLimits struct {
	Idle     time.Duration // without data in either direction
	Lifetime time.Duration // since the connection was opened
	Frame    int           // bytes of one frame from the client
	Message  int           // bytes of one message from the client
	Ping     time.Duration // between two pings to the client, which count for nothing
}

// AWSConnection are AWS's limits. AWS sends no pings.
var AWSConnection = ConnectionLimits{
	Idle: 10 * time.Minute, Lifetime: 2 * time.Hour,
	Frame: 32 << 10, Message: 128 << 10,
}

// DefaultConnection are the limits of a gateway that is told no others: AWS's,
// and pings in less than the minute for which proxies usually let a connection
// be silent.
var DefaultConnection = AWSConnection.withPing(30 * time.Second)

func (l ConnectionLimits) withPing(interval time.Duration) ConnectionLimits {
	l.Ping = interval
	return l
}
