package control

import (
	"context"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
)

func driveModel(t *testing.T, h *harness) {
	api := h.api(t)
	created := must(t, h.CreateModel, &sdk.CreateModelInput{
		ApiId: &api, Name: new("Room"), ContentType: new("application/json"), Description: new("of a house"),
		Schema: new(`{"type":"object","properties":{"name":{"type":"string"},"doors":{"type":"array","items":{"type":"integer"}}}}`),
	})
	if len(*created.ModelId) != 6 {
		t.Errorf("id %q (section H.6)", *created.ModelId)
	}
	id := created.ModelId
	must(t, h.UpdateModel, &sdk.UpdateModelInput{ApiId: &api, ModelId: id, Name: new("Hall")})
	if got := must(t, h.GetModel, &sdk.GetModelInput{ApiId: &api, ModelId: id}); *got.Name != "Hall" || *got.Description != "of a house" {
		t.Errorf("model %+v", got)
	}
	template := must(t, h.GetModelTemplate, &sdk.GetModelTemplateInput{ApiId: &api, ModelId: id})
	if !strings.Contains(*template.Value, "#foreach($elem in $inputRoot.doors)") {
		t.Errorf("template %s", *template.Value)
	}
	if page := must(t, h.GetModels, &sdk.GetModelsInput{ApiId: &api, MaxResults: new("1")}); page.NextToken == nil {
		t.Error("no token for the second page")
	}
	must(t, h.DeleteModel, &sdk.DeleteModelInput{ApiId: &api, ModelId: id})
}

// An API with disableSchemaValidation takes any schema, which only the messages
// that need it feel: section D.6.
func TestUncheckedModels(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	api := h.api(t)
	bad := call(h.CreateModel, &sdk.CreateModelInput{ApiId: &api, Name: new("Bad"), Schema: new(`{"type":"strin"}`)})
	if bad(t.Context()) == nil {
		t.Fatal("a bad schema is taken")
	}
	must(t, h.UpdateApi, &sdk.UpdateApiInput{ApiId: &api, DisableSchemaValidation: new(true)})
	created := must(t, h.CreateModel, &sdk.CreateModelInput{ApiId: &api, Name: new("Bad"), Schema: new(`{"type":"strin"}`)})
	must(t, h.UpdateModel, &sdk.UpdateModelInput{ApiId: &api, ModelId: created.ModelId, Schema: new(`{{`)})
	must(t, h.CreateRoute, &sdk.CreateRouteInput{ApiId: &api, RouteKey: new("join"), RequestModels: map[string]string{"$default": "Bad"}})
	refuse(t, []errorCase{
		{"H.6", call(h.CreateModel, &sdk.CreateModelInput{ApiId: &api, Name: new("a-b"), Schema: new("{}")}),
			badRequest("Invalid model name specified: a-b. A name has letters and digits")},
	})
	must(t, h.UpdateApi, &sdk.UpdateApiInput{ApiId: &api, DisableSchemaValidation: new(false)})
	if call(h.UpdateModel, &sdk.UpdateModelInput{ApiId: &api, ModelId: created.ModelId, Schema: new(`{{`)})(t.Context()) == nil {
		t.Error("a bad schema is taken again")
	}
}

func TestModelErrors(t *testing.T) {
	t.Parallel()
	h := start(t, func(o *Options) { o.Quotas.Models = 3 })
	api := h.api(t)
	reference := `{"properties":{"message":{"$ref":"https://apigateway.amazonaws.com/restapis/` + api + `/models/Message"}}}`
	room := must(t, h.CreateModel, &sdk.CreateModelInput{ApiId: &api, Name: new("Room"), Schema: &reference})
	list := must(t, h.GetModels, &sdk.GetModelsInput{ApiId: &api})
	var message *string
	for _, m := range list.Items {
		if *m.Name == "Message" {
			message = m.ModelId
		}
	}
	create := func(name, schema string) func(context.Context) error {
		return call(h.CreateModel, &sdk.CreateModelInput{ApiId: &api, Name: &name, Schema: &schema})
	}
	remove := call(h.DeleteModel, &sdk.DeleteModelInput{ApiId: &api, ModelId: message})
	refuse(t, []errorCase{
		{"H.2", call(h.GetModel, &sdk.GetModelInput{ApiId: &api, ModelId: new("nothere")}), missing("Invalid Model identifier specified nothere")},
		{"H.2", call(h.GetModelTemplate, &sdk.GetModelTemplateInput{ApiId: &api, ModelId: new("nothere")}), missing("Invalid Model identifier specified nothere")},
		{"H.6", create("a-b", "{}"), badRequest("Invalid model name specified: a-b. A name has letters and digits")},
		{"H.6", create("Message", "{}"), conflict("Model with name Message already exists for this API")},
		{"H.6", create("Bad", `{"type":"strin"}`),
			badRequest("Invalid model specified: model Bad: at /type: value must be one of 'array', 'boolean', 'integer', 'null', 'number', 'object', 'string'")},
		{"H.6", remove, conflict("Cannot delete model 'Message', is referenced in model: Room")},
	})
	must(t, h.UpdateModel, &sdk.UpdateModelInput{ApiId: &api, ModelId: room.ModelId, Schema: new("{}"), Description: new("")})
	route := must(t, h.CreateRoute, &sdk.CreateRouteInput{ApiId: &api, RouteKey: new("join"), RequestModels: map[string]string{"$default": "Message"}})
	refuse(t, []errorCase{
		{"H.6", remove, conflict("Cannot delete model 'Message', is referenced in route: join")},
		{"H.6", call(h.UpdateModel, &sdk.UpdateModelInput{ApiId: &api, ModelId: message, Name: new("Other")}),
			conflict("Cannot rename model 'Message', is referenced in route: join")},
	})
	must(t, h.UpdateRoute, &sdk.UpdateRouteInput{ApiId: &api, RouteId: route.RouteId, RequestModels: map[string]string{}})
	if err := remove(t.Context()); err != nil {
		t.Error(err)
	}
}
