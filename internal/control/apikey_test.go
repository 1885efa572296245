package control

import (
	"regexp"
	"strings"
	"testing"

	sdkv1 "github.com/aws/aws-sdk-go-v2/service/apigateway"
	typesv1 "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
)

// key creates an API key.
func (h *harness) key(t *testing.T, name string) string {
	t.Helper()
	return *must(t, h.v1.CreateApiKey, &sdkv1.CreateApiKeyInput{Name: &name, Enabled: true}).Id
}

func driveAPIKey(t *testing.T, h *harness) {
	created := must(t, h.v1.CreateApiKey, &sdkv1.CreateApiKeyInput{
		Name: new("ann"), Description: new("of Ann"), CustomerId: new("c1"), Enabled: true, Value: new("ann-0123456789-0123456789"),
		StageKeys: []typesv1.StageKey{{RestApiId: new("abc"), StageName: new("dev")}}, Tags: map[string]string{"team": "blue"},
	})
	id := created.Id
	with := must(t, h.v1.GetApiKey, &sdkv1.GetApiKeyInput{ApiKey: id, IncludeValue: new(true)})
	same(t, sdkv1.GetApiKeyOutput(*created), *with)
	if got := must(t, h.v1.GetApiKey, &sdkv1.GetApiKeyInput{ApiKey: id}); got.Value != nil {
		t.Errorf("value %s", *got.Value)
	}
	updated := must(t, h.v1.UpdateApiKey, &sdkv1.UpdateApiKeyInput{ApiKey: id, PatchOperations: patch(
		"replace", "/name", "anna", "replace", "/description", "", "replace", "/customerId", "c2", "replace", "/enabled", "false",
		"add", "/stages", "abc/prod", "add", "/stages", "abc/prod", "remove", "/stages", "abc/dev",
	)})
	same(t, &sdkv1.UpdateApiKeyOutput{
		Id: id, Name: new("anna"), CustomerId: new("c2"), StageKeys: []string{"abc/prod"}, Tags: map[string]string{"team": "blue"},
		CreatedDate: created.CreatedDate, LastUpdatedDate: created.LastUpdatedDate,
	}, updated)
	h.key(t, "anton")
	h.key(t, "bob")
	must(t, h.v1.UpdateApiKey, &sdkv1.UpdateApiKeyInput{ApiKey: id, PatchOperations: patch("replace", "/description", "of Anna")})
	names := func(in *sdkv1.GetApiKeysInput) string {
		var names []string
		for _, key := range must(t, h.v1.GetApiKeys, in).Items {
			if names = append(names, *key.Name); (key.Value != nil) != (in.IncludeValues != nil) {
				t.Errorf("value %v", key.Value)
			}
		}
		return strings.Join(names, " ")
	}
	if got := names(&sdkv1.GetApiKeysInput{NameQuery: new("an"), CustomerId: new("c2"), IncludeValues: new(true)}); got != "anna" {
		t.Errorf("keys %s", got)
	}
	if got := names(&sdkv1.GetApiKeysInput{NameQuery: new("b")}); got != "bob" {
		t.Errorf("keys %s", got)
	}
	if page := must(t, h.v1.GetApiKeys, &sdkv1.GetApiKeysInput{Limit: new(int32(1))}); page.Position == nil {
		t.Error("no position of the second page")
	}
	must(t, h.v1.DeleteApiKey, &sdkv1.DeleteApiKeyInput{ApiKey: id})
	driveImport(t, h)
}

func driveImport(t *testing.T, h *harness) {
	plan := *must(t, h.v1.CreateUsagePlan, &sdkv1.CreateUsagePlanInput{Name: new("imported")}).Id
	file := "Name,Key,Description,Enabled,UsagePlanIds\n" +
		"carl,carl-0123456789-0123456789,\"of Carl, our friend\",TRUE,\"" + plan + "\"\n" +
		"dora,dora-0123456789-0123456789,,false,\n" +
		"eve,short,,true,\n"
	got := must(t, h.v1.ImportApiKeys, &sdkv1.ImportApiKeysInput{Format: typesv1.ApiKeysFormatCsv, Body: []byte(file)})
	same(t, []string{"Line 4: API Key value should be at least 20 characters"}, got.Warnings)
	if len(got.Ids) != 2 {
		t.Fatalf("ids %v", got.Ids)
	}
	carl := must(t, h.v1.GetApiKey, &sdkv1.GetApiKeyInput{ApiKey: &got.Ids[0], IncludeValue: new(true)})
	dora := must(t, h.v1.GetApiKey, &sdkv1.GetApiKeyInput{ApiKey: &got.Ids[1]})
	if *carl.Value != "carl-0123456789-0123456789" || *carl.Description != "of Carl, our friend" || !carl.Enabled || dora.Enabled {
		t.Errorf("imported %+v, %+v", carl, dora)
	}
	keys := must(t, h.v1.GetUsagePlanKeys, &sdkv1.GetUsagePlanKeysInput{UsagePlanId: &plan})
	if len(keys.Items) != 1 || *keys.Items[0].Id != *carl.Id {
		t.Errorf("keys of the plan %+v", keys.Items)
	}
}

