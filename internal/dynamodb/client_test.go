package dynamodb_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	local "github.com/stagedoor/stagedoor/internal/dynamodb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// M is an item in Go's own types.
type M = map[string]any

const messagesTable = `{
	"TableName": "messages",
	"BillingMode": "PAY_PER_REQUEST",
	"AttributeDefinitions": [
		{"AttributeName": "room", "AttributeType": "S"},
		{"AttributeName": "at", "AttributeType": "N"},
		{"AttributeName": "author", "AttributeType": "S"},
		{"AttributeName": "likes", "AttributeType": "N"}
	],
	"KeySchema": [{"AttributeName": "room", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
	"GlobalSecondaryIndexes": [
		{"IndexName": "by-author", "KeySchema": [{"AttributeName": "author", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
			"Projection": {"ProjectionType": "ALL"}},
		{"IndexName": "authors-only", "KeySchema": [{"AttributeName": "author", "KeyType": "HASH"}],
			"Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["text"]}}
	],
	"LocalSecondaryIndexes": [
		{"IndexName": "by-likes", "KeySchema": [{"AttributeName": "room", "KeyType": "HASH"}, {"AttributeName": "likes", "KeyType": "RANGE"}],
			"Projection": {"ProjectionType": "KEYS_ONLY"}}
	]
}`

// fixture is a server with the table messages and a client of it.
type fixture struct {
	*testing.T
	server *local.Server
	*dynamodb.Client
	ctx context.Context
	url string
}

func start(t *testing.T) *fixture {
	t.Helper()
	t.Parallel()
	server := local.New()
	if err := server.EnsureTable([]byte(messagesTable), "expires"); err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(server)
	transport := front.Client()
	t.Cleanup(front.Close)
	client := dynamodb.New(dynamodb.Options{
		Region:       "eu-west-1",
		BaseEndpoint: aws.String(front.URL),
		Credentials:  credentials.NewStaticCredentialsProvider("id", "secret", ""),
		HTTPClient:   transport,
		Retryer:      aws.NopRetryer{},
	})
	return &fixture{t, server, client, t.Context(), front.URL}
}

func (f *fixture) item(m M) map[string]types.AttributeValue {
	f.Helper()
	i, err := attributevalue.MarshalMap(m)
	if err != nil {
		f.Fatal(err)
	}
	return i
}

func plain(t *testing.T, i map[string]types.AttributeValue) M {
	t.Helper()
	if i == nil {
		return nil
	}
	m := M{}
	if err := attributevalue.UnmarshalMapWithOptions(i, &m, func(o *attributevalue.DecoderOptions) { o.UseNumber = true }); err != nil {
		t.Fatal(err)
	}
	return m
}

func (f *fixture) put(items ...M) {
	f.Helper()
	for _, m := range items {
		if _, err := f.PutItem(f.ctx, &dynamodb.PutItemInput{TableName: aws.String("messages"), Item: f.item(m)}); err != nil {
			f.Fatal(err)
		}
	}
}

func (f *fixture) get(room string, at int) M {
	f.Helper()
	out, err := f.GetItem(f.ctx, &dynamodb.GetItemInput{TableName: aws.String("messages"), Key: f.item(M{"room": room, "at": at})})
	if err != nil {
		f.Fatal(err)
	}
	return plain(f.T, out.Item)
}

// values returns one attribute of each item.
func values(t *testing.T, items []map[string]types.AttributeValue, name string) []string {
	t.Helper()
	all := []string{}
	for _, i := range items {
		switch v := i[name].(type) {
		case *types.AttributeValueMemberS:
			all = append(all, v.Value)
		case *types.AttributeValueMemberN:
			all = append(all, v.Value)
		default:
			all = append(all, "-")
		}
	}
	return all
}

func wantEqual(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// wantError wants an error of DynamoDB's with a code.
func wantError(t *testing.T, err error, code string) {
	t.Helper()
	failed, ok := errors.AsType[smithy.APIError](err)
	if !ok || failed.ErrorCode() != code {
		t.Errorf("got error %v, want %s", err, code)
	}
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }
