package server

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
)

// writer changes an API that nobody else changes, and knows what it has to be.
type writer struct {
	t           *testing.T
	api         string
	integration string // that of the route $default
	number      int    // of the last change: in several members of what it made
	known       map[item]string
	tried       *attempt // a change that was not answered
}

// item is a resource; one that is to be created has no id.
type item struct{ kind, id string }

type attempt struct {
	item
	number  int
	removes bool
}

// request does an operation.
type request func(context.Context) (any, error)

func bind[In, Out any](operation func(context.Context, *In, ...func(*sdk.Options)) (*Out, error), in *In) request {
	return func(ctx context.Context) (any, error) { return operation(ctx, in) }
}

// kinds are what a writer changes.
var kinds = []string{"route", "integration", "response", "stage", "deployment"}

// identifiers are the members that have the ids, by kind.
var identifiers = map[string]string{
	"route": "RouteId", "integration": "IntegrationId", "response": "IntegrationResponseId",
	"stage": "StageName", "deployment": "DeploymentId",
}

// most is how many resources of a kind an API gets; of stages it may have ten.
const most = 8

// next chooses a change.
func (w *writer) next(client *sdk.Client) request {
	kind := kinds[rand.IntN(len(kinds))]
	var ids []string
	for i := range w.known {
		if i.kind == kind {
			ids = append(ids, i.id) // in no order
		}
	}
	w.tried = &attempt{item{kind: kind}, w.number, false}
	switch chance := rand.IntN(6); {
	case kind == "response":
		w.tried.id = ids[0]
		return w.update(client, kind, ids[0])
	case len(ids) < 3, len(ids) < most && chance < 2:
		return w.create(client, kind)
	case (len(ids) >= most || chance == 2) && !w.isUsed(ids[0]):
		w.tried.id, w.tried.removes = ids[0], true
		return w.remove(client, kind, ids[0])
	}
	w.tried.id = ids[0]
	return w.update(client, kind, ids[0])
}

// isUsed reports whether a stage points at a deployment.
func (w *writer) isUsed(id string) bool {
	for i, text := range w.known {
		if i.kind == "stage" && strings.Contains(text, `"`+id+`"`) && i.id != id {
			return true
		}
	}
	return false
}

// mark is what stands in several members of what a change makes, and in no id
// that the gateway chose.
func (w *writer) mark() *string { return new(fmt.Sprintf("~%d~", w.number)) }

// templates are templates with the mark.
func (w *writer) templates() map[string]string {
	return map[string]string{"$default": *w.mark(), "other": *w.mark(), "long": strings.Repeat(*w.mark()+" ", 1+w.number%200)}
}

func (w *writer) variables() map[string]string {
	return map[string]string{"a": *w.mark(), "b": *w.mark()}
}

func (w *writer) create(client *sdk.Client, kind string) request {
	switch kind {
	case "route":
		return bind(client.CreateRoute, &sdk.CreateRouteInput{
			ApiId: &w.api, RouteKey: w.mark(), OperationName: w.mark(), Target: new("integrations/" + w.integration),
		})
	case "integration":
		return bind(client.CreateIntegration, &sdk.CreateIntegrationInput{
			ApiId: &w.api, IntegrationType: "MOCK", Description: w.mark(), RequestTemplates: w.templates(),
		})
	case "stage":
		return bind(client.CreateStage, &sdk.CreateStageInput{
			ApiId: &w.api, StageName: new(fmt.Sprint("s", w.number)), Description: w.mark(), StageVariables: w.variables(),
		})
	default:
		return bind(client.CreateDeployment, &sdk.CreateDeploymentInput{ApiId: &w.api, Description: w.mark()})
	}
}

