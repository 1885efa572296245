package authorizer

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// TagJWT is the tag of an API whose $connect wants a JWT. Its value is settings
// of the form name=value with spaces between them, as tags of AWS allow:
//
//	issuer=https://login.example.com audience=chat scope=chat.use source=subprotocol
//
// All but issuer, source and leeway may be given several times.
const TagJWT = "stagedoor:jwt"

// settings are how a JWT authorizer checks tokens.
type settings struct {
	issuer     string
	audiences  []string // a token must be for one of these
	scopes     []string // a token must have one of these; empty: none is needed
	source     tokenSource
	leeway     time.Duration
	algorithms []jose.SignatureAlgorithm
	claims     []string // those that the authorizer's context has; empty: all
}

// algorithms are those that tokens may be signed with. All are asymmetric: only the
// issuer has the keys that sign.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

const (
	defaultLeeway = time.Minute
	maxLeeway     = 10 * time.Minute
)

// parseSettings reads the value of TagJWT. The error tells the API's owner what is
// wrong.
func parseSettings(tag string) (*settings, error) {
	s, err := readSettings(tag)
	if err != nil {
		return nil, fmt.Errorf("tag %s: %w", TagJWT, err)
	}
	return s, nil
}

func readSettings(tag string) (*settings, error) {
	s := &settings{leeway: -1}
	for _, setting := range strings.Fields(tag) {
		name, value, _ := strings.Cut(setting, "=")
		if value == "" {
			return nil, fmt.Errorf("%q is not of the form name=value", setting)
		}
		if strings.ContainsAny(value, ",;") {
			return nil, fmt.Errorf("%q: there are spaces between settings, and a setting with several values is given several times", setting)
		}
		if err := s.set(name, value); err != nil {
			return nil, err
		}
	}
	switch {
	case s.issuer == "":
		return nil, fmt.Errorf("issuer is missing; an example is issuer=https://login.example.com audience=chat")
	case len(s.audiences) == 0:
		return nil, fmt.Errorf("audience is missing: without one, a token for any other service would do")
	}
	if s.leeway < 0 {
		s.leeway = defaultLeeway
	}
	if len(s.algorithms) == 0 {
		s.algorithms = algorithms
	}
	return s, nil
}

func (s *settings) set(name, value string) (err error) {
	switch name {
	case "audience":
		s.audiences = append(s.audiences, value)
	case "scope":
		s.scopes = append(s.scopes, value)
	case "claim":
		s.claims = append(s.claims, value)
	case "algorithm":
		if !slices.Contains(algorithms, jose.SignatureAlgorithm(value)) {
			return fmt.Errorf("algorithm %s is not one of %v", value, algorithms)
		}
		s.algorithms = append(s.algorithms, jose.SignatureAlgorithm(value))
	case "issuer":
		if s.issuer != "" {
			return fmt.Errorf("issuer is set twice")
		}
		s.issuer, err = value, checkIssuer(value)
	case "source":
		if s.source != (tokenSource{}) {
			return fmt.Errorf("source is set twice")
		}
		s.source, err = parseTokenSource(value)
	case "leeway":
		if s.leeway >= 0 {
			return fmt.Errorf("leeway is set twice")
		}
		if s.leeway, err = time.ParseDuration(value); err != nil || s.leeway < 0 || s.leeway > maxLeeway {
			return fmt.Errorf("leeway %s is not a duration from 0s to %s, such as 30s", value, maxLeeway)
		}
	default:
		return fmt.Errorf("there is no setting %q; there are issuer, audience, scope, source, leeway, algorithm, claim", name)
	}
	return err
}

// checkIssuer returns an error for an issuer whose keys could be replaced on their
// way by anybody.
func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("issuer %q is not a URL such as https://login.example.com", issuer)
	}
	if !trusted(u) {
		return fmt.Errorf("issuer %s must begin with https://; http:// is for issuers on this machine", issuer)
	}
	return nil
}

// trusted reports whether an answer from a URL comes from the URL's owner: over TLS,
// or from this machine.
func trusted(u *url.URL) bool {
	return u.Scheme == "https" || u.Scheme == "http" && onThisMachine(u)
}

func onThisMachine(u *url.URL) bool {
	host := u.Hostname()
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
