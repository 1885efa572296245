package control

import (
	"context"
	"fmt"
	"slices"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/expression"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

func (s *server) integrationResponseOperations() []handler {
	return []handler{
		operation(wire.CreateIntegrationResponse, s.createIntegrationResponse),
		operation(wire.GetIntegrationResponse, s.getIntegrationResponse),
		operation(wire.GetIntegrationResponses, s.getIntegrationResponses),
		operation(wire.UpdateIntegrationResponse, s.updateIntegrationResponse),
		silent(wire.DeleteIntegrationResponse, s.deleteIntegrationResponse),
	}
}

func (s *server) createIntegrationResponse(ctx context.Context, in *wire.CreateIntegrationResponseRequest) (*wire.IntegrationResponse, error) {
	var response *apigw.IntegrationResponse
	err := s.changeIntegration(ctx, in.ApiId, in.IntegrationId, func(_ *apigw.API, integration *apigw.Integration) error {
		if err := checkQuota(len(integration.IntegrationResponses), s.Quotas.IntegrationResponses, "IntegrationResponses", "Integration"); err != nil {
			return err
		}
		response = &apigw.IntegrationResponse{
			IntegrationResponseId: unusedID(apigw.NewChildID, func(id string) bool { return integration.IntegrationResponse(id) != nil }),
		}
		integration.IntegrationResponses = append(integration.IntegrationResponses, response)
		return setIntegrationResponse(integration, response, as[wire.UpdateIntegrationResponseRequest](in))
	})
	if err != nil {
		return nil, err
	}
	s.doubt(ctx, "templateSelectionExpression", expression.ResponseTemplateSelection, in.TemplateSelectionExpression)
	return integrationResponseView(response), nil
}

func (s *server) getIntegrationResponse(ctx context.Context, in *wire.GetIntegrationResponseRequest) (*wire.IntegrationResponse, error) {
	integration, err := s.readIntegration(ctx, in.ApiId, in.IntegrationId)
	if err != nil {
		return nil, err
	}
	response := integration.IntegrationResponse(in.IntegrationResponseId)
	if response == nil {
		return nil, notFound("IntegrationResponse", in.IntegrationResponseId)
	}
	return integrationResponseView(response), nil
}

func (s *server) getIntegrationResponses(ctx context.Context, in *wire.GetIntegrationResponsesRequest) (*wire.GetIntegrationResponsesResponse, error) {
	integration, err := s.readIntegration(ctx, in.ApiId, in.IntegrationId)
	if err != nil {
		return nil, err
	}
	items, next, err := page(integration.IntegrationResponses, func(r *apigw.IntegrationResponse) string { return r.IntegrationResponseId }, integrationResponseView, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &wire.GetIntegrationResponsesResponse{Items: items, NextToken: next}, nil
}

func (s *server) updateIntegrationResponse(ctx context.Context, in *wire.UpdateIntegrationResponseRequest) (*wire.IntegrationResponse, error) {
	var changed *apigw.IntegrationResponse
	err := s.changeIntegration(ctx, in.ApiId, in.IntegrationId, func(_ *apigw.API, integration *apigw.Integration) error {
		if changed = integration.IntegrationResponse(in.IntegrationResponseId); changed == nil {
			return notFound("IntegrationResponse", in.IntegrationResponseId)
		}
		return setIntegrationResponse(integration, changed, in)
	})
	if err != nil {
		return nil, err
	}
	s.doubt(ctx, "templateSelectionExpression", expression.ResponseTemplateSelection, in.TemplateSelectionExpression)
	return integrationResponseView(changed), nil
}

func (s *server) deleteIntegrationResponse(ctx context.Context, in *wire.DeleteIntegrationResponseRequest) error {
	return s.changeIntegration(ctx, in.ApiId, in.IntegrationId, func(_ *apigw.API, integration *apigw.Integration) error {
		response := integration.IntegrationResponse(in.IntegrationResponseId)
		if response == nil {
			return notFound("IntegrationResponse", in.IntegrationResponseId)
		}
		integration.IntegrationResponses = slices.DeleteFunc(integration.IntegrationResponses, func(r *apigw.IntegrationResponse) bool { return r == response })
		return nil
	})
}

// setIntegrationResponse changes the members that a request has, and checks the
// integration with its responses. Response parameters are merged, and one with
// an empty value is removed; templates are replaced.
func setIntegrationResponse(integration *apigw.Integration, response *apigw.IntegrationResponse, in *wire.UpdateIntegrationResponseRequest) error {
	set(&response.IntegrationResponseKey, in.IntegrationResponseKey)
	set(&response.ContentHandlingStrategy, in.ContentHandlingStrategy)
	set(&response.TemplateSelectionExpression, in.TemplateSelectionExpression)
	merge(&response.ResponseParameters, in.ResponseParameters)
	replace(&response.ResponseTemplates, in.ResponseTemplates)
	if response.IntegrationResponseKey == "" {
		return apigw.BadRequest("Missing required member: integrationResponseKey")
	}
	for _, other := range integration.IntegrationResponses {
		if other != response && other.IntegrationResponseKey == response.IntegrationResponseKey {
			return apigw.Conflict(fmt.Sprintf("IntegrationResponse with key %s already exists for this Integration", response.IntegrationResponseKey))
		}
	}
	_, err := mapping.CompileResponses(integration)
	return invalid(err)
}

func integrationResponseView(r *apigw.IntegrationResponse) *wire.IntegrationResponse {
	return &wire.IntegrationResponse{
		ContentHandlingStrategy:     optional(r.ContentHandlingStrategy),
		IntegrationResponseId:       &r.IntegrationResponseId,
		IntegrationResponseKey:      &r.IntegrationResponseKey,
		ResponseParameters:          r.ResponseParameters,
		ResponseTemplates:           r.ResponseTemplates,
		TemplateSelectionExpression: optional(r.TemplateSelectionExpression),
	}
}
