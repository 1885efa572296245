package event

import (
	"maps"
	"slices"
	"strconv"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// requestTimeFormat is the common log format of requestContext.requestTime.
const requestTimeFormat = "02/Jan/2006:15:04:05 -0700"

// AppendLambdaEvent appends the proxy event that a Lambda function receives, byte
// for byte as API Gateway writes it: the order of the members, and which are
// absent, included (sections B.2 to B.4).
func (e *Event) AppendLambdaEvent(dst []byte) []byte {
	dst = append(dst, '{')
	switch e.Type {
	case Connect:
		dst = appendHeaders(dst, e.Header)
		dst = appendQuery(dst, e.Query)
	case Disconnect:
		dst = appendDisconnectHeaders(dst, e.Connection.DomainName)
	}
	dst = appendStageVariables(dst, e.stageVariables)
	dst = e.appendRequestContext(dst)
	if e.Type == Message {
		dst = jsonvalue.AppendQuoted(appendMember(dst, "body"), e.Body)
	}
	return append(dst, `,"isBase64Encoded":false}`...)
}

func (e *Event) appendRequestContext(dst []byte) []byte {
	dst = append(appendMember(dst, "requestContext"), '{')
	dst = appendStringMember(dst, "routeKey", e.RouteKey)
	if e.Type == Disconnect {
		dst = strconv.AppendInt(appendMember(dst, "disconnectStatusCode"), int64(e.CloseCode), 10)
	}
	dst = e.appendAuthorizer(dst)
	if e.Type == Message {
		dst = appendStringMember(dst, "messageId", e.MessageID())
	}
	dst = appendStringMember(dst, "eventType", string(e.Type))
	dst = appendStringMember(dst, "extendedRequestId", e.RequestID)
	dst = append(appendMember(dst, "requestTime"), '"')
	dst = append(e.Time.UTC().AppendFormat(dst, requestTimeFormat), '"')
	dst = appendStringMember(dst, "messageDirection", "IN")
	if e.Type == Disconnect {
		dst = appendStringMember(dst, "disconnectReason", e.CloseReason)
	}
	dst = appendStringMember(dst, "stage", e.Connection.Stage)
	dst = strconv.AppendInt(appendMember(dst, "connectedAt"), e.Connection.ConnectedAt, 10)
	dst = strconv.AppendInt(appendMember(dst, "requestTimeEpoch"), e.Time.UnixMilli(), 10)
	dst = appendIdentity(dst, e.Connection)
	dst = appendStringMember(dst, "requestId", e.RequestID)
	dst = appendStringMember(dst, "domainName", e.Connection.DomainName)
	dst = appendStringMember(dst, "connectionId", e.Connection.ID)
	dst = appendStringMember(dst, "apiId", e.Connection.APIID)
	return append(dst, '}')
}

// appendAuthorizer writes what the authorizer of $connect found out, if there
// was one. How long it took is said once, to $connect.
func (e *Event) appendAuthorizer(dst []byte) []byte {
	c := e.Connection.Client
	if c == nil || c.PrincipalID == "" && len(c.Context) == 0 {
		return dst
	}
	dst = append(appendMember(dst, "authorizer"), '{')
	dst = appendStringMember(dst, "principalId", c.PrincipalID)
	if c.Latency > 0 && e.Type == Connect {
		dst = strconv.AppendInt(appendMember(dst, "integrationLatency"), c.Latency.Milliseconds(), 10)
	}
	for _, p := range c.Context {
		dst = jsonvalue.AppendQuoted(appendKey(dst, p.Name), p.Value)
	}
	return append(dst, '}')
}

func appendIdentity(dst []byte, c *Connection) []byte {
	dst = append(appendMember(dst, "identity"), '{')
	if c.Client != nil {
		for _, p := range c.Client.Identity {
			dst = appendStringMember(dst, p.Name, p.Value)
		}
	}
	if c.UserAgent != "" {
		dst = appendStringMember(dst, "userAgent", c.UserAgent)
	}
	return append(appendStringMember(dst, "sourceIp", c.SourceIP), '}')
}

// appendHeaders writes headers, where the last of several lines of a name
// wins, and multiValueHeaders, where all are kept. Names are sorted.
func appendHeaders(dst []byte, header []Parameter) []byte {
	sorted := slices.Clone(header)
	slices.SortStableFunc(sorted, func(a, b Parameter) int {
		switch {
		case a.Name < b.Name:
			return -1
		case a.Name > b.Name:
			return 1
		}
		return 0
	})
	dst = append(appendMember(dst, "headers"), '{')
	for i, f := range sorted {
		if i+1 == len(sorted) || sorted[i+1].Name != f.Name {
			dst = jsonvalue.AppendQuoted(appendKey(dst, f.Name), f.Value)
		}
	}
	dst = append(append(dst, '}'), `,"multiValueHeaders":{`...)
	for i, f := range sorted {
		if i > 0 && sorted[i-1].Name == f.Name {
			dst = append(dst[:len(dst)-1], ',') // reopen the list
		} else {
			dst = append(appendKey(dst, f.Name), '[')
		}
		dst = append(jsonvalue.AppendQuoted(dst, f.Value), ']')
	}
	return append(dst, '}')
}

func appendQuery(dst []byte, query map[string][]string) []byte {
	if len(query) == 0 {
		return dst
	}
	names := slices.Sorted(maps.Keys(query))
	dst = append(appendMember(dst, "queryStringParameters"), '{')
	for _, name := range names {
		values := query[name]
		dst = jsonvalue.AppendQuoted(appendKey(dst, name), values[len(values)-1])
	}
	dst = append(append(dst, '}'), `,"multiValueQueryStringParameters":{`...)
	for _, name := range names {
		dst = append(appendKey(dst, name), '[')
		for i, value := range query[name] {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = jsonvalue.AppendQuoted(dst, value)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// appendDisconnectHeaders writes the four headers that every DISCONNECT event
// has, whatever the client sent.
func appendDisconnectHeaders(dst []byte, domainName string) []byte {
	fields := []Parameter{{"Host", domainName}, {"x-api-key", ""}, {"X-Forwarded-For", ""}, {"x-restapi", ""}}
	dst = append(appendMember(dst, "headers"), '{')
	for _, f := range fields {
		dst = appendStringMember(dst, f.Name, f.Value)
	}
	dst = append(append(dst, '}'), `,"multiValueHeaders":{`...)
	for _, f := range fields {
		dst = append(appendMember(dst, f.Name), '[')
		dst = append(jsonvalue.AppendQuoted(dst, f.Value), ']')
	}
	return append(dst, '}')
}

func appendStageVariables(dst []byte, variables map[string]string) []byte {
	if len(variables) == 0 {
		return dst
	}
	dst = append(appendMember(dst, "stageVariables"), '{')
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		dst = jsonvalue.AppendQuoted(appendKey(dst, name), variables[name])
	}
	return append(dst, '}')
}
