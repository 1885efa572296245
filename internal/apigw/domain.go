package apigw

// DomainName is a custom domain with its mappings to stages.
type DomainName struct {
	// DomainName is in lower case. "*." at its beginning stands for any one label.
	DomainName string
	// EndpointId begins the name of the gateway to which the DNS entry of the
	// domain points, "d-abc1234567".
	EndpointId                          string            `json:",omitempty"`
	CertificateArn                      string            `json:",omitempty"`
	CertificateName                     string            `json:",omitempty"`
	OwnershipVerificationCertificateArn string            `json:",omitempty"`
	IpAddressType                       string            `json:",omitempty"` // ipv4 or dualstack
	Tags                                map[string]string `json:",omitempty"`
	ApiMappings                         []*ApiMapping
}

// ApiMapping puts a stage of an API below a path key of a custom domain. An
// empty key stands for the root.
type ApiMapping struct {
	ApiMappingId  string
	ApiMappingKey string `json:",omitempty"`
	ApiId         string
	Stage         string
}

// ApiMapping returns the mapping with the given id, or nil.
func (d *DomainName) ApiMapping(id string) *ApiMapping {
	return find(d.ApiMappings, func(m *ApiMapping) bool { return m.ApiMappingId == id })
}
