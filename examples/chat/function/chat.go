package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// Chat handles the events of the WebSocket API.
type Chat struct {
	Members Members
	Gateway Poster
}

// Member is a connection and who is at its other end.
type Member struct {
	ConnectionID string `dynamodbav:"connectionId"`
	Name         string `dynamodbav:"name"`
	Room         string `dynamodbav:"room,omitempty"` // empty before the first join
}

// Members remembers who is connected.
type Members interface {
	// Add records a new connection.
	Add(context.Context, Member) error
	// Get returns a connection, or ErrGone.
	Get(ctx context.Context, connectionID string) (Member, error)
	// Update changes the record of a connection, or returns ErrGone. It never
	// creates one: $disconnect may have run while a message was handled.
	Update(context.Context, Member) error
	// Remove forgets a connection and returns what was known of it. To the
	// second of two callers it returns ErrGone.
	Remove(ctx context.Context, connectionID string) (Member, error)
	// InRoom returns the members of a room. What changed in the last moments
	// may be missing from it.
	InRoom(ctx context.Context, room string) ([]Member, error)
}

// Poster sends data to a connection. It returns ErrGone for one that ended.
type Poster interface {
	Post(ctx context.Context, endpoint, connectionID string, data []byte) error
}

// ErrGone says that a connection does not exist any more.
var ErrGone = errors.New("connection is gone")

// Handle handles one event. The statusCode of the response decides whether
// $connect is accepted; on the other routes the body is what counts: it is
// sent to the client, because the routes have a route response.
func (c *Chat) Handle(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	answer, err := c.visit(e).route(ctx, e)

	var mistake userError
	switch {
	case errors.As(err, &mistake):
		return respond(http.StatusBadRequest, &event{Type: "error", Text: mistake.Error()})
	case errors.Is(err, ErrGone):
		return respond(http.StatusGone, &event{Type: "error", Text: "This connection is not known any more. Please connect again."})
	case err != nil:
		log.Printf("%s: %v", e.RequestContext.RouteKey, err)
		return respond(http.StatusInternalServerError, &event{Type: "error", Text: "Something went wrong. Please try again."})
	}
	return respond(http.StatusOK, answer)
}

// route calls the handler of a route. A nil event is no answer.
func (v *visit) route(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (*event, error) {
	switch e.RequestContext.RouteKey {
	case "$connect":
		return nil, v.connect(ctx, e.QueryStringParameters["name"])
	case "$disconnect":
		return nil, v.forget(ctx, v.id)
	}
	var r request
	if err := json.Unmarshal([]byte(e.Body), &r); err != nil {
		return nil, userError(`Send a JSON object, for example {"action":"join","room":"lobby"}.`)
	}
	switch e.RequestContext.RouteKey {
	case "join":
		return v.join(ctx, r)
	case "message":
		return v.message(ctx, r)
	case "who":
		return v.who(ctx)
	}
	return nil, userError(`Unknown action. There are "join" with a room, "message" with a text, and "who".`)
}

// visit is one event seen from the connection that it came from.
type visit struct {
	*Chat
	id       string    // of the connection
	endpoint string    // of the @connections API of the connection's stage
	time     time.Time // when the event arrived
}

func (c *Chat) visit(e events.APIGatewayWebsocketProxyRequest) *visit {
	return &visit{
		Chat:     c,
		id:       e.RequestContext.ConnectionID,
		endpoint: "https://" + e.RequestContext.DomainName + "/" + e.RequestContext.Stage,
		time:     time.UnixMilli(e.RequestContext.RequestTimeEpoch).UTC(),
	}
}

func respond(status int, answer *event) (events.APIGatewayProxyResponse, error) {
	response := events.APIGatewayProxyResponse{StatusCode: status}
	if answer == nil {
		return response, nil
	}
	body, err := json.Marshal(answer)
	response.Headers = map[string]string{"Content-Type": "application/json"}
	response.Body = string(body)
	return response, err
}
