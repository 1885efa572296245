package usage

import "time"

// ConnectionLimits bound each connection of a gateway, where no tag of its API
// or stage says otherwise. A member of nothing bounds nothing.
type ConnectionLimits struct {
	Idle     time.Duration // without data in either direction
	Lifetime time.Duration // since the connection was opened
	Frame    int           // bytes of one frame from the client
	Message  int           // bytes of one message from the client
}

// AWSConnection are AWS's limits.
var AWSConnection = ConnectionLimits{
	Idle: 10 * time.Minute, Lifetime: 2 * time.Hour,
	Frame: 32 << 10, Message: 128 << 10,
}
