package awsservice

import (
	"fmt"
	"net/url"
	"strings"
)

// endpoint is where a service answers: a scheme, a host, and a path that comes
// before every other, without a slash at its end.
func (c *Client) endpoint(u *URI, s service) (*url.URL, error) {
	if text := c.override(u, s); text != "" {
		base, err := parseEndpoint(text)
		if err != nil {
			return nil, &ConfigurationError{fmt.Sprintf("the endpoint of %s: %v", u.name(), err)}
		}
		if s.pathAsIs && u.Subdomain != "" {
			// An endpoint of one's own has no host name for every bucket.
			base = base.JoinPath(u.Subdomain)
		}
		return base, nil
	}
	host := s.hostPrefixes[u.Action] + s.host + "." + u.Region + "." + domains[u.Partition]
	return &url.URL{Scheme: "https", Host: host}, nil
}

// HasEndpoint tells whether a service has an endpoint of one's own: calls to it
// do not reach AWS.
func (c *Client) HasEndpoint(service string) bool {
	u := URI{Service: service}
	return c.override(&u, u.service()) != ""
}

// override is the endpoint that was configured for a service: its own, or the
// one for all. Empty: AWS's.
func (c *Client) override(u *URI, s service) string {
	names := []string{variableName(u.name()), variableName(u.Service), s.sdk}
	for _, name := range names {
		if text := c.endpoints[name]; text != "" {
			return text
		}
	}
	if strings.EqualFold(c.getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true") {
		return ""
	}
	for _, name := range names {
		if text := c.getenv("AWS_ENDPOINT_URL_" + name); name != "" && text != "" {
			return text
		}
	}
	return c.getenv("AWS_ENDPOINT_URL")
}

// variableName writes a service's name as variables of the environment do.
func variableName(service string) string {
	return strings.ToUpper(strings.NewReplacer("-", "_", ".", "_", " ", "_").Replace(service))
}

func parseEndpoint(text string) (*url.URL, error) {
	base, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	if (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" || base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("%q is not an HTTP URL of a host", text)
	}
	base.Path, base.RawPath = strings.TrimRight(base.Path, "/"), strings.TrimRight(base.RawPath, "/")
	return base, nil
}
