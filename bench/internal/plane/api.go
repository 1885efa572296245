package plane

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// Stage is the name of the stage that every API has.
const Stage = "prod"

// API is an API of a gateway. The route that is for measurements answers each
// message with the stage variable "number" and a number of the API's own.
type API struct {
	ID string

	client                *Client
	integration, response string // of the route for measurements
	model                 string // one of the models
}

// Path is where clients connect.
func (a *API) Path() string { return "/_aws/execute-api/" + a.ID + "/" + Stage }

// Create makes an API with some routes, two at least, and deploys it on its
// stage. Every route has an integration of its own with templates, and a route
// response; all but that for measurements have a model.
func (c *Client) Create(ctx context.Context, routes int) (*API, error) {
	id, err := c.create(ctx, "", object{
		"name": "bench", "protocolType": "WEBSOCKET", "routeSelectionExpression": "$request.body.action",
	}, "apiId")
	if err != nil {
		return nil, err
	}
	a := &API{ID: id, client: c}
	for i := range routes - 1 {
		if err := a.addRoute(ctx, i); err != nil {
			return nil, err
		}
	}
	if err := a.addProbe(ctx); err != nil {
		return nil, err
	}
	if _, err := c.create(ctx, "/"+id+"/stages", object{"stageName": Stage, "stageVariables": object{"number": "0"}}, ""); err != nil {
		return nil, err
	}
	return a, a.Deploy(ctx)
}

// addRoute adds a route as real ones are: a model of some members, a request
// template with a loop, a response template.
func (a *API) addRoute(ctx context.Context, i int) error {
	name := fmt.Sprint("Model", i)
	model, err := a.client.create(ctx, "/"+a.ID+"/models", object{"name": name, "contentType": "application/json", "schema": schema(i, "")}, "modelId")
	if err != nil {
		return err
	}
	a.model = model
	integration, _, err := a.addIntegration(ctx, fmt.Sprintf(requestTemplate, i), responseTemplate)
	if err != nil {
		return err
	}
	return a.route(ctx, fmt.Sprint("action", i), integration, object{
		"modelSelectionExpression": "$request.body.action", "requestModels": object{"$default": name},
	})
}

const (
	requestTemplate = `#set($body = $input.path('$'))
{"statusCode": 200, "id": "$context.connectionId", "stage": "$stageVariables.number", "route": %d,
 "tags": [#foreach($tag in $body.tags)"$util.escapeJavaScript($tag)"#if($foreach.hasNext),#end#end]}`
	responseTemplate = `{"text": $input.json('$.text'), "at": $context.requestTimeEpoch}`
)

// schema is the model of a route.
func schema(i int, description string) string {
	return fmt.Sprintf(`{"$schema": "http://json-schema.org/draft-04/schema#", "title": "Model%d", "description": %q,
 "type": "object", "required": ["action", "room", "text"], "properties": {
  "action": {"enum": ["action%d"]}, "room": {"type": "string", "pattern": "^[a-z0-9-]{1,64}$"},
  "text": {"type": "string", "maxLength": 4096}, "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 16}}}`, i, description, i)
}

func (a *API) addIntegration(ctx context.Context, request, response string) (integration, responseID string, err error) {
	integration, err = a.client.create(ctx, "/"+a.ID+"/integrations", object{
		"integrationType": "MOCK", "templateSelectionExpression": "$default", "requestTemplates": object{"$default": request},
	}, "integrationId")
	if err != nil {
		return "", "", err
	}
	responseID, err = a.client.create(ctx, "/"+a.ID+"/integrations/"+integration+"/integrationresponses", object{
		"integrationResponseKey": "$default", "templateSelectionExpression": "$default", "responseTemplates": object{"$default": response},
	}, "integrationResponseId")
	return integration, responseID, err
}

func (a *API) route(ctx context.Context, key, integration string, members object) error {
	members["routeKey"], members["target"] = key, "integrations/"+integration
	route, err := a.client.create(ctx, "/"+a.ID+"/routes", members, "routeId")
	if err != nil {
		return err
	}
	_, err = a.client.create(ctx, "/"+a.ID+"/routes/"+route+"/routeresponses", object{"routeResponseKey": "$default"}, "")
	return err
}

// addProbe adds the route that is for measurements.
func (a *API) addProbe(ctx context.Context) (err error) {
	a.integration, a.response, err = a.addIntegration(ctx, `{"statusCode": 200}`, probe(0))
	if err != nil {
		return err
	}
	return a.route(ctx, "$default", a.integration, object{})
}

func probe(number int) string { return fmt.Sprintf("$stageVariables.number %d", number) }

// SetVariable changes the stage variable.
func (a *API) SetVariable(ctx context.Context, number int) error {
	return a.client.update(ctx, "/"+a.ID+"/stages/"+Stage, object{"stageVariables": object{"number": fmt.Sprint(number)}})
}

// SetTemplate changes the number of the API's own, in a template.
func (a *API) SetTemplate(ctx context.Context, number int) error {
	return a.SetAnswer(ctx, probe(number))
}

// SetAnswer changes the template of the answers of the route for measurements. It
// takes effect with the next deployment.
func (a *API) SetAnswer(ctx context.Context, template string) error {
	return a.client.update(ctx, "/"+a.ID+"/integrations/"+a.integration+"/integrationresponses/"+a.response,
		object{"responseTemplates": object{"$default": template}})
}

// SetModel changes one of the models.
func (a *API) SetModel(ctx context.Context, number int) error {
	return a.client.update(ctx, "/"+a.ID+"/models/"+a.model, object{"schema": schema(number, "changed")})
}

// Deploy deploys the API as it is.
func (a *API) Deploy(ctx context.Context) error {
	_, err := a.client.create(ctx, "/"+a.ID+"/deployments", object{"stageName": Stage}, "deploymentId")
	return err
}

// DeployAutomatically has every change deployed from now on.
func (a *API) DeployAutomatically(ctx context.Context) error {
	return a.client.update(ctx, "/"+a.ID+"/stages/"+Stage, object{"autoDeploy": true})
}

// writers are those that fill a gateway at the same time.
const writers = 8

// Fill makes many APIs, and tells of each.
func (c *Client) Fill(ctx context.Context, apis, routes int, made func(done int)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next, done atomic.Int64
	var wait sync.WaitGroup
	for range writers {
		wait.Go(func() {
			for next.Add(1) <= int64(apis) && ctx.Err() == nil {
				if _, err := c.Create(ctx, routes); err != nil {
					cancel(err)
					return
				}
				made(int(done.Add(1)))
			}
		})
	}
	wait.Wait()
	return context.Cause(ctx)
}
