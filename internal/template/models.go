package template

import (
	"slices"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/expression"
	"github.com/stagedoor/stagedoor/internal/model"
)

func (b *builder) model(res *resource) {
	api, p := b.below(res, modelSchema)
	if api == nil {
		return
	}
	schema := p.text("Schema")
	if v := p.values["Schema"]; v != nil && !v.isWhole() {
		p.values["Schema"] = newUnknown(v.line)
	} else if v != nil && !v.isScalar() {
		encoded, err := compactJSON(v)
		if err != nil {
			p.wrong("Schema", "Schema: %v", err)
		}
		schema = string(encoded)
	}
	if len(schema) > 32<<10 {
		p.wrong("Schema", "Schema has %d bytes; at most %d are allowed", len(schema), 32<<10)
	}
	contentType := p.text("ContentType")
	if contentType == "" {
		contentType = "application/json"
	}
	name := p.text("Name")
	if name != "" && api.models[name] != nil {
		p.wrong("Name", "the API has a model %s already", name)
		return
	}
	api.models[name] = p
	api.Models = append(api.Models, &apigw.Model{
		ModelId: b.id(res, 6), Name: name, ContentType: contentType, Description: p.text("Description"), Schema: schema,
	})
}

// checkModels reports the models of an API whose schema cannot be used: AWS
// refuses to create these, unless the API has DisableSchemaValidation.
func (b *builder) checkModels(api *apiBuilder) {
	if api.DisableSchemaValidation {
		return
	}
	models := make([]*apigw.Model, len(api.Models))
	for i, m := range api.Models {
		models[i] = m
		if !api.models[m.Name].isKnown("Schema") {
			models[i] = &apigw.Model{Name: m.Name, Schema: "{}"} // so that models that refer to it are checked
		}
	}
	set := model.Compile(api.ApiId, models)
	for _, m := range models {
		if _, err := set.Model(m.Name); err != nil {
			api.models[m.Name].wrong("Schema", "Schema: %v", err)
		}
	}
}

// checkRequestModels checks the models for a route's messages.
func (b *builder) checkRequestModels(api *apiBuilder, p *properties, key string) {
	b.checkExpression(p, "ModelSelectionExpression", expression.ModelSelection)
	requested := p.textMap("RequestModels")
	for _, selected := range sortedKeys(requested) {
		if name := requested[selected]; api.models[name] == nil {
			p.wrong("RequestModels", "RequestModels: the API %s has no model %s%s", api.res.id, name, b.modelMeant(api, name))
		}
	}
	switch {
	case p.has("RequestModels") && !p.has("ModelSelectionExpression"):
		p.ignore(p.lines["RequestModels"], "RequestModels", "has no effect without a ModelSelectionExpression")
	case p.has("ModelSelectionExpression") && (key == "$connect" || key == "$disconnect"):
		p.ignore(p.lines["ModelSelectionExpression"], "ModelSelectionExpression", "has no effect on "+key+", which has no message")
	}
}

// modelMeant is a hint for a name that no model has: the model that may be
// meant.
func (b *builder) modelMeant(api *apiBuilder, name string) string {
	i := slices.IndexFunc(api.Models, func(m *apigw.Model) bool { return m.ModelId == name })
	if i >= 0 {
		return "; that is the id of " + api.Models[i].Name + ", and models go by their names here"
	}
	return b.didYouMean(name, sortedKeys(api.models))
}
