package plan

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// OriginsTag is the tag of a stage, or of its API, with the web pages that may
// connect. Its value is a list, with spaces or commas in between, of:
//
//   - origins, scheme://host[:port];
//   - origins whose host begins with "*." or ".": every host below that name,
//     at any depth, and not the name itself;
//   - "*" or "any": every page;
//   - "null": pages that have no origin, such as files and sandboxed frames;
//   - "required": clients that send no Origin at all are refused too.
//
// Each wildcard has a second spelling because AWS refuses asterisks in tags.
const OriginsTag = "stagedoor:allowed-origins"

// Origins is the set of web pages that may connect to a stage. It is immutable.
// The nil *Origins lets everybody in, as API Gateway does.
//
// Browsers send the page's origin with every handshake, and a page cannot change
// it. Other programs can send what they like: this protects users of browsers
// from foreign pages, and no API from programs.
type Origins struct {
	all      bool
	required bool
	exact    map[origin]bool
	below    []origin // host with a leading dot
}

// origin is a web origin (RFC 6454) in its canonical form: lower case, and no
// port where it is the scheme's own. The opaque origin "null" is the zero value.
type origin struct{ scheme, host, port string }

// ParseOrigins reads the value of an OriginsTag. The error names the entry that
// is wrong. A list without an origin is an error too: it would let no page in.
func ParseOrigins(value string) (*Origins, error) {
	o := &Origins{exact: make(map[origin]bool)}
	for entry := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		switch strings.ToLower(entry) {
		case "*", "any":
			o.all = true
		case "required":
			o.required = true
		default:
			if err := o.add(entry); err != nil {
				return nil, err
			}
		}
	}
	if !o.all && len(o.exact) == 0 && len(o.below) == 0 {
		return nil, fmt.Errorf("the tag %s names no origin; * allows all", OriginsTag)
	}
	return o, nil
}

func (o *Origins) add(entry string) error {
	text, wildcard := entry, false
	if scheme, host, found := strings.Cut(entry, "://"); found {
		host, wildcard = strings.CutPrefix(strings.TrimPrefix(host, "*"), ".")
		text = scheme + "://" + host
		if !wildcard && strings.Contains(entry, "*") {
			return notOrigin(entry)
		}
	}
	parsed, ok := parseOrigin(text)
	if !ok {
		return notOrigin(entry)
	}
	if !wildcard {
		o.exact[parsed] = true
		return nil
	}
	if _, err := netip.ParseAddr(parsed.host); err == nil {
		return notOrigin(entry) // an address has nothing below it
	}
	parsed.host = "." + parsed.host
	o.below = append(o.below, parsed)
	return nil
}

func notOrigin(entry string) error {
	return fmt.Errorf("the tag %s: %q is not an origin such as https://example.com or https://*.example.com", OriginsTag, entry)
}

// Allows reports whether a handshake may connect that has these values of the
// header Origin. More than one is refused: no browser sends two.
func (o *Origins) Allows(lines []string) bool {
	switch {
	case o == nil:
		return true
	case len(lines) == 0:
		return !o.required
	case len(lines) > 1:
		return false // no browser sends two
	}
	from, ok := parseOrigin(lines[0])
	if !ok {
		return false
	}
	if o.all || o.exact[from] {
		return true
	}
	for _, above := range o.below {
		if from.scheme == above.scheme && from.port == above.port &&
			len(from.host) > len(above.host) && strings.HasSuffix(from.host, above.host) {
			return true
		}
	}
	return false
}

// parseOrigin reads an origin as browsers write it, and returns false for any
// other text, such as a URL with a path.
func parseOrigin(text string) (origin, bool) {
	if text == "null" {
		return origin{}, true
	}
	u, err := url.Parse(strings.ToLower(text))
	if err != nil || u.Scheme == "" || u.Hostname() == "" || u.User != nil || !isHost(u.Hostname()) {
		return origin{}, false
	}
	if strings.ToLower(text) != u.Scheme+"://"+u.Host {
		return origin{}, false // a path, a query, a fragment, even an empty one
	}
	parsed := origin{u.Scheme, u.Hostname(), u.Port()}
	if strings.HasSuffix(u.Host, ":") {
		return origin{}, false
	}
	switch {
	case parsed.scheme == "https" && parsed.port == "443", parsed.scheme == "http" && parsed.port == "80":
		parsed.port = ""
	}
	return parsed, true
}

// isHost reports whether a text can be the host of an origin: an address, or
// letters, digits, hyphens and underscores between single dots.
// Internationalised names come as Punycode.
func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || strings.ContainsFunc(label, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_')
		}) {
			return false
		}
	}
	return true
}
