package control

import (
	"context"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// taggedType reads and changes the tags of one type of resource of the account,
// each by its id.
type taggedType struct {
	read   func(ctx context.Context, id string) (map[string]string, error)
	change func(ctx context.Context, id string, apply func(*map[string]string) error) error
}

// taggedTypes returns the types of resources that have tags, by the first step
// of their ARNs: "apis" in arn:…::/apis/{apiId}. The tags of an API are part of
// what is deployed.
func (s *server) taggedTypes() map[string]taggedType {
	return map[string]taggedType{
		"apis": {
			func(ctx context.Context, id string) (map[string]string, error) {
				api, _, err := s.loadAPI(ctx, id)
				return tagsOf(api, err, func(a *apigw.API) map[string]string { return a.Tags })
			},
			func(ctx context.Context, id string, apply func(*map[string]string) error) error {
				return s.changeAPI(ctx, id, func(a *apigw.API) error { return apply(&a.Tags) })
			},
		},
		"domainnames": {
			func(ctx context.Context, name string) (map[string]string, error) {
				domain, _, err := s.loadDomainName(ctx, name)
				return tagsOf(domain, err, func(d *apigw.DomainName) map[string]string { return d.Tags })
			},
			func(ctx context.Context, name string, apply func(*map[string]string) error) error {
				return s.changeDomainName(ctx, name, func(d *apigw.DomainName) error { return apply(&d.Tags) })
			},
		},
		"vpclinks": {
			func(ctx context.Context, id string) (map[string]string, error) {
				link, _, err := s.loadAnyLink(ctx, id)
				return tagsOf(link, err, func(l *apigw.VpcLink) map[string]string { return l.Tags })
			},
			func(ctx context.Context, id string, apply func(*map[string]string) error) error {
				link, _, err := s.loadAnyLink(ctx, id)
				if err == nil {
					_, err = s.changeLink(ctx, id, versionOf(link), func(l *apigw.VpcLink) error { return apply(&l.Tags) })
				}
				return err
			},
		},
		"apikeys": {
			func(ctx context.Context, id string) (map[string]string, error) {
				key, _, err := s.loadKey(ctx, id)
				return tagsOf(key, err, func(k *apigw.ApiKey) map[string]string { return k.Tags })
			},
			func(ctx context.Context, id string, apply func(*map[string]string) error) error {
				_, err := s.changeKey(ctx, id, func(k *apigw.ApiKey) error { return apply(&k.Tags) })
				return err
			},
		},
		"usageplans": {
			func(ctx context.Context, id string) (map[string]string, error) {
				plan, _, err := s.loadPlan(ctx, id)
				return tagsOf(plan, err, func(p *apigw.UsagePlan) map[string]string { return p.Tags })
			},
			func(ctx context.Context, id string, apply func(*map[string]string) error) error {
				_, err := s.changePlan(ctx, id, func(p *apigw.UsagePlan) error { return apply(&p.Tags) })
				return err
			},
		},
	}
}

// tagsOf returns the tags of a resource as it was loaded, or the error of
// loading it.
func tagsOf[T any](resource *T, err error, tags func(*T) map[string]string) (map[string]string, error) {
	if err != nil {
		return nil, err
	}
	return tags(resource), nil
}
