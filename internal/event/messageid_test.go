package event

import (
	"strings"
	"testing"
	"time"
)

// The id of a message is that of its connection with another head, the same however
// often it is asked for. No other event has one.
func TestMessageID(t *testing.T) {
	t.Parallel()
	connection := sample(Message, "echo").Connection
	message := New(connection, Message, time.Now(), nil)
	id := message.MessageID()
	if len(id) != len(connection.ID) || id[:8] == connection.ID[:8] || id[8:] != connection.ID[8:] {
		t.Errorf("%q, on the connection %q", id, connection.ID)
	}
	if again, event := message.MessageID(), string(message.AppendLambdaEvent(nil)); again != id || !strings.Contains(event, `"messageId":"`+id+`"`) {
		t.Errorf("%q, then %q, and in %s", id, again, event)
	}
	if id := sample(Connect, "$connect").MessageID(); id != "" {
		t.Errorf("a handshake has %q", id)
	}
}
