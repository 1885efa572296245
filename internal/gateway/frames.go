package gateway

import "github.com/stagedoor/stagedoor/internal/jsonvalue"

// Texts that go out on the wire.
const (
	goingAway               = "Going away"
	connectionClosed        = "Connection Closed Normally"
	clientStatusNotSet      = "Client-side close frame status not set"
	connectionClosedNoFrame = "Connection closed abnormally"
)

// errorFrame is the gateway's own error, with the spaces that API Gateway
// puts: one after the first colon and after each comma, none after the others.
func errorFrame(message, connectionID, requestID string) []byte {
	frame := append(make([]byte, 0, 128), `{"message": `...)
	frame = jsonvalue.AppendQuoted(frame, message)
	frame = append(append(frame, `, "connectionId":"`...), connectionID...)
	frame = append(append(frame, `", "requestId":"`...), requestID...)
	return append(frame, `"}`...)
}
