package awsservice

import (
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/dynamodb"
)

// Spec D.2: DynamoDB's items written and read by action/, with a real server.
func TestDynamoDB(t *testing.T) {
	t.Parallel()
	tables := dynamodb.New()
	if err := tables.EnsureTable([]byte(`{"TableName":"rooms","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],
		"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`), ""); err != nil {
		t.Fatal(err)
	}
	a := newAmazon(t, tables.ServeHTTP)
	c := a.client(func(o *Options) { o.Endpoints = endpoints(map[string]string{"dynamodb": a.server.URL}) })
	for _, step := range []struct {
		action, body string
		status       int
		want         string
	}{
		{"PutItem", `{"TableName":"rooms","Item":{"id":{"S":"1"},"name":{"S":"é"}}}`, 200, `{}`},
		{"GetItem", `{"TableName":"rooms","Key":{"id":{"S":"1"}}}`, 200, `"name":{"S":"é"}`},
		{"GetItem", `{"TableName":"other","Key":{"id":{"S":"1"}}}`, 400, `ResourceNotFoundException`},
	} {
		got := call(t, c, &Request{URI: mustParse(t, arn("dynamodb:action/"+step.action)), Body: []byte(step.body)})
		if got.Status != step.status || !strings.Contains(string(got.Body), step.want) {
			t.Errorf("%s %s: %d %s", step.action, step.body, got.Status, got.Body)
		}
	}
}
