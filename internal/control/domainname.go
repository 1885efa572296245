package control

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
	"github.com/stagedoor/stagedoor/internal/store"
)

func (s *server) domainNameOperations() []handler {
	return []handler{
		operation(wire.CreateDomainName, s.createDomainName),
		operation(wire.GetDomainName, s.getDomainName),
		operation(wire.GetDomainNames, s.getDomainNames),
		operation(wire.UpdateDomainName, s.updateDomainName),
		silent(wire.DeleteDomainName, s.deleteDomainName),
	}
}

// Members that are the same for all domain names of WebSocket APIs (section
// H.10).
const (
	endpointRegional    = "REGIONAL"
	securityPolicyTLS12 = "TLS_1_2"
	routingByMappings   = "API_MAPPING_ONLY"
	mappingSelection    = "$request.basepath"
)

func (s *server) createDomainName(ctx context.Context, in *wire.CreateDomainNameRequest) (*wire.DomainName, error) {
	if err := checkDomainName(*in.DomainName); err != nil {
		return nil, err
	}
	names, err := s.Store.DomainNames.IDs(ctx)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if name[0] == *in.DomainName {
			return nil, apigw.Conflict("The domain name resource already exists.")
		}
	}
	if err := checkQuota(len(names), s.Quotas.DomainNames, "DomainNames", "account"); err != nil {
		return nil, err
	}
	domain := &apigw.DomainName{
		DomainName: *in.DomainName, EndpointId: "d-" + apigw.NewAPIID(), IpAddressType: defaultIPAddressType,
	}
	replace(&domain.Tags, in.Tags)
	if err := s.checkTags(domain.Tags); err != nil {
		return nil, err
	}
	if in.DomainNameConfigurations == nil {
		return nil, errConfigurations
	}
	if err := setDomainName(domain, as[wire.UpdateDomainNameRequest](in)); err != nil {
		return nil, err
	}
	revision, err := s.Store.DomainNames.Put(ctx, domain, 0)
	if err := s.written(ctx, revision, err); err != nil {
		return nil, err
	}
	return s.domainNameView(domain), nil
}

func (s *server) getDomainName(ctx context.Context, in *wire.GetDomainNameRequest) (*wire.DomainName, error) {
	domain, _, err := s.loadDomainName(ctx, in.DomainName)
	if err != nil {
		return nil, err
	}
	return s.domainNameView(domain), nil
}

