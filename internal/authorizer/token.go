package authorizer

import (
	"fmt"
	"strings"
)

// tokenSource is where clients put their token: a subprotocol, or a header or query
// parameter. The zero value stands for no source.
type tokenSource struct {
	subprotocol bool
	parameter   source
}

// defaultTokenSource is the header that HTTP has for tokens. Scripts in browsers
// cannot set it.
var defaultTokenSource = tokenSource{parameter: source{headerSource, "Authorization", "route.request.header.Authorization"}}

// bearer is the beginning of a subprotocol that has the token.
const bearer = "bearer."

func parseTokenSource(text string) (tokenSource, error) {
	if text == "subprotocol" {
		return tokenSource{subprotocol: true}, nil
	}
	s, err := parseSource(text)
	if err != nil || s.kind != headerSource && s.kind != querySource {
		return tokenSource{}, fmt.Errorf("source %s is not one of route.request.header.{name}, route.request.querystring.{name}, subprotocol", text)
	}
	return tokenSource{parameter: s}, nil
}

func (s tokenSource) String() string {
	if s.subprotocol {
		return "a subprotocol " + bearer + "{token}"
	}
	return s.parameter.text
}

// token returns the token of a handshake, "" where there is none or more than one.
// protocol is nil unless the token is a subprotocol.
func (s tokenSource) token(e Event) (token string, protocol *Protocol) {
	if s.subprotocol {
		return fromSubprotocols(e)
	}
	values := s.parameter.values(e)
	if len(values) != 1 {
		return "", nil
	}
	token = values[0]
	if scheme, rest, ok := strings.Cut(token, " "); ok && s.parameter.kind == headerSource && strings.EqualFold(scheme, "Bearer") {
		token = strings.TrimLeft(rest, " ")
	}
	return token, nil
}

var offeredProtocols = source{kind: headerSource, name: "Sec-WebSocket-Protocol"}

func fromSubprotocols(e Event) (token string, protocol *Protocol) {
	var others []string
	offer := ""
	for _, line := range offeredProtocols.values(e) {
		for name := range strings.SplitSeq(line, ",") {
			switch name = strings.Trim(name, " \t"); {
			case !strings.HasPrefix(name, bearer):
				others = append(others, name)
			case offer == "":
				offer = name
			default:
				return "", nil
			}
		}
	}
	if offer == "" {
		return "", nil
	}
	protocol = &Protocol{Offered: strings.Join(others, ", "), Accepted: offer}
	if len(others) > 0 {
		protocol.Accepted = others[0]
	}
	return strings.TrimPrefix(offer, bearer), protocol
}
