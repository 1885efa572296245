package sigv4

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// claim is what a request declares about its signature, with the parts of the
// request that the signature covers.
type claim struct {
	request   *http.Request
	path      string // as received, still escaped
	query     []parameter
	presigned bool

	algorithm    string
	credential   string
	signature    string
	headerList   string // SignedHeaders as received
	headerNames  []string
	sessionToken string
	rawTime      string
	time         time.Time
	expires      string // X-Amz-Expires as received; "" without

	// The parts of the credential.
	accessKeyID, scopeDate, scopeRegion, scopeService, scopeEnd string
}

// parseClaim reads the parts of a signature. It returns an error if one is
// missing, and does not check them otherwise.
func parseClaim(r *http.Request) (*claim, error) {
	c := &claim{request: r}
	var rawQuery string
	c.path, rawQuery = target(r)
	query, err := parseQuery(rawQuery)
	if err != nil {
		return nil, err
	}
	c.query = query
	headers := r.Header.Values("Authorization")
	presigned := slices.ContainsFunc(query, func(p parameter) bool { return p.name == "X-Amz-Algorithm" })
	switch {
	case len(headers) > 1:
		return nil, malformed("The request has more than one Authorization header.")
	case len(headers) == 1 && presigned:
		return nil, invalid("Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.")
	case len(headers) == 1 && headers[0] != "":
		err = c.parseHeader(headers[0])
	case presigned:
		c.presigned = true
		err = c.parsePresigned()
	default:
		err = errMissing
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// target returns the path and the query of the request line.
func target(r *http.Request) (path, query string) {
	uri := r.RequestURI
	if uri == "" { // the request was not read by a server
		return r.URL.EscapedPath(), r.URL.RawQuery
	}
	if scheme, rest, found := strings.Cut(uri, "://"); found && !strings.ContainsAny(scheme, "/?") {
		// A client that uses the gateway as its proxy sends this.
		uri = "/"
		if at := strings.IndexAny(rest, "/?"); at >= 0 {
			uri = rest[at:]
		}
	}
	path, query, _ = strings.Cut(uri, "?")
	return path, query
}

// headerParameter is a parameter of the Authorization header, and where its
// value goes.
type headerParameter struct {
	name  string
	value *string
}

// parseHeader reads the Authorization header.
func (c *claim) parseHeader(header string) error {
	parameters := [...]headerParameter{{"Credential", &c.credential}, {"Signature", &c.signature}, {"SignedHeaders", &c.headerList}}
	var rest string
	c.algorithm, rest, _ = strings.Cut(header, " ")
	for pair := range strings.SplitSeq(rest, ",") {
		pair = strings.Trim(pair, " \t")
		if pair == "" {
			continue
		}
		name, value, found := strings.Cut(pair, "=")
		if !found {
			return incomplete("Invalid key=value pair (missing equal-sign) in Authorization header " +
				"(hashed with SHA-256 and encoded with Base64): '" + digest(header) + "'.")
		}
		i := slices.IndexFunc(parameters[:], func(p headerParameter) bool { return p.name == name })
		if i < 0 {
			continue
		}
		if *parameters[i].value != "" {
			return incomplete("Authorization header has more than one '" + name + "' parameter.")
		}
		*parameters[i].value = value
	}
	var missing strings.Builder
	for _, p := range parameters {
		if *p.value == "" {
			missing.WriteString("Authorization header requires '" + p.name + "' parameter. ")
		}
	}
	if err := c.readDate(); err != nil {
		return err
	}
	if c.rawTime == "" {
		missing.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	if missing.Len() > 0 {
		return incomplete(missing.String() + "(Hashed with SHA-256 and encoded with Base64) Authorization=" + digest(header))
	}
	c.sessionToken = strings.Join(c.request.Header.Values("X-Amz-Security-Token"), ",")
	return nil
}

// readDate takes the date from X-Amz-Date, or else from Date, which may be in
// HTTP's own format.
func (c *claim) readDate() error {
	for _, name := range []string{"X-Amz-Date", "Date"} {
		switch values := c.request.Header.Values(name); {
		case len(values) > 1:
			return malformed("The request has more than one " + name + " header.")
		case len(values) == 1 && values[0] != "":
			c.rawTime = values[0]
			if name == "Date" {
				if t, err := http.ParseTime(c.rawTime); err == nil {
					c.rawTime = t.UTC().Format(timeFormat)
				}
			}
			return nil
		}
	}
	return nil
}

// parsePresigned reads the parameters of a presigned request. Their names are
// case-sensitive, and none may be there twice.
func (c *claim) parsePresigned() error {
	fields := []struct {
		name   string
		value  *string
		needed bool
	}{
		{"X-Amz-Algorithm", &c.algorithm, true},
		{"X-Amz-Credential", &c.credential, true},
		{"X-Amz-Signature", &c.signature, true},
		{"X-Amz-SignedHeaders", &c.headerList, true},
		{"X-Amz-Date", &c.rawTime, true},
		{"X-Amz-Expires", &c.expires, false},
		{"X-Amz-Security-Token", &c.sessionToken, false},
	}
	var missing strings.Builder
	for _, field := range fields {
		count := 0
		for _, p := range c.query {
			if p.name == field.name {
				*field.value = p.value
				count++
			}
		}
		switch {
		case count > 1:
			return malformed("The query string has more than one '" + field.name + "'.")
		case field.needed && *field.value == "":
			missing.WriteString("AWS query-string parameters must include '" + field.name + "'. ")
		}
	}
	if missing.Len() > 0 {
		return incomplete(missing.String() + "Re-examine the query-string parameters.")
	}
	return nil
}

// ClaimedKey returns the access key that a request declares to be signed with,
// "" when there is none. It does not verify anything.
func ClaimedKey(r *http.Request) string {
	c, err := parseClaim(r)
	if err != nil {
		return ""
	}
	key, _, _ := strings.Cut(c.credential, "/")
	return key
}
