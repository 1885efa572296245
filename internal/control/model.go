package control

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
	"github.com/stagedoor/stagedoor/internal/model"
)

func (s *server) modelOperations() []handler {
	return []handler{
		operation(wire.CreateModel, s.createModel),
		operation(wire.GetModel, s.getModel),
		operation(wire.GetModels, s.getModels),
		operation(wire.GetModelTemplate, s.getModelTemplate),
		operation(wire.UpdateModel, s.updateModel),
		silent(wire.DeleteModel, s.deleteModel),
	}
}

func (s *server) createModel(ctx context.Context, in *wire.CreateModelRequest) (*wire.Model, error) {
	var created *apigw.Model
	err := s.changeAPI(ctx, in.ApiId, func(api *apigw.API) error {
		if err := checkQuota(len(api.Models), s.Quotas.Models, "Models", "API"); err != nil {
			return err
		}
		created = &apigw.Model{
			ModelId: unusedID(apigw.NewChildID, func(id string) bool { return api.Model(id) != nil }),
		}
		api.Models = append(api.Models, created)
		return setModel(api, created, as[wire.UpdateModelRequest](in))
	})
	if err != nil {
		return nil, err
	}
	return modelView(created), nil
}

func (s *server) getModel(ctx context.Context, in *wire.GetModelRequest) (*wire.Model, error) {
	_, found, err := s.readModel(ctx, in.ApiId, in.ModelId)
	if err != nil {
		return nil, err
	}
	return modelView(found), nil
}

func (s *server) getModels(ctx context.Context, in *wire.GetModelsRequest) (*wire.GetModelsResponse, error) {
	api, err := s.readAPI(ctx, in.ApiId)
	if err != nil {
		return nil, err
	}
	items, next, err := page(api.Models, func(m *apigw.Model) string { return m.ModelId }, modelView, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &wire.GetModelsResponse{Items: items, NextToken: next}, nil
}

func (s *server) getModelTemplate(ctx context.Context, in *wire.GetModelTemplateRequest) (*wire.GetModelTemplateResponse, error) {
	api, found, err := s.readModel(ctx, in.ApiId, in.ModelId)
	if err != nil {
		return nil, err
	}
	template, err := model.Template(api.ApiId, api.Models, found.Name)
	if err != nil {
		return nil, invalid(err)
	}
	return &wire.GetModelTemplateResponse{Value: &template}, nil
}

func (s *server) updateModel(ctx context.Context, in *wire.UpdateModelRequest) (*wire.Model, error) {
	var changed *apigw.Model
	err := s.changeModel(ctx, in.ApiId, in.ModelId, func(api *apigw.API, m *apigw.Model) error {
		changed = m
		return setModel(api, m, in)
	})
	if err != nil {
		return nil, err
	}
	return modelView(changed), nil
}

func (s *server) deleteModel(ctx context.Context, in *wire.DeleteModelRequest) error {
	return s.changeModel(ctx, in.ApiId, in.ModelId, func(api *apigw.API, m *apigw.Model) error {
		api.Models = slices.DeleteFunc(api.Models, func(other *apigw.Model) bool { return other == m })
		return checkUnreferenced(api, m.Name, "delete")
	})
}

func (s *server) readModel(ctx context.Context, apiID, id string) (*apigw.API, *apigw.Model, error) {
	api, err := s.readAPI(ctx, apiID)
	if err != nil {
		return nil, nil, err
	}
	found := api.Model(id)
	if found == nil {
		return nil, nil, notFound("Model", id)
	}
	return api, found, nil
}

// changeModel is changeAPI for one of its models.
func (s *server) changeModel(ctx context.Context, apiID, id string, change func(*apigw.API, *apigw.Model) error) error {
	return s.changeAPI(ctx, apiID, func(api *apigw.API) error {
		found := api.Model(id)
		if found == nil {
			return notFound("Model", id)
		}
		return change(api, found)
	})
}

var modelName = lazyregexp.New(`^[a-zA-Z0-9]{1,128}$`)

// setModel changes the members that a request has, and checks the model; its
// schema unless the API has disableSchemaValidation. A model that is referred
// to cannot be renamed, because it is referred to by its name.
func setModel(api *apigw.API, m *apigw.Model, in *wire.UpdateModelRequest) error {
	before := m.Name
	set(&m.Name, in.Name)
	set(&m.ContentType, in.ContentType)
	set(&m.Description, in.Description)
	set(&m.Schema, in.Schema)
	if !modelName.MatchString(m.Name) {
		return apigw.BadRequest("Invalid model name specified: " + m.Name + ". A name has letters and digits")
	}
	for _, other := range api.Models {
		if other != m && other.Name == m.Name {
			return apigw.Conflict(fmt.Sprintf("Model with name %s already exists for this API", m.Name))
		}
	}
	if before != "" && before != m.Name {
		if err := checkUnreferenced(api, before, "rename"); err != nil {
			return err
		}
	}
	if api.DisableSchemaValidation {
		return nil
	}
	if _, err := model.Compile(api.ApiId, api.Models).Model(m.Name); err != nil {
		return apigw.BadRequest("Invalid model specified: " + err.Error())
	}
	return nil
}

// checkUnreferenced returns an error if anything in an API refers to a model of
// this name. change is what was to be done with the model: a word for the
// error's text.
func checkUnreferenced(api *apigw.API, name, change string) error {
	for _, route := range api.Routes {
		if refersToModel(route, name) {
			return apigw.Conflict("Cannot " + change + " model '" + name + "', is referenced in route: " + route.RouteKey)
		}
	}
	for _, other := range api.Models {
		if model.Refers(api.ApiId, other, name) {
			return apigw.Conflict("Cannot " + change + " model '" + name + "', is referenced in model: " + other.Name)
		}
	}
	return nil
}

func refersToModel(route *apigw.Route, name string) bool {
	names := slices.Collect(maps.Values(route.RequestModels))
	for _, response := range route.RouteResponses {
		names = slices.AppendSeq(names, maps.Values(response.ResponseModels))
	}
	return slices.Contains(names, name)
}

func modelView(m *apigw.Model) *wire.Model {
	return &wire.Model{
		ContentType: optional(m.ContentType),
		Description: optional(m.Description),
		ModelId:     &m.ModelId,
		Name:        &m.Name,
		Schema:      &m.Schema,
	}
}
