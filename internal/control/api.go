package control

import (
	"context"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/expression"
	"github.com/stagedoor/stagedoor/internal/store"
)

func (s *server) apiOperations() []handler {
	return []handler{
		operation(wire.CreateApi, s.createAPI),
		operation(wire.GetApi, s.getAPI),
		operation(wire.GetApis, s.getAPIs),
		operation(wire.UpdateApi, s.updateAPI),
		silent(wire.DeleteApi, s.deleteAPI),
	}
}

// Defaults of an API (section H.3).
const (
	defaultAPIKeySelection = "$request.header.x-api-key"
	defaultIPAddressType   = "ipv4"
)

func (s *server) createAPI(ctx context.Context, in *wire.CreateApiRequest) (*wire.Api, error) {
	if *in.ProtocolType != "WEBSOCKET" {
		return nil, notImplemented("Protocol " + *in.ProtocolType)
	}
	api := &apigw.API{
		ProtocolType:              *in.ProtocolType,
		ApiKeySelectionExpression: defaultAPIKeySelection,
		IpAddressType:             defaultIPAddressType,
		CreatedDate:               s.now(),
	}
	replace(&api.Tags, in.Tags)
	if err := setAPI(api, as[wire.UpdateApiRequest](in)); err != nil {
		return nil, err
	}
	if err := s.checkTags(api.Tags); err != nil {
		return nil, err
	}
	ids, err := s.Store.APIs.IDs(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkQuota(len(ids), s.Quotas.APIs, "APIs", "account"); err != nil {
		return nil, err
	}
	if s.NewAPIID != nil {
		api.ApiId = s.NewAPIID(api.Tags)
	}
	if api.ApiId == "" {
		api.ApiId = unusedID(apigw.NewAPIID, func(id string) bool {
			for _, taken := range ids {
				if taken[0] == id {
					return true
				}
			}
			return false
		})
	}
	revision, err := s.Store.APIs.Put(ctx, api, 0)
	if err := s.written(ctx, revision, err); err != nil {
		return nil, err
	}
	s.doubt(ctx, "routeSelectionExpression", expression.RouteSelection, in.RouteSelectionExpression)
	return s.apiView(api), nil
}

func (s *server) getAPI(ctx context.Context, in *wire.GetApiRequest) (*wire.Api, error) {
	api, err := s.readAPI(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	return s.apiView(api), nil
}

func (s *server) getAPIs(ctx context.Context, in *wire.GetApisRequest) (*wire.GetApisResponse, error) {
	entries, err := s.Store.APIs.List(ctx)
	if err != nil {
		return nil, err
	}
	id := func(e store.Entry[apigw.API]) string { return e.Value.ApiId }
	view := func(e store.Entry[apigw.API]) *wire.Api { return s.apiView(e.Value) }
	items, next, err := page(entries, id, view, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &wire.GetApisResponse{Items: items, NextToken: next}, nil
}

func (s *server) updateAPI(ctx context.Context, in *wire.UpdateApiRequest) (*wire.Api, error) {
	var changed *apigw.API
	err := s.changeAPI(ctx, in.ApiId, func(api *apigw.API) error {
		changed = api
		return setAPI(api, in)
	})
	if err != nil {
		return nil, err
	}
	s.doubt(ctx, "routeSelectionExpression", expression.RouteSelection, in.RouteSelectionExpression)
	return s.apiView(changed), nil
}

// deleteAPI removes an API with its stages and deployments.
func (s *server) deleteAPI(ctx context.Context, in *wire.DeleteApiRequest) error {
	_, revision, err := s.loadAPI(ctx, in.ApiId)
	if err != nil {
		return err
	}
	if err := s.checkUnmapped(ctx, in.ApiId, ""); err != nil {
		return err
	}
	revision, err = s.Store.DeleteAPI(ctx, in.ApiId, revision)
	return s.written(ctx, revision, err)
}

// setAPI changes the members that a request has, and checks the API.
func setAPI(api *apigw.API, in *wire.UpdateApiRequest) error {
	if in.CorsConfiguration != nil || in.Target != nil || in.RouteKey != nil || in.CredentialsArn != nil {
		return apigw.BadRequest("CorsConfiguration, Target, RouteKey and CredentialsArn cannot be set for WEBSOCKET protocol Apis.")
	}
	set(&api.Name, in.Name)
	set(&api.Description, in.Description)
	set(&api.Version, in.Version)
	set(&api.RouteSelectionExpression, in.RouteSelectionExpression)
	set(&api.ApiKeySelectionExpression, in.ApiKeySelectionExpression)
	set(&api.DisableExecuteApiEndpoint, in.DisableExecuteApiEndpoint)
	set(&api.DisableSchemaValidation, in.DisableSchemaValidation)
	set(&api.IpAddressType, in.IpAddressType)
	if api.ApiKeySelectionExpression == "" {
		api.ApiKeySelectionExpression = defaultAPIKeySelection
	}
	return checkAPI(api)
}

func checkAPI(api *apigw.API) error {
	if api.Name == "" {
		return apigw.BadRequest("Invalid value for name: it must have between 1 and 128 characters.")
	}
	if api.RouteSelectionExpression == "" {
		return apigw.BadRequest("RouteSelectionExpression is required for WEBSOCKET protocol Apis.")
	}
	if _, err := expression.ParseAt(expression.RouteSelection, api.RouteSelectionExpression); err != nil {
		return apigw.BadRequest("Invalid route " + err.Error())
	}
	if _, err := expression.ParseAt(expression.APIKeySelection, api.ApiKeySelectionExpression); err != nil {
		return apigw.BadRequest("Invalid API key " + err.Error())
	}
	return nil
}

// apiView is what clients see of an API: apiId, apiKeySelectionExpression,
// disableExecuteApiEndpoint and ipAddressType always, the other members only if
// they are set.
func (s *server) apiView(api *apigw.API) *wire.Api {
	out := &wire.Api{
		ApiEndpoint:               new(s.Endpoint(api.ApiId)),
		ApiId:                     &api.ApiId,
		ApiKeySelectionExpression: optional(api.ApiKeySelectionExpression),
		CreatedDate:               &wire.Timestamp{Time: api.CreatedDate},
		Description:               optional(api.Description),
		DisableExecuteApiEndpoint: &api.DisableExecuteApiEndpoint,
		IpAddressType:             optional(api.IpAddressType),
		Name:                      &api.Name,
		ProtocolType:              &api.ProtocolType,
		RouteSelectionExpression:  &api.RouteSelectionExpression,
		Tags:                      api.Tags,
		Version:                   optional(api.Version),
	}
	if api.DisableSchemaValidation {
		out.DisableSchemaValidation = &api.DisableSchemaValidation
	}
	return out
}

// now returns the time in whole seconds, as AWS keeps it.
func (s *server) now() time.Time { return s.Now().UTC().Truncate(time.Second) }
