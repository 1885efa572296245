package integration

import (
	"maps"
	"slices"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// AuthorizerEvent is a CONNECT event as authorizers read it.
type AuthorizerEvent struct {
	mapping.Context
	request *Request
}

// AuthorizerEvent gives the event to those who decide about it.
func (r *Request) AuthorizerEvent() AuthorizerEvent { return AuthorizerEvent{r.Context(), r} }

// AppendAuthorizerEvent appends the event that a Lambda authorizer receives. Its
// headers have the lines of the hop, its maps are there also when they are
// empty.
func (e AuthorizerEvent) AppendAuthorizerEvent(dst []byte, methodARN string) []byte {
	r := e.request
	dst = append(dst, `{"type":"REQUEST"`...)
	dst = appendStringMember(dst, "methodArn", methodARN)
	header := append(slices.Clip(r.Header),
		HeaderField{"Connection", "upgrade"}, HeaderField{"Upgrade", "websocket"}, HeaderField{"content-length", "0"})
	dst = appendHeaders(dst, header)
	if len(r.Query) > 0 {
		dst = appendQuery(dst, r.Query)
	} else {
		dst = append(dst, `,"queryStringParameters":{},"multiValueQueryStringParameters":{}`...)
	}
	dst = append(appendMember(dst, "stageVariables"), '{')
	for _, name := range slices.Sorted(maps.Keys(r.StageVariables)) {
		dst = jsonvalue.AppendQuoted(appendKey(dst, name), r.StageVariables[name])
	}
	dst = append(dst, '}')
	return append(appendRequestContext(dst, r), '}')
}