func (s *server) getDomainNames(ctx context.Context, in *wire.GetDomainNamesRequest) (*wire.GetDomainNamesResponse, error) {
	entries, err := s.Store.DomainNames.List(ctx)
	if err != nil {
		return nil, err
	}
	id := func(e store.Entry[apigw.DomainName]) string { return e.Value.DomainName }
	view := func(e store.Entry[apigw.DomainName]) *wire.DomainName { return s.domainNameView(e.Value) }
	items, next, err := page(entries, id, view, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &wire.GetDomainNamesResponse{Items: items, NextToken: next}, nil
}

func (s *server) updateDomainName(ctx context.Context, in *wire.UpdateDomainNameRequest) (*wire.DomainName, error) {
	var changed *apigw.DomainName
	err := s.changeDomainName(ctx, in.DomainName, func(domain *apigw.DomainName) error {
		changed = domain
		return setDomainName(domain, in)
	})
	if err != nil {
		return nil, err
	}
	return s.domainNameView(changed), nil
}

// deleteDomainName removes a domain with its mappings.
func (s *server) deleteDomainName(ctx context.Context, in *wire.DeleteDomainNameRequest) error {
	_, revision, err := s.loadDomainName(ctx, in.DomainName)
	if err != nil {
		return err
	}
	revision, err = s.Store.DomainNames.Delete(ctx, revision, in.DomainName)
	return s.written(ctx, revision, err)
}

func (s *server) loadDomainName(ctx context.Context, name string) (*apigw.DomainName, uint64, error) {
	domain, revision, err := s.Store.DomainNames.Get(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, 0, apigw.NotFound("DomainName", "The domain name resource specified in the request was not found.")
	}
	return domain, revision, err
}

// changeDomainName loads a domain, lets change work on it, and writes it. An
// error of change leaves everything as it was.
func (s *server) changeDomainName(ctx context.Context, name string, change func(*apigw.DomainName) error) error {
	domain, revision, err := s.loadDomainName(ctx, name)
	if err != nil {
		return err
	}
	if err := change(domain); err != nil {
		return err
	}
	revision, err = s.Store.DomainNames.Put(ctx, domain, revision)
	return s.written(ctx, revision, err)
}

var errConfigurations = apigw.BadRequest("Exactly one domainNameConfiguration must be specified.")

// setDomainName changes the members that a request has, and checks the domain.
// The ARNs of certificates are kept because clients read them back. The
// certificates that are served are those of the gateway's own configuration.
func setDomainName(domain *apigw.DomainName, in *wire.UpdateDomainNameRequest) error {
	if in.RoutingMode != nil && *in.RoutingMode != routingByMappings {
		return notImplemented("Routing mode " + *in.RoutingMode)
	}
	if tls := in.MutualTlsAuthentication; tls != nil && (tls.TruststoreUri == nil || *tls.TruststoreUri != "") {
		return apigw.BadRequest("Mutual TLS domain name association is not supported for Websocket APIs.")
	}
	switch configurations := in.DomainNameConfigurations; {
	case configurations == nil:
		return nil
	case len(configurations) != 1 || configurations[0] == nil:
		return errConfigurations
	default:
		return setDomainConfiguration(domain, configurations[0])
	}
}

// setDomainConfiguration changes the members that a configuration has.
func setDomainConfiguration(domain *apigw.DomainName, configuration *wire.DomainNameConfiguration) error {
	if kind := configuration.EndpointType; kind != nil && *kind != endpointRegional {
		return apigw.BadRequest(*kind + " is not supported for APIGatewayV2 domainName.")
	}
	if policy := configuration.SecurityPolicy; policy != nil && *policy != securityPolicyTLS12 {
		return apigw.BadRequest(*policy + " is not supported for APIGatewayV2 domainName.")
	}
	set(&domain.CertificateArn, configuration.CertificateArn)
	set(&domain.CertificateName, configuration.CertificateName)
	set(&domain.OwnershipVerificationCertificateArn, configuration.OwnershipVerificationCertificateArn)
	set(&domain.IpAddressType, configuration.IpAddressType)
	for _, arn := range []string{domain.CertificateArn, domain.OwnershipVerificationCertificateArn} {
		if arn != "" && !strings.HasPrefix(arn, "arn:") {
			return apigw.BadRequest("Invalid certificate ARN specified: " + arn)
		}
	}
	return nil
}

// domainLabels is a name of DNS in lower case, perhaps with a wildcard for its
// first label.
var domainLabels = lazyregexp.New(`^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// maxDomainName is the longest name of DNS.
const maxDomainName = 253

func checkDomainName(name string) error {
	if len(name) > maxDomainName || !domainLabels.MatchString(name) {
		return apigw.BadRequest("Invalid domain name specified: " + name + ". It must be a name of DNS in lower case, or *. and such a name")
	}
	return nil
}

// domainNameView is what clients see of a domain (section H.10).
func (s *server) domainNameView(domain *apigw.DomainName) *wire.DomainName {
	return &wire.DomainName{
		ApiMappingSelectionExpression: new(mappingSelection),
		DomainName:                    &domain.DomainName,
		DomainNameArn:                 new(s.arn("domainnames", domain.DomainName)),
		DomainNameConfigurations: []*wire.DomainNameConfiguration{{
			ApiGatewayDomainName:                optional(s.endpointHost(domain.EndpointId)),
			CertificateArn:                      optional(domain.CertificateArn),
			CertificateName:                     optional(domain.CertificateName),
			DomainNameStatus:                    new("AVAILABLE"),
			EndpointType:                        new(endpointRegional),
			IpAddressType:                       optional(domain.IpAddressType),
			OwnershipVerificationCertificateArn: optional(domain.OwnershipVerificationCertificateArn),
			SecurityPolicy:                      new(securityPolicyTLS12),
		}},
		RoutingMode: new(routingByMappings),
		Tags:        domain.Tags,
	}
}

// endpointHost is the host of the endpoint with an id, to which a domain's DNS
// entry points.
func (s *server) endpointHost(id string) string {
	endpoint, err := url.Parse(s.Endpoint(id))
	if err != nil {
		return ""
	}
	return endpoint.Hostname()
}

// arn is the ARN of a resource of this region.
func (s *server) arn(path ...string) string {
	return "arn:" + apigw.Partition(s.Region) + ":apigateway:" + s.Region + "::/" + strings.Join(path, "/")
}