func (w *writer) update(client *sdk.Client, kind, id string) request {
	switch kind {
	case "route":
		return bind(client.UpdateRoute, &sdk.UpdateRouteInput{ApiId: &w.api, RouteId: &id, RouteKey: w.mark(), OperationName: w.mark()})
	case "integration":
		return bind(client.UpdateIntegration, &sdk.UpdateIntegrationInput{
			ApiId: &w.api, IntegrationId: &id, Description: w.mark(), RequestTemplates: w.templates(),
		})
	case "response":
		return bind(client.UpdateIntegrationResponse, &sdk.UpdateIntegrationResponseInput{
			ApiId: &w.api, IntegrationId: &w.integration, IntegrationResponseId: &id, ResponseTemplates: w.templates(),
		})
	case "stage":
		in := &sdk.UpdateStageInput{ApiId: &w.api, StageName: &id, Description: w.mark(), StageVariables: w.variables()}
		for i := range w.known {
			if i.kind == "deployment" {
				in.DeploymentId = &i.id
			}
		}
		return bind(client.UpdateStage, in)
	default:
		return bind(client.UpdateDeployment, &sdk.UpdateDeploymentInput{ApiId: &w.api, DeploymentId: &id, Description: w.mark()})
	}
}

func (w *writer) remove(client *sdk.Client, kind, id string) request {
	switch kind {
	case "route":
		return bind(client.DeleteRoute, &sdk.DeleteRouteInput{ApiId: &w.api, RouteId: &id})
	case "integration":
		return bind(client.DeleteIntegration, &sdk.DeleteIntegrationInput{ApiId: &w.api, IntegrationId: &id})
	case "stage":
		return bind(client.DeleteStage, &sdk.DeleteStageInput{ApiId: &w.api, StageName: &id})
	default:
		return bind(client.DeleteDeployment, &sdk.DeleteDeploymentInput{ApiId: &w.api, DeploymentId: &id})
	}
}

// list gives all that the API has, page by page, but for what is the same during
// the whole test and for what the gateway deploys by itself.
func (w *writer) list(client *sdk.Client) map[item]string {
	w.t.Helper()
	found := make(map[item]string)
	add := func(kind string, v any) {
		text := canonical(w.t, v)
		if !strings.Contains(text, `"`+base+`"`) && !strings.Contains(text, `"AutoDeployed":true`) {
			found[item{kind, idOf(w.t, kind, text)}] = text
		}
	}
	const pageSize = "3"
	for in := (&sdk.GetRoutesInput{ApiId: &w.api, MaxResults: new(pageSize)}); ; {
		page := must(w.t, client.GetRoutes, in)
		for _, v := range page.Items {
			add("route", v)
		}
		if in.NextToken = page.NextToken; in.NextToken == nil {
			break
		}
	}
	for _, v := range must(w.t, client.GetIntegrations, &sdk.GetIntegrationsInput{ApiId: &w.api}).Items {
		add("integration", v)
	}
	for _, v := range must(w.t, client.GetIntegrationResponses, &sdk.GetIntegrationResponsesInput{ApiId: &w.api, IntegrationId: &w.integration}).Items {
		add("response", v)
	}
	for _, v := range must(w.t, client.GetStages, &sdk.GetStagesInput{ApiId: &w.api}).Items {
		add("stage", v)
	}
	for _, v := range must(w.t, client.GetDeployments, &sdk.GetDeploymentsInput{ApiId: &w.api}).Items {
		add("deployment", v)
	}
	return found
}

// canonical is a resource as text, without what differs between the answer to a
// change and a list.
func canonical(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	var members map[string]any
	if err == nil {
		err = json.Unmarshal(text, &members)
	}
	for name, member := range members {
		if member == nil || name == "ResultMetadata" || name == "LastUpdatedDate" {
			delete(members, name)
		}
	}
	if err == nil {
		text, err = json.Marshal(members)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func idOf(t *testing.T, kind, text string) string {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		t.Fatal(err)
	}
	id, _ := members[identifiers[kind]].(string)
	return id
}

// templateOf is the template of an integration response.
func templateOf(t *testing.T, text string) string {
	t.Helper()
	var response struct{ ResponseTemplates map[string]string }
	if err := json.Unmarshal([]byte(text), &response); err != nil {
		t.Fatal(err)
	}
	return response.ResponseTemplates["$default"]
}

var marks = regexp.MustCompile(`~(\d+)~`)

// numberOf is the number of the change that made a resource what it is, 0 for
// none, and -1 for one that several made.
func numberOf(text string) int {
	number := 0
	for i, mark := range marks.FindAllStringSubmatch(text, -1) {
		var n int
		if _, err := fmt.Sscan(mark[1], &n); err != nil || i > 0 && n != number {
			return -1
		}
		number = n
	}
	return number
}
