package awsservice

import (
	"fmt"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

// URI is what an AWS integration points at.
type URI struct {
	Partition string // "aws", "aws-cn" or "aws-us-gov"
	Region    string
	Subdomain string // what stands before the service, without the dot; often empty
	Service   string // "dynamodb", "states", …: the host name's, not the product's
	Action    string // of an action/ URI; else empty
	Path      string // of a path/ URI, with its first slash; else empty
	Query     string // name=value pairs joined by &; may be empty

	// Path and the values of Query may have placeholders, {name}.
}

var (
	regionName    = lazyregexp.New(`^[a-z]{2}(-[a-z]+)+-[0-9]+$`)
	serviceName   = lazyregexp.New(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)
	subdomainName = lazyregexp.New(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)
	actionName    = lazyregexp.New(`^[A-Za-z][A-Za-z0-9]*$`)
)

// domains are the domains of the services' host names, by partition.
var domains = map[string]string{
	"aws":        "amazonaws.com",
	"aws-cn":     "amazonaws.com.cn",
	"aws-us-gov": "amazonaws.com",
}

// ParseURI reads the IntegrationUri of an AWS integration,
//
//	arn:{partition}:apigateway:{region}:{service}:action/{Action}&{name}={value}&…
//	arn:{partition}:apigateway:{region}:{subdomain}.{service}:path/{path}?{query}
//
// in which stage variables are replaced by their values. A path's first slash may
// be written or left out: "path/a" and "path//a" are the same. The error tells the
// integration's author what is wrong.
func ParseURI(text string) (URI, error) {
	u, err := parseURI(text)
	if err != nil {
		return URI{}, fmt.Errorf("IntegrationUri %q: %w", text, err)
	}
	return u, nil
}

func parseURI(text string) (URI, error) {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[2] != "apigateway" {
		return URI{}, fmt.Errorf("expected arn:aws:apigateway:{region}:{service}:action/{Action} or …:path/{path}")
	}
	u := URI{Partition: parts[1], Region: parts[3], Service: parts[4]}
	if dot := strings.LastIndexByte(u.Service, '.'); dot >= 0 {
		u.Subdomain, u.Service = u.Service[:dot], u.Service[dot+1:]
		if !subdomainName.MatchString(u.Subdomain) {
			return URI{}, fmt.Errorf("%q is not a subdomain of an AWS service", u.Subdomain)
		}
	}
	switch {
	case domains[u.Partition] == "":
		return URI{}, fmt.Errorf("partition %q is not one of aws, aws-cn, aws-us-gov", u.Partition)
	case !regionName.MatchString(u.Region):
		return URI{}, fmt.Errorf("%q is not a region", u.Region)
	case apigw.Partition(u.Region) != u.Partition:
		return URI{}, fmt.Errorf("region %s belongs to partition %s, not to %s", u.Region, apigw.Partition(u.Region), u.Partition)
	case !serviceName.MatchString(u.Service):
		return URI{}, fmt.Errorf("%q is not the name of an AWS service", u.Service)
	case strings.Contains(parts[5], "${"):
		return URI{}, fmt.Errorf("there is a variable without a value in %q", parts[5])
	}
	return u, u.parseTarget(parts[5])
}

// parseTarget reads the last part of a URI: the action or the path.
func (u *URI) parseTarget(target string) error {
	kind, rest, _ := strings.Cut(target, "/")
	switch kind {
	case "action":
		u.Action, u.Query, _ = strings.Cut(rest, "&")
		if !actionName.MatchString(u.Action) {
			return fmt.Errorf("%q is not the name of an action", u.Action)
		}
		return u.service().check(u)
	case "path":
		u.Path, u.Query, _ = strings.Cut(rest, "?")
		u.Path = "/" + strings.TrimPrefix(u.Path, "/")
		return nil
	}
	return fmt.Errorf("%q begins with neither action/ nor path/", target)
}

// PathURI returns the URI of a path, which begins with a slash, of a service in a
// region.
func PathURI(region, service, path string) URI {
	return URI{Partition: apigw.Partition(region), Region: region, Service: service, Path: path}
}

// name returns the service's name with its subdomain.
func (u *URI) name() string {
	if u.Subdomain == "" {
		return u.Service
	}
	return u.Subdomain + "." + u.Service
}
