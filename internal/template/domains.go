package template

import "github.com/stagedoor/stagedoor/internal/apigw"

func (b *builder) domainName(res *resource) {
	p := b.read(res, domainNameSchema)
	name := p.text("DomainName")
	if name == "" {
		return
	}
	if b.domains[name] != nil {
		p.wrong("DomainName", "The domain name resource already exists.")
		return
	}
	b.addDomain(name)
}

func (b *builder) addDomain(name string) *apigw.DomainName {
	domain := &apigw.DomainName{DomainName: name}
	b.domains[name] = domain
	b.app.Domains = append(b.app.Domains, domain)
	return domain
}

func (b *builder) apiMapping(res *resource) {
	api, p := b.below(res, apiMappingSchema)
	if api == nil {
		return
	}
	name, stage, key := p.text("DomainName"), p.text("Stage"), p.text("ApiMappingKey")
	if name == "" {
		return // reported
	}
	domain := b.domains[name]
	if domain == nil { // made outside of the template
		domain = b.addDomain(name)
	}
	if p.isKnown("Stage") && api.stages[stage] == nil {
		p.wrong("Stage", "Stage %q is no stage of the API %s", stage, api.res.id)
	}
	if p.has("ApiMappingKey") && !p.isKnown("ApiMappingKey") {
		return // reported
	}
	for _, mapping := range domain.ApiMappings {
		if mapping.ApiMappingKey == key {
			p.wrong("ApiMappingKey", "the domain name %s has a mapping with the key %q already", name, key)
		}
	}
	domain.ApiMappings = append(domain.ApiMappings, &apigw.ApiMapping{
		ApiMappingId: b.id(res, 6), ApiMappingKey: key, ApiId: api.ApiId, Stage: stage,
	})
}
