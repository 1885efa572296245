package websocket

// Conn is one connection. All methods are safe for concurrent use.
type Conn struct{}