// What is made when nothing is given: section I.4. Ids tell nothing of values.
func TestCreateAPIKey(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	one := must(t, h.v1.CreateApiKey, &sdkv1.CreateApiKeyInput{})
	other := must(t, h.v1.CreateApiKey, &sdkv1.CreateApiKeyInput{GenerateDistinctId: false, Value: new(strings.Repeat("v", 128))})
	if !regexp.MustCompile(`^[0-9A-Za-z]{40}$`).MatchString(*one.Value) || one.Enabled || one.Name != nil {
		t.Errorf("key %+v", one)
	}
	if strings.Contains(*other.Value, *other.Id) || *one.Id == *other.Id {
		t.Errorf("key %+v", other)
	}
}

func TestAPIKeyErrors(t *testing.T) {
	t.Parallel()
	h := start(t, func(o *Options) { o.Quotas.APIKeys = 1 })
	const value = "ann-0123456789-0123456789"
	id := must(t, h.v1.CreateApiKey, &sdkv1.CreateApiKeyInput{Value: new(value)}).Id
	create := func(value string) *sdkv1.CreateApiKeyInput { return &sdkv1.CreateApiKeyInput{Value: &value} }
	change := func(texts ...string) *sdkv1.UpdateApiKeyInput {
		return &sdkv1.UpdateApiKeyInput{ApiKey: id, PatchOperations: patch(texts...)}
	}
	file := func(text string) *sdkv1.ImportApiKeysInput {
		return &sdkv1.ImportApiKeysInput{Format: "csv", Body: []byte(text), FailOnWarnings: true}
	}
	const paths = "Must be one of: [/customerId, /description, /enabled, /name]"
	noKey := missing("Invalid API Key identifier specified")
	refuse(t, []errorCase{
		{"I.4", call(h.v1.CreateApiKey, create("short")), badRequest("API Key value should be at least 20 characters")},
		{"I.4", call(h.v1.CreateApiKey, create(strings.Repeat("v", 129))), badRequest("API Key value exceeds maximum size of 128 characters")},
		{"I.4", call(h.v1.CreateApiKey, create(value+" ")), badRequest("API Key value must consist of printable ASCII characters without spaces")},
		{"I.4", call(h.v1.CreateApiKey, create(value)), conflict("API Key already exists")},
		{"H.2", call(h.v1.CreateApiKey, create("")), used("ApiKeys", "account")},
		{"I.4", call(h.v1.GetApiKey, &sdkv1.GetApiKeyInput{ApiKey: new("nothere")}), noKey},
		{"I.4", call(h.v1.UpdateApiKey, &sdkv1.UpdateApiKeyInput{ApiKey: new("nothere")}), noKey},
		{"I.4", call(h.v1.DeleteApiKey, &sdkv1.DeleteApiKeyInput{ApiKey: new("nothere")}), noKey},
		{"I.4", call(h.v1.UpdateApiKey, change("replace", "/value", "x")), badRequest("Invalid patch path  '/value' specified for op 'replace'. " + paths)},
		{"I.4", call(h.v1.UpdateApiKey, change("copy", "/name", "x")), badRequest("Invalid patch path  '/name' specified for op 'copy'. Must be one of: []")},
		{"I.4", call(h.v1.UpdateApiKey, change("upsert", "/name", "x")), badRequest("Invalid patchOperations[0].op specified. Must be one of [add, remove, replace, move, copy, test]")},
		{"I.4", call(h.v1.UpdateApiKey, change("replace", "/name", "lost", "replace", "/enabled", "perhaps")), badRequest("Invalid enabled specified: perhaps")},
		{"H.1", call(h.v1.GetApiKeys, &sdkv1.GetApiKeysInput{Limit: new(int32(0))}), badRequest("Invalid limit specified: 0")},
		{"H.1", call(h.v1.GetApiKeys, &sdkv1.GetApiKeysInput{Position: new("%")}), badRequest("Invalid position specified: %")},
		{"I.4", call(h.v1.ImportApiKeys, file("\n")), badRequest("Invalid API Key file: it is empty")},
		{"I.4", call(h.v1.ImportApiKeys, file("name,value\n")), badRequest("Invalid API Key file: the column key is missing")},
		{"I.4", call(h.v1.ImportApiKeys, file("name,key,enabled\nann,"+value+",perhaps\n")), badRequest(`Invalid API Key file: line 2: enabled is TRUE or FALSE, not "perhaps"`)},
		{"I.4", call(h.v1.ImportApiKeys, file("name,key\nann\n")), badRequest("Invalid API Key file: record on line 2: wrong number of fields")},
		{"I.4", call(h.v1.ImportApiKeys, file("name,key\nann,"+value+"\nbob,short\n")),
			badRequest("Line 2: API Key already exists; Line 3: API Key value should be at least 20 characters")},
	})
	if got := must(t, h.v1.GetApiKey, &sdkv1.GetApiKeyInput{ApiKey: id}); got.Name != nil {
		t.Errorf("name %s was kept of a refused update (section H.1)", *got.Name)
	}
}
