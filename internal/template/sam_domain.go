package template

import (
	"crypto/sha1"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

var (
	notAlphanumeric = lazyregexp.New(`[^A-Za-z0-9]+`)
	basePath        = lazyregexp.New(`^[0-9A-Za-z/_-]*$`)
)

// logicalDigest returns the ten characters that SAM appends to the logical id
// of a resource that it makes from a value. They begin the SHA-1 of a string,
// or of the compact JSON of any other value.
func logicalDigest(v *value) string {
	data := []byte(v.text)
	if v.kind != text {
		encoded, err := compactJSON(v)
		if err != nil {
			return ""
		}
		data = encoded
	}
	digest := sha1.Sum(data)
	return hex.EncodeToString(digest[:])[:10]
}

// domainConfiguration is the property Domain with parameters replaced by their
// values, or nil.
func (w *webSocketAPI) domainConfiguration() *value {
	domain := w.properties.get("Domain")
	if domain == nil || domain.kind != object {
		return nil
	}
	return w.withParameters(domain)
}

func (w *webSocketAPI) checkDomain(domain *value) {
	id := w.res.id
	names := []string{
		"BasePath", "CertificateArn", "DomainName", "EndpointConfiguration", "MutualTlsAuthentication",
		"OwnershipVerificationCertificateArn", "Route53", "SecurityPolicy",
	}
	for _, m := range domain.members {
		if !slices.Contains(names, m.key) {
			w.invalid(m.line, id, "property %s not defined for Domain%s", m.key, w.didYouMean(m.key, names))
		}
	}
	if m := domain.member("MutualTlsAuthentication"); m != nil {
		w.invalid(m.line, id, "Mutual TLS domain name association is not supported for Websocket APIs.")
	}
	if domain.get("DomainName") == nil || domain.get("CertificateArn") == nil {
		w.invalid(domain.line, id, "Custom Domains only works if both DomainName and CertificateArn are provided.")
	}
	if v := domain.get("EndpointConfiguration"); v != nil && !v.is("REGIONAL") {
		w.invalid(v.line, id, "EndpointConfiguration for Custom Domains must be one of ['REGIONAL'].")
	}
	for _, path := range basePaths(domain) {
		if path.kind != text {
			w.invalid(path.line, id, "Basepath must be a string.")
		} else if !basePath.MatchString(path.text) {
			w.invalid(path.line, id, "Invalid Basepath name provided.")
		}
	}
	if zone := domain.get("Route53"); zone != nil {
		if zone.kind != object {
			w.invalid(zone.line, id, "Property 'Domain.Route53' should be a map.")
		} else if zone.get("HostedZoneId") == nil && zone.get("HostedZoneName") == nil {
			w.invalid(zone.line, id, "HostedZoneId or HostedZoneName is required to enable Route53 support on Custom Domains.")
		}
	}
}

// basePaths lists the paths below a domain that lead to the API. An empty list
// stands for the root.
func basePaths(domain *value) []*value {
	switch path := domain.get("BasePath"); {
	case path == nil || path.kind == null:
		return nil
	case path.kind == list:
		return path.items
	default:
		return []*value{path}
	}
}

// domain makes the custom domain, its mappings and its DNS records.
func (w *webSocketAPI) domain() {
	domain := w.domainConfiguration()
	if domain == nil {
		return
	}
	line := domain.line
	id := "ApiGatewayDomainNameV2" + logicalDigest(domain.get("DomainName"))
	configuration := newObject(line, with("CertificateArn", domain.get("CertificateArn")), with("EndpointType", newText(line, "REGIONAL")))
	configuration.set("OwnershipVerificationCertificateArn", domain.get("OwnershipVerificationCertificateArn"))
	configuration.set("SecurityPolicy", domain.get("SecurityPolicy"))
	if w.out.member(id) == nil { // several APIs may share a domain
		w.add(w.res, id, typeDomainName, newObject(line,
			with("DomainName", domain.get("DomainName")),
			with("DomainNameConfigurations", newList(line, configuration)),
			with("Tags", w.propagated()),
		), w.attributes...)
	}
	w.mappings(domain, id)
	w.records(domain, id)
}

func (w *webSocketAPI) mappings(domain *value, domainID string) {
	mapping := func(id string, line int) *value {
		p := newObject(line,
			with("ApiId", ref(line, w.res.id)),
			with("DomainName", ref(line, domainID)),
			with("Stage", ref(line, w.stageLogicalID())),
		)
		w.add(w.res, id, typeAPIMapping, p, w.attributes...)
		return p
	}
	paths := basePaths(domain)
	if len(paths) == 0 {
		mapping(w.res.id+"ApiMapping", domain.line)
		return
	}
	for _, path := range paths {
		p := mapping(w.res.id+notAlphanumeric.Compiled().ReplaceAllString(path.text, "")+"ApiMapping", path.line)
		p.set("ApiMappingKey", newText(path.line, strings.Trim(path.text, "/")))
	}
}

func (w *webSocketAPI) records(domain *value, domainID string) {
	zone := domain.get("Route53")
	if zone == nil {
		return
	}
	zoneProperty := "HostedZoneId"
	if zone.get(zoneProperty) == nil {
		zoneProperty = "HostedZoneName"
	}
	records := []*value{w.record(domain, zone, domainID, "A")}
	if ipv6 := zone.get("IpV6"); ipv6 != nil && ipv6.kind == boolean && ipv6.text == "true" {
		records = append(records, w.record(domain, zone, domainID, "AAAA"))
	}
	id := "RecordSetGroup" + logicalDigest(zone.get(zoneProperty))
	// Of several APIs that share a zone, the last one's records stay: SAM makes
	// each group under the same logical id.
	w.out = w.out.without(id)
	w.add(w.res, id, "AWS::Route53::RecordSetGroup", newObject(zone.line,
		with(zoneProperty, zone.get(zoneProperty)),
		with("RecordSets", newList(zone.line, records...)),
	), w.attributes...)
}

func (w *webSocketAPI) record(domain, zone *value, domainID, typ string) *value {
	line := zone.line
	target := newObject(line,
		with("DNSName", getAtt(line, domainID, "RegionalDomainName")),
		with("HostedZoneId", getAtt(line, domainID, "RegionalHostedZoneId")),
	)
	target.set("EvaluateTargetHealth", zone.get("EvaluateTargetHealth"))
	record := newObject(line,
		with("AliasTarget", target),
		with("Name", domain.get("DomainName")),
		with("Type", newText(line, typ)),
	)
	record.set("Region", zone.get("Region"))
	record.set("SetIdentifier", zone.get("SetIdentifier"))
	return record
}
