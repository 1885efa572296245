package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// mock answers without calling anything: with the status code that its
// request template gives and an empty body.
type mock struct{ status int }

func (b mock) Invoke(context.Context, *Request) (*Response, error) {
	if b.status == 0 {
		return nil, &Error{FailureConfiguration, "mock integration: statusCode should be an integer defined in the request template"}
	}
	return &Response{Status: b.status, Header: http.Header{}}, nil
}

func buildMock(i *apigw.Integration) (Backend, error) {
	template, found := requestTemplate(i)
	if !found {
		return mock{}, nil
	}
	if strings.ContainsAny(template, "$#") {
		return nil, fmt.Errorf("mapping templates with variables or directives are not available in this version of Stagedoor")
	}
	for _, response := range i.IntegrationResponses {
		if len(response.ResponseTemplates) > 0 {
			return nil, fmt.Errorf("response templates are not available in this version of Stagedoor")
		}
	}
	var object struct{ StatusCode json.Number }
	if json.Unmarshal([]byte(template), &object) != nil {
		return mock{}, nil
	}
	status, err := object.StatusCode.Int64()
	if err != nil || status < 100 || status > 599 {
		return mock{}, nil
	}
	return mock{int(status)}, nil
}

// requestTemplate chooses the template: by a selection expression without
// variables, then "$default", then, where there is no expression,
// "application/json".
func requestTemplate(i *apigw.Integration) (string, bool) {
	keys := []string{strings.ReplaceAll(i.TemplateSelectionExpression, `\$`, "$"), "$default", `\$default`}
	if i.TemplateSelectionExpression == "" {
		keys = append(keys, "application/json")
	}
	for _, key := range keys {
		if template, found := i.RequestTemplates[key]; found {
			return template, true
		}
	}
	return "", false
}
