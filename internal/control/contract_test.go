package control

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw/wire"
	"github.com/stagedoor/stagedoor/internal/apigw/wirev1"
	"github.com/stagedoor/stagedoor/internal/usage"
)

// contracts drive the operations of a resource, each at least once with
// success, and show every member of the answers that WebSocket APIs have.
var contracts = []struct {
	resource string
	drive    func(*testing.T, *harness)
}{
	{"Api", driveAPI},
	{"Route", driveRoute},
	{"RouteResponse", driveRouteResponse},
	{"Integration", driveIntegration},
	{"IntegrationResponse", driveIntegrationResponse},
	{"DomainName", driveDomainName},
	{"ApiMapping", driveAPIMapping},
	{"Model", driveModel},
	{"Authorizer", driveAuthorizer},
	{"Deployment", driveDeployment},
	{"Stage", driveStage},
	{"Tags", driveTags},
	{"VpcLink", driveVPCLink},
	{"VpcLink of v1", driveVPCLinkV1},
	{"ApiKey", driveAPIKey},
	{"UsagePlan", driveUsagePlan},
	{"Account", driveAccount},
	{"Tags of v1", driveTagsV1},
}

// absent are members of answers that WebSocket APIs never have.
var absent = map[string][]string{
	"Api":   {"apiGatewayManaged", "corsConfiguration", "importInfo", "warnings"},
	"Route": {"apiGatewayManaged", "authorizationScopes"},
	// A route has one route response at most.
	"GetRouteResponsesResponse": {"nextToken"},
	"Integration":               {"apiGatewayManaged", "integrationSubtype", "responseParameters", "tlsConfig"},
	"Authorizer":                {"authorizerPayloadFormatVersion", "authorizerResultTtlInSeconds", "enableSimpleResponses", "jwtConfiguration"},
	"Deployment":                {"deploymentStatusMessage"},
	"Stage":                     {"apiGatewayManaged", "clientCertificateId"},
	"DomainName":                {"mutualTlsAuthentication"},
	"DomainNameConfiguration":   {"certificateUploadDate", "domainNameStatusMessage", "hostedZoneId"},
	// Values of keys stand in no list of a plan's, and lists have no warnings.
	"wirev1.UsagePlanKey": {"value"},
	"wirev1.ApiKeys":      {"warnings"},
}

// Every operation is driven with AWS's own client, and every member of every
// answer is held against the service's model.
func TestContract(t *testing.T) {
	t.Parallel()
	h := start(t, func(o *Options) { o.Requests = usage.Rate{PerSecond: 100, Burst: 20} })
	auditor := newAuditor(t, h.http.Transport)
	h.use(auditor)
	for _, c := range contracts {
		t.Run(c.resource, func(t *testing.T) { c.drive(t, h) })
	}
	auditor.finish()
}

// auditor checks answers on their way to the client.
type auditor struct {
	t          *testing.T
	next       http.RoundTripper
	router     *router
	operations map[string]handler

	mu      sync.Mutex // guards the following
	done    map[string]bool
	members map[string]map[string]bool // of answers, by structure
}

func newAuditor(t *testing.T, next http.RoundTripper) *auditor {
	a := &auditor{
		t: t, next: next, router: newRouter(slices.Concat(wire.Endpoints, wirev1.Endpoints), nil),
		operations: make(map[string]handler), done: make(map[string]bool), members: make(map[string]map[string]bool),
	}
	for _, h := range new(server).operations() {
		a.operations[h.key()] = h
	}
	return a
}

func (a *auditor) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := a.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(body))
	if response.StatusCode < 300 {
		a.audit(r, response, body)
	}
	return response, err
}

func (a *auditor) audit(r *http.Request, response *http.Response, body []byte) {
	found, _, err := a.router.find(r)
	if err != nil {
		a.t.Errorf("%s %s: %v", r.Method, r.URL, err)
		return
	}
	operation := a.operations[found.key()]
	a.mu.Lock()
	defer a.mu.Unlock()
	a.done[found.key()] = true
	if response.StatusCode != operation.Status {
		a.t.Errorf("%s: status %d, want %d", found.Name, response.StatusCode, operation.Status)
	}
	if operation.response == reflect.TypeFor[wire.None]() {
		if len(body) > 0 {
			a.t.Errorf("%s: body %s, want none", found.Name, body)
		}
		return
	}
	if response.Header.Get("Content-Type") != "application/json" || response.Header.Get("x-amzn-RequestId") == "" {
		a.t.Errorf("%s: headers %v", found.Name, response.Header)
	}
	answer := reflect.New(operation.response)
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(answer.Interface()); err != nil {
		a.t.Errorf("%s: %v\n%s", found.Name, err, body)
	}
	if err := describe(operation.response).check(answer.Elem(), "", false); err != nil {
		a.t.Errorf("%s: %v\n%s", found.Name, err, body)
	}
	a.note(answer.Elem())
}

// note remembers the members that a structure and those within it have.
func (a *auditor) note(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		a.note(v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			a.note(v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			a.note(v.MapIndex(key))
		}
	case reflect.Struct:
		for _, m := range describe(v.Type()).members {
			name := structureName(v.Type())
			if a.members[name] == nil {
				a.members[name] = make(map[string]bool)
			}
			a.members[name][m.name] = a.members[name][m.name] || !v.Field(m.index).IsZero()
			if m.inner != nil && !v.Field(m.index).IsZero() {
				a.note(v.Field(m.index))
			}
		}
	}
}

// key tells an operation from one of the same name in the other version.
func (h handler) key() string { return h.Name + " " + h.Path }

// structureName is the name of a structure, of v1 with its package.
func structureName(t reflect.Type) string { return strings.TrimPrefix(t.String(), "wire.") }

// finish tells what was not driven, and which members were never seen.
func (a *auditor) finish() {
	for name := range a.operations {
		if !a.done[name] {
			a.t.Errorf("%s was not driven with success", name)
		}
	}
	for structure, members := range a.members {
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if members[name] == slices.Contains(absent[structure], name) {
				a.t.Errorf("member %s of %s: seen %t", name, structure, members[name])
			}
		}
	}
}

// What this gateway does not have says so, in AWS's form.
func TestOtherOperations(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	mine := make(map[string]bool)
	for _, o := range new(server).operations() {
		mine[o.key()] = true
	}
	for _, e := range slices.Concat(wire.Endpoints, wirev1.Endpoints) {
		if mine[handler{Endpoint: e}.key()] {
			continue
		}
		response := h.send(t, e.Method, strings.NewReplacer("{", "", "}", "").Replace(e.Path), "")
		body, _ := io.ReadAll(response.Body)
		want := `{"message":"Operation ` + e.Name + ` is not available: this is Stagedoor, a gateway for WebSocket APIs."}`
		if response.StatusCode != 501 || response.Header.Get("x-amzn-ErrorType") != "NotImplementedException" || string(body) != want {
			t.Errorf("%s: %d %s %s", e.Name, response.StatusCode, response.Header.Get("x-amzn-ErrorType"), body)
		}
	}
}
