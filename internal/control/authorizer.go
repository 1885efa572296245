package control

import (
	"context"
	"slices"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/authorizer"
)

func (s *server) authorizerOperations() []handler {
	return []handler{
		operation(wire.CreateAuthorizer, s.createAuthorizer),
		operation(wire.GetAuthorizer, s.getAuthorizer),
		operation(wire.GetAuthorizers, s.getAuthorizers),
		operation(wire.UpdateAuthorizer, s.updateAuthorizer),
		silent(wire.DeleteAuthorizer, s.deleteAuthorizer),
		silent(wire.ResetAuthorizersCache, s.resetAuthorizersCache),
	}
}

func (s *server) createAuthorizer(ctx context.Context, in *wire.CreateAuthorizerRequest) (*wire.Authorizer, error) {
	if expression := in.IdentityValidationExpression; expression != nil && *expression == "" {
		return nil, apigw.BadRequest("IdentityValidationExpression must not be empty.")
	}
	var created *apigw.Authorizer
	err := s.changeAPI(ctx, in.ApiId, func(api *apigw.API) error {
		if err := checkQuota(len(api.Authorizers), s.Quotas.Authorizers, "Authorizers", "API"); err != nil {
			return err
		}
		created = &apigw.Authorizer{
			AuthorizerId: unusedID(apigw.NewChildID, func(id string) bool { return api.Authorizer(id) != nil }),
		}
		api.Authorizers = append(api.Authorizers, created)
		return setAuthorizer(api, created, as[wire.UpdateAuthorizerRequest](in))
	})
	if err != nil {
		return nil, err
	}
	return authorizerView(created), nil
}

func (s *server) getAuthorizer(ctx context.Context, in *wire.GetAuthorizerRequest) (*wire.Authorizer, error) {
	api, err := s.readAPI(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	found := api.Authorizer(in.AuthorizerId)
	if found == nil {
		return nil, errNoAuthorizer
	}
	return authorizerView(found), nil
}

func (s *server) getAuthorizers(ctx context.Context, in *wire.GetAuthorizersRequest) (*wire.GetAuthorizersResponse, error) {
	api, err := s.readAPI(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	items, next, err := page(api.Authorizers, func(a *apigw.Authorizer) string { return a.AuthorizerId }, authorizerView, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &wire.GetAuthorizersResponse{Items: items, NextToken: next}, nil
}

func (s *server) updateAuthorizer(ctx context.Context, in *wire.UpdateAuthorizerRequest) (*wire.Authorizer, error) {
	var changed *apigw.Authorizer
	err := s.changeAuthorizer(ctx, in.ApiId, in.AuthorizerId, func(api *apigw.API, a *apigw.Authorizer) error {
		changed = a
		return setAuthorizer(api, a, in)
	})
	if err != nil {
		return nil, err
	}
	return authorizerView(changed), nil
}

func (s *server) deleteAuthorizer(ctx context.Context, in *wire.DeleteAuthorizerRequest) error {
	return s.changeAuthorizer(ctx, in.ApiId, in.AuthorizerId, func(api *apigw.API, a *apigw.Authorizer) error {
		for _, route := range api.Routes {
			if route.AuthorizerId == a.AuthorizerId {
				return apigw.Conflict("Cannot delete authorizer '" + a.Name + "', is referenced in route: " + route.RouteKey)
			}
		}
		api.Authorizers = slices.DeleteFunc(api.Authorizers, func(other *apigw.Authorizer) bool { return other == a })
		return nil
	})
}

// resetAuthorizersCache checks that the API and the stage exist, and does
// nothing else: decisions of authorizers of WebSocket APIs are not cached.
func (s *server) resetAuthorizersCache(ctx context.Context, in *wire.ResetAuthorizersCacheRequest) error {
	if _, err := s.readAPI(ctx, in.ApiId); err != nil {
		return err
	}
	_, _, err := s.loadStage(ctx, in.ApiId, in.StageName)
	return err
}

// changeAuthorizer is changeAPI for one of its authorizers.
func (s *server) changeAuthorizer(ctx context.Context, apiID, id string, change func(*apigw.API, *apigw.Authorizer) error) error {
	return s.changeAPI(ctx, apiID, func(api *apigw.API) error {
		found := api.Authorizer(id)
		if found == nil {
			return errNoAuthorizer
		}
		return change(api, found)
	})
}

// setAuthorizer changes the members that a request has, and checks the
// authorizer (section I.1). Identity sources that are empty are left out.
func setAuthorizer(api *apigw.API, a *apigw.Authorizer, in *wire.UpdateAuthorizerRequest) error {
	if in.AuthorizerPayloadFormatVersion != nil {
		return apigw.BadRequest(messages["authorizerPayloadFormatVersion"])
	}
	if in.AuthorizerResultTtlInSeconds != nil {
		return apigw.BadRequest(messages["authorizerResultTtlInSeconds"])
	}
	if in.EnableSimpleResponses != nil {
		return apigw.BadRequest("EnableSimpleResponses cannot be set for WEBSOCKET protocol Apis.")
	}
	if in.JwtConfiguration != nil {
		return apigw.BadRequest("JwtConfiguration cannot be set for WEBSOCKET protocol Apis.")
	}
	set(&a.Name, in.Name)
	set(&a.AuthorizerType, in.AuthorizerType)
	set(&a.AuthorizerUri, in.AuthorizerUri)
	set(&a.AuthorizerCredentialsArn, in.AuthorizerCredentialsArn)
	set(&a.IdentityValidationExpression, in.IdentityValidationExpression)
	if in.IdentitySource != nil {
		a.IdentitySource = slices.DeleteFunc(in.IdentitySource, func(source string) bool { return source == "" })
	}
	if a.Name == "" {
		return apigw.BadRequest("Invalid value for name: it must have between 1 and 128 characters.")
	}
	return invalid(authorizer.Check(api, a))
}

// authorizerView is what clients see of an authorizer.
func authorizerView(a *apigw.Authorizer) *wire.Authorizer {
	out := &wire.Authorizer{
		AuthorizerCredentialsArn:     optional(a.AuthorizerCredentialsArn),
		AuthorizerId:                 &a.AuthorizerId,
		AuthorizerType:               &a.AuthorizerType,
		AuthorizerUri:                optional(a.AuthorizerUri),
		IdentityValidationExpression: optional(a.IdentityValidationExpression),
		Name:                         &a.Name,
	}
	if len(a.IdentitySource) > 0 {
		out.IdentitySource = a.IdentitySource
	}
	return out
}
