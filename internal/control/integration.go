package control

import (
	"context"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/expression"
)

func (s *server) integrationOperations() []handler {
	return []handler{
		operation(wire.CreateIntegration, s.createIntegration),
		operation(wire.GetIntegration, s.getIntegration),
		operation(wire.GetIntegrations, s.getIntegrations),
		operation(wire.UpdateIntegration, s.updateIntegration),
		silent(wire.DeleteIntegration, s.deleteIntegration),
	}
}

func (s *server) createIntegration(ctx context.Context, in *wire.CreateIntegrationRequest) (*wire.Integration, error) {
	var integration *apigw.Integration
	err := s.changeAPI(ctx, in.ApiId, func(api *apigw.API) error {
		if err := checkQuota(len(api.Integrations), s.Quotas.Integrations, "Integrations", "API"); err != nil {
			return err
		}
		integration = &apigw.Integration{
			IntegrationId: unusedID(apigw.NewRouteID, func(id string) bool { return api.Integration(id) != nil }),
		}
		api.Integrations = append(api.Integrations, integration)
		return s.setIntegration(ctx, integration, as[wire.UpdateIntegrationRequest](in))
	})
	if err != nil {
		return nil, err
	}
	s.doubt(ctx, "templateSelectionExpression", expression.TemplateSelection, in.TemplateSelectionExpression)
	return integrationView(integration), nil
}

func (s *server) getIntegration(ctx context.Context, in *wire.GetIntegrationRequest) (*wire.Integration, error) {
	integration, err := s.readIntegration(ctx, in.ApiId, in.IntegrationId)
	if err != nil {
		return nil, err
	}
	return integrationView(integration), nil
}

func (s *server) getIntegrations(ctx context.Context, in *wire.GetIntegrationsRequest) (*wire.GetIntegrationsResponse, error) {
	api, err := s.readAPI(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	items, next, err := page(api.Integrations, func(i *apigw.Integration) string { return i.IntegrationId }, integrationView, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &wire.GetIntegrationsResponse{Items: items, NextToken: next}, nil
}

func (s *server) updateIntegration(ctx context.Context, in *wire.UpdateIntegrationRequest) (*wire.Integration, error) {
	var changed *apigw.Integration
	err := s.changeIntegration(ctx, in.ApiId, in.IntegrationId, func(_ *apigw.API, integration *apigw.Integration) error {
		changed = integration
		return s.setIntegration(ctx, integration, in)
	})
	if err != nil {
		return nil, err
	}
	s.doubt(ctx, "templateSelectionExpression", expression.TemplateSelection, in.TemplateSelectionExpression)
	return integrationView(changed), nil
}

func (s *server) deleteIntegration(ctx context.Context, in *wire.DeleteIntegrationRequest) error {
	return s.changeIntegration(ctx, in.ApiId, in.IntegrationId, func(api *apigw.API, integration *apigw.Integration) error {
		if routes := routesTo(api, integration); len(routes) > 0 {
			return apigw.Conflict("Cannot delete Integration because it is referenced by the following Routes with Ids: [" + strings.Join(routes, ", ") + "]")
		}
		api.Integrations = slices.DeleteFunc(api.Integrations, func(i *apigw.Integration) bool { return i == integration })
		return nil
	})
}

// routesTo returns the ids of the routes that point at an integration, in
// order.
func routesTo(api *apigw.API, integration *apigw.Integration) []string {
	var ids []string
	for _, route := range api.Routes {
		if route.Target == "integrations/"+integration.IntegrationId {
			ids = append(ids, route.RouteId)
		}
	}
	slices.Sort(ids)
	return ids
}

func (s *server) readIntegration(ctx context.Context, apiID, id string) (*apigw.Integration, error) {
	api, err := s.readAPI(ctx, apiID)
	if err != nil {
		return nil, err
	}
	integration := api.Integration(id)
	if integration == nil {
		return nil, notFound("Integration", id)
	}
	return integration, nil
}

// changeIntegration is changeAPI for one of its integrations.
func (s *server) changeIntegration(ctx context.Context, apiID, id string, change func(*apigw.API, *apigw.Integration) error) error {
	return s.changeAPI(ctx, apiID, func(api *apigw.API) error {
		integration := api.Integration(id)
		if integration == nil {
			return notFound("Integration", id)
		}
		return change(api, integration)
	})
}

// setIntegration changes the members that a request has, and checks the
// integration. Request parameters are merged, and one with an empty value is
// removed; templates are replaced, since an empty one is a template (section H.11).
func (s *server) setIntegration(ctx context.Context, i *apigw.Integration, in *wire.UpdateIntegrationRequest) error {
	if in.IntegrationSubtype != nil || in.TlsConfig != nil || in.ResponseParameters != nil {
		return apigw.BadRequest("IntegrationSubtype, TlsConfig and ResponseParameters cannot be set for WEBSOCKET protocol Apis.")
	}
	set(&i.IntegrationType, in.IntegrationType)
	set(&i.IntegrationUri, in.IntegrationUri)
	set(&i.IntegrationMethod, in.IntegrationMethod)
	set(&i.ConnectionType, in.ConnectionType)
	set(&i.ConnectionId, in.ConnectionId)
	set(&i.ContentHandlingStrategy, in.ContentHandlingStrategy)
	set(&i.CredentialsArn, in.CredentialsArn)
	set(&i.Description, in.Description)
	set(&i.PassthroughBehavior, in.PassthroughBehavior)
	set(&i.PayloadFormatVersion, in.PayloadFormatVersion)
	set(&i.TemplateSelectionExpression, in.TemplateSelectionExpression)
	set(&i.TimeoutInMillis, in.TimeoutInMillis)
	merge(&i.RequestParameters, in.RequestParameters)
	replace(&i.RequestTemplates, in.RequestTemplates)
	setIntegrationDefaults(i)
	if err := checkIntegration(i); err != nil {
		return err
	}
	return s.checkLink(ctx, i)
}

// integrationView is what clients see of an integration (section H.5).
func integrationView(i *apigw.Integration) *wire.Integration {
	return &wire.Integration{
		ConnectionId:                           optional(i.ConnectionId),
		ConnectionType:                         optional(i.ConnectionType),
		ContentHandlingStrategy:                optional(i.ContentHandlingStrategy),
		CredentialsArn:                         optional(i.CredentialsArn),
		Description:                            optional(i.Description),
		IntegrationId:                          &i.IntegrationId,
		IntegrationMethod:                      optional(i.IntegrationMethod),
		IntegrationResponseSelectionExpression: optional(i.Type().ResponseSelection),
		IntegrationType:                        &i.IntegrationType,
		IntegrationUri:                         optional(i.IntegrationUri),
		PassthroughBehavior:                    optional(i.PassthroughBehavior),
		PayloadFormatVersion:                   optional(i.PayloadFormatVersion),
		RequestParameters:                      i.RequestParameters,
		RequestTemplates:                       i.RequestTemplates,
		TemplateSelectionExpression:            optional(i.TemplateSelectionExpression),
		TimeoutInMillis:                        &i.TimeoutInMillis,
	}
}
