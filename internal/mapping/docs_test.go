package mapping_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/mapping"
)

// block is a block of code of the page, with its language.
type block struct{ language, code string }

func blocksOfPage(t *testing.T) (page string, blocks []block) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "docs", "templates.md"))
	if err != nil {
		t.Fatal(err)
	}
	page = string(content)
	for _, found := range regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$").FindAllStringSubmatch(page, -1) {
		blocks = append(blocks, block{language: found[1], code: strings.TrimSuffix(found[2], "\n")})
	}
	return page, blocks
}

// The templates of docs/templates.md print what the page says.
func TestTemplatesOfThePage(t *testing.T) {
	t.Parallel()
	_, blocks := blocksOfPage(t)
	tested := 0
	var input string
	for i, b := range blocks {
		switch b.language {
		case "json":
			input = b.code
		case "velocity":
			if i+1 == len(blocks) || blocks[i+1].language != "text" {
				t.Errorf("no output follows\n%s", b.code)
				continue
			}
			c := goldenCase{template: b.code, event: input}
			if diff := cmp.Diff(blocks[i+1].code, c.render(t)); diff != "" {
				t.Errorf("%s\n%s", b.code, diff)
			}
			tested++
		}
	}
	if tested == 0 {
		t.Error("the page has no templates")
	}
}

// resource is a resource of a template.
type resource struct {
	Type       string         `yaml:"Type"`
	Properties map[string]any `yaml:"Properties"`
}

// resourcesOfPage are the resources of docs/templates.md by their names.
func resourcesOfPage(t *testing.T) map[string]resource {
	t.Helper()
	_, blocks := blocksOfPage(t)
	all := map[string]resource{}
	for _, b := range blocks {
		if b.language != "yaml" {
			continue
		}
		var resources map[string]resource
		if err := yaml.Unmarshal([]byte(b.code), &resources); err != nil {
			t.Fatalf("%v\n%s", err, b.code)
		}
		for name, r := range resources {
			if r.Properties["ApiId"] != "Api" {
				t.Errorf("%s names no API", name)
			}
			delete(r.Properties, "ApiId")
			all[name] = r
		}
	}
	return all
}

// integrationOfPage is an integration with its responses.
func integrationOfPage(t *testing.T, resources map[string]resource, name string) *apigw.Integration {
	t.Helper()
	i := decode[apigw.Integration](t, resources[name].Properties)
	for _, key := range slices.Sorted(maps.Keys(resources)) {
		if r := resources[key]; r.Properties["IntegrationId"] == name {
			properties := maps.Clone(r.Properties)
			delete(properties, "IntegrationId")
			response := decode[apigw.IntegrationResponse](t, properties)
			i.IntegrationResponses = append(i.IntegrationResponses, &response)
		}
	}
	return &i
}

// The integrations and routes of docs/templates.md compile, with the integration
// responses that name them.
func TestConfigurationsOfThePage(t *testing.T) {
	t.Parallel()
	resources := resourcesOfPage(t)
	tested := 0
	for name, r := range resources {
		switch r.Type {
		case "AWS::ApiGatewayV2::Route":
			route := decode[apigw.Route](t, r.Properties)
			if _, err := mapping.CompileRequired(route.RequestParameters); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case "AWS::ApiGatewayV2::Integration":
			i := integrationOfPage(t, resources, name)
			tested += len(i.IntegrationResponses)
			compileRequest(t, i)
			compileResponses(t, i)
		case "AWS::ApiGatewayV2::IntegrationResponse":
			continue // with its integration
		default:
			t.Errorf("%s is a %s", name, r.Type)
		}
		tested++
	}
	if tested != len(resources) || tested < 5 {
		t.Errorf("%d of %d resources tested", tested, len(resources))
	}
}

func decode[T any](t *testing.T, properties map[string]any) (v T) {
	t.Helper()
	text, err := json.Marshal(properties)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// Each $context variable of the page (K.1) is one that an event is asked for.
func TestVariablesOfThePage(t *testing.T) {
	t.Parallel()
	page, _ := blocksOfPage(t)
	_, table, _ := strings.Cut(page, "| Of the event |")
	table, _, _ = strings.Cut("| Of the event |"+table, "\n\n")
	quoted := regexp.MustCompile("`([^`]+)`")
	tested := 0
	for row := range strings.Lines(table) {
		cells := strings.Split(row, "|")
		groups := []string{""}
		if names := quoted.FindAllStringSubmatch(cells[1], -1); names != nil {
			groups = nil
			for _, name := range names {
				groups = append(groups, name[1])
			}
		}
		for _, group := range groups {
			for _, name := range quoted.FindAllStringSubmatch(cells[2], -1) {
				full := group + name[1]
				e := &fakeEvent{Variables: map[string]any{full: "value of " + full}}
				if full == "authorizer.principalId" {
					e = &fakeEvent{Returned: map[string]string{"principalId": "value of " + full}}
				}
				requests := compileRequest(t, &apigw.Integration{RequestTemplates: map[string]string{"$default": "$context." + full}})
				request, err := requests.Map(t.Context(), mapping.NewExchange(e))
				if err != nil || string(request.Body) != "value of "+full {
					t.Errorf("%s: %v, %v", full, request, err)
				}
				tested++
			}
		}
	}
	if tested < 40 {
		t.Errorf("%d variables tested", tested)
	}
}

// The whole way of the page's MOCK integration (D.5).
func TestMockOfThePage(t *testing.T) {
	t.Parallel()
	i := integrationOfPage(t, resourcesOfPage(t), "Ping")
	x := mapping.NewExchange(readEvent(t, tableEvent))
	request, err := compileRequest(t, i).Map(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	status, err := mapping.MockStatus(request.Body)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := compileResponses(t, i).Map(t.Context(), x, &mapping.Response{Status: status})
	if got := describeReply(reply, err); got != `{"pong": "1790000000000"} 200 map[]` {
		t.Error(got)
	}
}
