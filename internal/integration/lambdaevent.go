package integration

import (
	"maps"
	"slices"
	"strconv"

	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// requestTimeFormat is the common log format of requestContext.requestTime.
const requestTimeFormat = "02/Jan/2006:15:04:05 -0700"

// AppendLambdaEvent appends the proxy event that a Lambda function receives,
// byte for byte as API Gateway writes it: the order of the members, and which
// are absent, included.
func AppendLambdaEvent(dst []byte, r *Request) []byte {
	dst = append(dst, '{')
	switch r.EventType {
	case Connect:
		dst = appendHeaders(dst, r.Header)
		dst = appendQuery(dst, r.Query)
	case Disconnect:
		dst = appendDisconnectHeaders(dst, r.DomainName)
	}
	dst = appendStageVariables(dst, r.StageVariables)
	dst = appendRequestContext(dst, r)
	if r.EventType == Message {
		dst = jsonvalue.AppendQuoted(appendMember(dst, "body"), string(r.Body))
	}
	return append(dst, `,"isBase64Encoded":false}`...)
}

func appendRequestContext(dst []byte, r *Request) []byte {
	dst = append(appendMember(dst, "requestContext"), '{')
	dst = appendStringMember(dst, "routeKey", r.RouteKey)
	if r.EventType == Disconnect {
		dst = strconv.AppendInt(appendMember(dst, "disconnectStatusCode"), int64(r.CloseCode), 10)
	}
	dst = appendAuthorizer(dst, r)
	if r.EventType == Message {
		dst = appendStringMember(dst, "messageId", r.MessageID)
	}
	dst = appendStringMember(dst, "eventType", r.EventType)
	dst = appendStringMember(dst, "extendedRequestId", r.RequestID)
	dst = append(appendMember(dst, "requestTime"), '"')
	dst = append(r.Time.UTC().AppendFormat(dst, requestTimeFormat), '"')
	dst = appendStringMember(dst, "messageDirection", "IN")
	if r.EventType == Disconnect {
		dst = appendStringMember(dst, "disconnectReason", r.CloseReason)
	}
	dst = appendStringMember(dst, "stage", r.Stage)
	dst = strconv.AppendInt(appendMember(dst, "connectedAt"), r.ConnectedAt, 10)
	dst = strconv.AppendInt(appendMember(dst, "requestTimeEpoch"), r.Time.UnixMilli(), 10)
	dst = appendIdentity(dst, r.Connection)
	dst = appendStringMember(dst, "requestId", r.RequestID)
	dst = appendStringMember(dst, "domainName", r.DomainName)
	dst = appendStringMember(dst, "connectionId", r.ID)
	dst = appendStringMember(dst, "apiId", r.APIID)
	return append(dst, '}')
}

// appendAuthorizer writes what the authorizer of $connect found out, if there
// was one. How long it took is said once, to $connect.
func appendAuthorizer(dst []byte, r *Request) []byte {
	a := r.Authorizer
	if a == nil || a.PrincipalID == "" && len(a.Context) == 0 {
		return dst
	}
	dst = append(appendMember(dst, "authorizer"), '{')
	dst = appendStringMember(dst, "principalId", a.PrincipalID)
	if a.Latency > 0 && r.EventType == Connect {
		dst = strconv.AppendInt(appendMember(dst, "integrationLatency"), a.Latency.Milliseconds(), 10)
	}
	for _, p := range a.Context {
		dst = jsonvalue.AppendQuoted(appendKey(dst, p.Name), p.Value)
	}
	return append(dst, '}')
}

func appendIdentity(dst []byte, c *Connection) []byte {
	dst = append(appendMember(dst, "identity"), '{')
	if c.Authorizer != nil {
		for _, p := range c.Authorizer.Identity {
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
func appendHeaders(dst []byte, header Header) []byte {
	sorted := slices.Clone(header)
	slices.SortStableFunc(sorted, func(a, b HeaderField) int {
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
	fields := []HeaderField{{"Host", domainName}, {"x-api-key", ""}, {"X-Forwarded-For", ""}, {"x-restapi", ""}}
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
