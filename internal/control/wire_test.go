package control

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// text returns the body that a request is answered with.
func (h *harness) text(t *testing.T, method, path, body string) string {
	t.Helper()
	got, err := io.ReadAll(h.send(t, method, path, body).Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

// Requests that no AWS tool makes get an answer in AWS's form.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	api := "/v2/apis/" + h.api(t)
	tests := []struct {
		name, method, path, body string
		status                   int
		kind, message            string
	}{
		{"unknown path", "GET", "/v2/nothing", "", 404, "UnknownOperationException", "API Gateway has no operation at /v2/nothing"},
		{"root", "GET", "/", "", 404, "UnknownOperationException", "API Gateway has no operation at /"},
		{"slash at the end", "GET", "/v2/apis/", "", 404, "UnknownOperationException", "API Gateway has no operation at /v2/apis/"},
		{"half an operation's path", "GET", "/v2", "", 404, "UnknownOperationException", "API Gateway has no operation at /v2"},
		{"empty id", "GET", "/v2/apis//routes", "", 404, "UnknownOperationException", "API Gateway has no operation at /v2/apis//routes"},
		{"wrong method", "POST", api, "{}", 405, "MethodNotAllowedException", "API Gateway has no operation POST at " + api},
		{"no JSON", "PATCH", api, "{", 400, "SerializationException", "The request's body is not valid JSON: unexpected EOF"},
		{"more than JSON", "PATCH", api, "{}x", 400, "SerializationException", "The request's body is not valid JSON: there is something after the object"},
		{"array", "PATCH", api, "[]", 400, "SerializationException", "The request's body must be a JSON object."},
		{"wrong type", "PATCH", api, `{"name":1}`, 400, "SerializationException", "Invalid value for name: a JSON number is of the wrong type."},
		{"wrong type within", "POST", api + "/routes", `{"routeKey":"a","requestParameters":{"b":{"required":"yes"}}}`, 400, "SerializationException",
			"Invalid value for requestParameters.required: a JSON string is of the wrong type."},
		{"null within", "POST", api + "/routes", `{"routeKey":"a","requestParameters":{"b":null}}`, 400, "BadRequestException",
			"Invalid value for requestParameters[b]: it must not be null."},
		{"missing member", "POST", api + "/routes", "", 400, "BadRequestException", "Missing required member: routeKey"},
		{"long", "PATCH", api, `{"name":"` + strings.Repeat("ä", 129) + `"}`, 400, "BadRequestException", "Invalid value for name: it must have between 1 and 128 characters."},
		{"deep", "PATCH", api, `{"x":` + strings.Repeat("[", 20000), 400, "SerializationException", "The request's body is not valid JSON: invalid character '[' exceeded max depth"},
		{"too large", "PATCH", api, strings.Repeat(" ", maxBodyBytes+1), 413, "RequestEntityTooLargeException", "Request body is too large: the limit is 10 MiB."},
		{"bad query", "GET", "/v2/apis?a=%zz", "", 400, "BadRequestException", `Invalid query string: invalid URL escape "%zz"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			response := h.send(t, test.method, test.path, test.body)
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := encode(map[string]string{"message": test.message})
			if response.StatusCode != test.status || response.Header.Get("x-amzn-ErrorType") != test.kind || string(body) != string(want) {
				t.Errorf("%d %s %s", response.StatusCode, response.Header.Get("x-amzn-ErrorType"), body)
			}
			if response.Header.Get("x-amzn-RequestId") == "" {
				t.Error("no request id")
			}
		})
	}
}

// The id of the path counts, whatever the body says.
func TestPathWinsOverBody(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	one, other := h.api(t), h.api(t)
	h.send(t, "PATCH", "/v2/apis/"+one, `{"apiId":"`+other+`","ApiId":"`+other+`","name":"changed"}`)
	for id, name := range map[string]string{one: "changed", other: "chat"} {
		if got, _, err := h.store.APIs.Get(t.Context(), id); err != nil || got.Name != name {
			t.Errorf("%s: %v %v", id, got, err)
		}
	}
}

// Times are in UTC, to the second: section H.1.
func TestTimestamps(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	if got := h.text(t, "GET", "/v2/apis/"+h.api(t), ""); !strings.Contains(got, `"createdDate":"2026-09-25T00:01:11Z"`) {
		t.Error(got)
	}
}

// Authorize is asked first, in IAM's terms, and may read the body.
func TestAuthorize(t *testing.T) {
	t.Parallel()
	type question struct{ action, resource, body string }
	questions := make(chan question, 3)
	h := start(t, func(o *Options) {
		o.Authorize = func(r *http.Request, action, resource string) *apigw.Error {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			questions <- question{action, resource, string(body)}
			if r.URL.Path == "/v2/apis" {
				return nil
			}
			return apigw.ErrForbidden
		}
	})
	body := `{"name":"chat","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.action"}`
	if response := h.send(t, "POST", "/v2/apis", body); response.StatusCode != 201 {
		t.Errorf("status %d", response.StatusCode)
	}
	for _, path := range []string{"/v2/apis/x/routes", "/v2/nothing"} {
		if response := h.send(t, "GET", path, ""); response.StatusCode != 403 {
			t.Errorf("%s: status %d", path, response.StatusCode)
		}
	}
	for _, want := range []question{
		{"apigateway:POST", "arn:aws:apigateway:us-east-1::/apis", body},
		{"apigateway:GET", "arn:aws:apigateway:us-east-1::/apis/x/routes", ""},
		{"apigateway:GET", "arn:aws:apigateway:us-east-1::/nothing", ""},
	} {
		if got := <-questions; got != want {
			t.Errorf("asked %+v, want %+v", got, want)
		}
	}
}
