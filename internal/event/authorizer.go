package event

import (
	"maps"
	"slices"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// AppendAuthorizerEvent appends the event that a Lambda authorizer receives
// (section I.2). Its headers have the lines of the hop, its maps are there also
// when they are empty.
func (e *Event) AppendAuthorizerEvent(dst []byte, methodARN string) []byte {
	dst = append(dst, `{"type":"REQUEST"`...)
	dst = appendStringMember(dst, "methodArn", methodARN)
	header := append(slices.Clip(e.Header),
		Parameter{"Connection", "upgrade"}, Parameter{"Upgrade", "websocket"}, Parameter{"content-length", "0"})
	dst = appendHeaders(dst, header)
	if len(e.Query) > 0 {
		dst = appendQuery(dst, e.Query)
	} else {
		dst = append(dst, `,"queryStringParameters":{},"multiValueQueryStringParameters":{}`...)
	}
	dst = append(appendMember(dst, "stageVariables"), '{')
	for _, name := range slices.Sorted(maps.Keys(e.stageVariables)) {
		dst = jsonvalue.AppendQuoted(appendKey(dst, name), e.stageVariables[name])
	}
	dst = append(dst, '}')
	return append(e.appendRequestContext(dst), '}')
}
