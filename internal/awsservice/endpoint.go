package awsservice

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
	"github.com/stagedoor/stagedoor/internal/setting"
)

// endpoint returns where a service answers: a scheme, a host, and the path, without
// a slash at its end, that stands before the path of a call. The caller may change
// the URL.
func (c *Client) endpoint(u *URI, s service) (*url.URL, error) {
	base, err := c.override(u, s)
	if err != nil {
		return nil, &ConfigurationError{fmt.Sprintf("the endpoint of %s: %v", u.name(), err)}
	}
	if base != nil {
		if s.pathAsIs && u.Subdomain != "" {
			// A configured endpoint has no host name for each bucket.
			return base.JoinPath(u.Subdomain), nil
		}
		own := *base
		return &own, nil
	}
	host := s.hostPrefixes[u.Action] + s.host + "." + u.Region + "." + domains[u.Partition]
	return &url.URL{Scheme: "https", Host: host}, nil
}

// Host returns the host of a service at AWS. It has no dots in its name, as "lambda".
func Host(service, region string) string {
	return service + "." + region + "." + domains[apigw.Partition(region)]
}

// HasEndpoint reports whether an endpoint is configured for a service, so that calls
// of it do not go to AWS.
func (c *Client) HasEndpoint(service string) bool {
	return c.overrides(&URI{Service: service})
}

// overrides reports whether an endpoint is configured for the service of a URI, even
// if it is wrong.
func (c *Client) overrides(u *URI) bool {
	endpoint, err := c.override(u, u.service())
	return endpoint != nil || err != nil
}

// override returns the endpoint that is configured for a service, or else the one
// that is for all; nil where there is neither, which stands for AWS's. The error is
// for an environment variable that is not a URL.
func (c *Client) override(u *URI, s service) (*url.URL, error) {
	names := []string{variableName(u.name()), variableName(u.Service), s.sdk}
	for _, name := range names {
		if endpoint := c.endpoints[name]; endpoint != nil {
			return endpoint, nil
		}
	}
	if strings.EqualFold(c.getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"), "true") {
		return nil, nil
	}
	for _, name := range names {
		if text := c.getenv("AWS_ENDPOINT_URL_" + name); name != "" && text != "" {
			return ParseEndpoint(text)
		}
	}
	if text := c.getenv("AWS_ENDPOINT_URL"); text != "" {
		return ParseEndpoint(text)
	}
	return nil, nil
}

// variableName returns a service's name in the form that environment variables have
// it.
func variableName(service string) string {
	return strings.ToUpper(strings.NewReplacer("-", "_", ".", "_", " ", "_").Replace(service))
}

// ParseEndpoint reads the endpoint of a service: an http or https URL of a host,
// perhaps with a path, and nothing behind that.
func ParseEndpoint(text string) (*url.URL, error) {
	base, err := setting.URL(text)
	if err != nil {
		return nil, err
	}
	if base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("%q has more than a host and a path", text)
	}
	base.Path, base.RawPath = strings.TrimRight(base.Path, "/"), strings.TrimRight(base.RawPath, "/")
	return base, nil
}

// InvokeEndpoint is where a function is called by Lambda's Invoke operation.
type InvokeEndpoint struct {
	Lambda *url.URL // the endpoint of the service
	Name   string   // the function's name there; "" stands for its own
}

// Equal reports whether two endpoints lead to the same place.
func (e InvokeEndpoint) Equal(other InvokeEndpoint) bool {
	return e.Name == other.Name && e.Lambda.String() == other.Lambda.String()
}

var invokePath = lazyregexp.New(`^(.*)` + apigw.InvokePath(`([^/]+)`) + `/?$`)

// ParseInvokeEndpoint reads the endpoint of Lambda, or the whole URL of the Invoke
// operation of one function, as AWS's runtime interface emulator has it:
// http://host:9000/2015-03-31/functions/{name}/invocations.
func ParseInvokeEndpoint(text string) (InvokeEndpoint, error) {
	name := ""
	if match := invokePath.FindStringSubmatch(text); match != nil {
		text, name = match[1], match[2]
	}
	endpoint, err := ParseEndpoint(text)
	return InvokeEndpoint{Lambda: endpoint, Name: name}, err
}
