package control

import (
	"context"
	"slices"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

func (s *server) apiMappingOperations() []handler {
	return []handler{
		operation(wire.CreateApiMapping, s.createAPIMapping),
		operation(wire.GetApiMapping, s.getAPIMapping),
		operation(wire.GetApiMappings, s.getAPIMappings),
		operation(wire.UpdateApiMapping, s.updateAPIMapping),
		silent(wire.DeleteApiMapping, s.deleteAPIMapping),
	}
}

func (s *server) createAPIMapping(ctx context.Context, in *wire.CreateApiMappingRequest) (*wire.ApiMapping, error) {
	var created *apigw.ApiMapping
	err := s.changeDomainName(ctx, in.DomainName, func(domain *apigw.DomainName) error {
		if err := checkQuota(len(domain.ApiMappings), s.Quotas.APIMappings, "ApiMappings", "domain name"); err != nil {
			return err
		}
		created = &apigw.ApiMapping{
			ApiMappingId: unusedID(apigw.NewChildID, func(id string) bool { return domain.ApiMapping(id) != nil }),
		}
		domain.ApiMappings = append(domain.ApiMappings, created)
		return s.setAPIMapping(ctx, domain, created, as[wire.UpdateApiMappingRequest](in))
	})
	if err != nil {
		return nil, err
	}
	return apiMappingView(created), nil
}

func (s *server) getAPIMapping(ctx context.Context, in *wire.GetApiMappingRequest) (*wire.ApiMapping, error) {
	domain, _, err := s.loadDomainName(ctx, in.DomainName)
	if err != nil {
		return nil, err
	}
	mapping := domain.ApiMapping(in.ApiMappingId)
	if mapping == nil {
		return nil, errNoMapping
	}
	return apiMappingView(mapping), nil
}

func (s *server) getAPIMappings(ctx context.Context, in *wire.GetApiMappingsRequest) (*wire.GetApiMappingsResponse, error) {
	domain, _, err := s.loadDomainName(ctx, in.DomainName)
	if err != nil {
		return nil, err
	}
	items, next, err := page(domain.ApiMappings, func(m *apigw.ApiMapping) string { return m.ApiMappingId }, apiMappingView, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &wire.GetApiMappingsResponse{Items: items, NextToken: next}, nil
}

func (s *server) updateAPIMapping(ctx context.Context, in *wire.UpdateApiMappingRequest) (*wire.ApiMapping, error) {
	var changed *apigw.ApiMapping
	err := s.changeAPIMapping(ctx, in.DomainName, in.ApiMappingId, func(domain *apigw.DomainName, mapping *apigw.ApiMapping) error {
		changed = mapping
		return s.setAPIMapping(ctx, domain, mapping, in)
	})
	if err != nil {
		return nil, err
	}
	return apiMappingView(changed), nil
}

func (s *server) deleteAPIMapping(ctx context.Context, in *wire.DeleteApiMappingRequest) error {
	return s.changeAPIMapping(ctx, in.DomainName, in.ApiMappingId, func(domain *apigw.DomainName, mapping *apigw.ApiMapping) error {
		domain.ApiMappings = slices.DeleteFunc(domain.ApiMappings, func(m *apigw.ApiMapping) bool { return m == mapping })
		return nil
	})
}

var errNoMapping = apigw.NotFound("ApiMapping", "The api mapping resource specified in the request was not found.")

// changeAPIMapping is changeDomainName for one of its mappings.
func (s *server) changeAPIMapping(ctx context.Context, name, id string, change func(*apigw.DomainName, *apigw.ApiMapping) error) error {
	return s.changeDomainName(ctx, name, func(domain *apigw.DomainName) error {
		mapping := domain.ApiMapping(id)
		if mapping == nil {
			return errNoMapping
		}
		return change(domain, mapping)
	})
}

// mappingKey matches the characters of a key. A slash is not allowed: keys of
// several levels are for other kinds of APIs (section H.10).
var mappingKey = lazyregexp.New(`^[A-Za-z0-9$\-_.+!*'()]*$`)

// maxMappingKey is the longest key, in characters.
const maxMappingKey = 300

// setAPIMapping changes the members that a request has, and checks the mapping:
// its key is the domain's only one like that, and its stage exists.
func (s *server) setAPIMapping(ctx context.Context, domain *apigw.DomainName, mapping *apigw.ApiMapping, in *wire.UpdateApiMappingRequest) error {
	set(&mapping.ApiId, in.ApiId)
	set(&mapping.ApiMappingKey, in.ApiMappingKey)
	set(&mapping.Stage, in.Stage)
	switch {
	case len(mapping.ApiMappingKey) > maxMappingKey:
		return apigw.BadRequest("Invalid value for apiMappingKey: it must have at most 300 characters.")
	case !mappingKey.MatchString(mapping.ApiMappingKey):
		return apigw.BadRequest("An ApiMapping key may contain only letters, numbers and one of $-_.+!*'()")
	}
	for _, other := range domain.ApiMappings {
		if other != mapping && other.ApiMappingKey == mapping.ApiMappingKey {
			return apigw.Conflict("ApiMapping key already exists for this domain name")
		}
	}
	if _, _, err := s.loadAPI(ctx, mapping.ApiId); err != nil {
		return err
	}
	_, _, err := s.loadStage(ctx, mapping.ApiId, mapping.Stage)
	return err
}

// checkUnmapped refuses to delete an API, or a stage, that a domain name is
// mapped to. An empty stage stands for all stages of the API.
func (s *server) checkUnmapped(ctx context.Context, apiID, stage string) error {
	domains, err := s.Store.DomainNames.List(ctx)
	if err != nil {
		return err
	}
	for _, domain := range domains {
		for _, mapping := range domain.Value.ApiMappings {
			switch {
			case mapping.ApiId != apiID || stage != "" && mapping.Stage != stage:
			case stage == "":
				return apigw.BadRequest("Deleting API " + apiID + " failed. Please remove all API mappings for the API from your custom domain names.")
			default:
				return apigw.BadRequest("Deleting stage " + stage + " failed. Please remove all API mappings for the stage from your custom domain names.")
			}
		}
	}
	return nil
}

func apiMappingView(m *apigw.ApiMapping) *wire.ApiMapping {
	return &wire.ApiMapping{
		ApiId:         &m.ApiId,
		ApiMappingId:  &m.ApiMappingId,
		ApiMappingKey: &m.ApiMappingKey,
		Stage:         &m.Stage,
	}
}
