package gateway

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
	return []byte(`{"message": "` + message + `", "connectionId":"` + connectionID + `", "requestId":"` + requestID + `"}`)
}
