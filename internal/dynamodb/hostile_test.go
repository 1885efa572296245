package dynamodb_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// What is lacking answers which real DynamoDB has it, and the setting that uses it.
func TestWhatIsLackingNamesRealOnes(t *testing.T) {
	t.Parallel()
	b := newBare(t)
	b.create(messagesTable)
	for _, operation := range []string{
		"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction", "CreateBackup", "ListBackups", "ExportTableToPointInTime",
		"ImportTable", "CreateGlobalTable", "DescribeContinuousBackups", "TagResource", "ListTagsOfResource", "PutResourcePolicy",
		"EnableKinesisStreamingDestination", "DescribeLimits",
	} {
		wantRealOnes(t, b, operation, `{}`, fmt.Sprintf("the operation %q", operation))
	}
	for parameter, operation := range map[string]string{
		"Expected": "PutItem", "ConditionalOperator": "DeleteItem", "AttributeUpdates": "UpdateItem",
		"KeyConditions": "Query", "QueryFilter": "Query", "ScanFilter": "Scan",
	} {
		wantRealOnes(t, b, operation, `{"TableName":"messages","`+parameter+`":{}}`, "the legacy parameter "+parameter)
	}
}

func wantRealOnes(t *testing.T, b *bare, operation, body, what string) {
	t.Helper()
	status, answer := b.call("DynamoDB_20120810."+operation, body)
	message := fmt.Sprint(answer["message"])
	if status != 400 {
		t.Errorf("%s: status %d, want 400", operation, status)
	}
	for _, part := range []string{what, "DynamoDB local", "--aws-endpoint dynamodb=http://127.0.0.1:8000", "on AWS", "dynamodb=https://dynamodb."} {
		if !strings.Contains(message, part) {
			t.Errorf("%s: %s, want %q in it", operation, message, part)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	b := newBare(t)
	b.create(messagesTable)
	const item = `{"TableName":"messages","Item":{"room":{"S":"a"},"at":{"N":"1"},"v":%s}}`
	deep := strings.Repeat(`{"L":[`, 40) + strings.Repeat(`]}`, 40)
	for _, test := range []struct{ name, target, body, kind string }{
		{"no target", "", `{}`, "UnknownOperationException"},
		{"another service", "Kinesis_20131202.PutRecord", `{}`, "UnknownOperationException"},
		{"unknown operation", "DynamoDB_20120810.Nonsense", `{}`, "UnknownOperationException"},
		{"operation that is not here", "DynamoDB_20120810.ExecuteStatement", `{}`, "UnknownOperationException"},
		{"no JSON", "DynamoDB_20120810.GetItem", `nonsense`, "SerializationException"},
		{"empty", "DynamoDB_20120810.GetItem", ``, "SerializationException"},
		{"wrong type", "DynamoDB_20120810.GetItem", `{"TableName":7}`, "SerializationException"},
		{"array", "DynamoDB_20120810.GetItem", `[]`, "SerializationException"},
		{"null", "DynamoDB_20120810.GetItem", `null`, "ValidationException"},
		{"no table name", "DynamoDB_20120810.GetItem", `{}`, "ValidationException"},
		{"no such table", "DynamoDB_20120810.GetItem", `{"TableName":"none","Key":{}}`, "ResourceNotFoundException"},
		{"no key", "DynamoDB_20120810.GetItem", `{"TableName":"messages"}`, "ValidationException"},
		{"half a key", "DynamoDB_20120810.GetItem", `{"TableName":"messages","Key":{"room":{"S":"a"}}}`, "ValidationException"},
		{"key of another type", "DynamoDB_20120810.GetItem", `{"TableName":"messages","Key":{"room":{"S":"a"},"at":{"S":"1"}}}`, "ValidationException"},
		{"empty key", "DynamoDB_20120810.GetItem", `{"TableName":"messages","Key":{"room":{"S":""},"at":{"N":"1"}}}`, "ValidationException"},
		{"null item", "DynamoDB_20120810.PutItem", `{"TableName":"messages","Item":null}`, "ValidationException"},
		{"null value", "DynamoDB_20120810.PutItem", fmt.Sprintf(item, `null`), ""},
		{"value without type", "DynamoDB_20120810.PutItem", fmt.Sprintf(item, `{}`), "ValidationException"},
		{"value of two types", "DynamoDB_20120810.PutItem", fmt.Sprintf(item, `{"S":"a","N":"1"}`), "ValidationException"},
		{"value of unknown type", "DynamoDB_20120810.PutItem", fmt.Sprintf(item, `{"X":"a"}`), "ValidationException"},
		{"string of another type", "DynamoDB_20120810.PutItem", fmt.Sprintf(item, `{"S":1}`), "SerializationException"},
		{"null string", "DynamoDB_20120810.PutItem", fmt.Sprintf(item, `{"S":null}`), "ValidationException"},
		{"no number", "DynamoDB_20120810.PutItem", fmt.Sprintf(item, `{"N":"one"}`), "ValidationException"},
		{"not a number", "DynamoDB_20120810.PutItem", fmt.Sprintf(item, `{"N":"NaN"}`), "ValidationException"},
		{"empty number", "DynamoDB_20120810.PutItem", fmt.Sprintf(item, `{"N":""}`), "ValidationException"},
		{"39 digits", "DynamoDB_20120810.PutItem", fmt.Sprintf(item, `{"N":"123456789012345678901234567890123456789"}`), "ValidationException"},
		{"overflow", "DynamoDB_20120810.PutItem", fmt.Sprintf(item, `{"N":"1e126"}`), "ValidationException"},
		{"huge exponent", "DynamoDB_20120810.PutItem", fmt.Sprintf(item, `{"N":"1e999999999999"}`), "ValidationException"},
		{"underflow", "DynamoDB_20120810.PutItem", fmt.Sprintf(item, `{"N":"1e-131"}`), "ValidationException"},
		{"no Base64", "DynamoDB_20120810.PutItem", fmt.Sprintf(item, `{"B":"*"}`), "SerializationException"},
		{"NULL that is false", "DynamoDB_20120810.PutItem", fmt.Sprintf(item, `{"NULL":false}`), "ValidationException"},
		{"empty set", "DynamoDB_20120810.PutItem", fmt.Sprintf(item, `{"SS":[]}`), "ValidationException"},
		{"set with duplicates", "DynamoDB_20120810.PutItem", fmt.Sprintf(item, `{"NS":["1","1.0"]}`), "ValidationException"},
		{"nested too deep", "DynamoDB_20120810.PutItem", fmt.Sprintf(item, deep), "ValidationException"},
		{"too large", "DynamoDB_20120810.PutItem", fmt.Sprintf(item, `{"S":"`+strings.Repeat("x", 400<<10)+`"}`), "ValidationException"},
		{"request too large", "DynamoDB_20120810.PutItem", strings.Repeat(" ", 17<<20), "RequestEntityTooLargeException"},
		{"index key of another type", "DynamoDB_20120810.PutItem", `{"TableName":"messages","Item":{"room":{"S":"a"},"at":{"N":"1"},"author":{"N":"1"}}}`, "ValidationException"},
		{"legacy condition", "DynamoDB_20120810.PutItem", `{"TableName":"messages","Item":{"room":{"S":"a"},"at":{"N":"1"}},"Expected":{"room":{"Exists":false}}}`, "ValidationException"},
		{"legacy update", "DynamoDB_20120810.UpdateItem", `{"TableName":"messages","Key":{"room":{"S":"a"},"at":{"N":"1"}},"AttributeUpdates":{}}`, "ValidationException"},
		{"unknown ReturnValues", "DynamoDB_20120810.PutItem", `{"TableName":"messages","Item":{"room":{"S":"a"},"at":{"N":"1"}},"ReturnValues":"ALL_NEW"}`, "ValidationException"},
		{"long expression", "DynamoDB_20120810.Scan", `{"TableName":"messages","FilterExpression":"` + strings.Repeat("(", 5000) + `"}`, "ValidationException"},
		{"nested expression", "DynamoDB_20120810.Scan", `{"TableName":"messages","FilterExpression":"` + strings.Repeat("(", 4096) + `"}`, "ValidationException"},
		{"negated expression", "DynamoDB_20120810.Scan", `{"TableName":"messages","FilterExpression":"` + strings.Repeat("NOT ", 1000) + `"}`, "ValidationException"},
		{"unused names", "DynamoDB_20120810.Scan", `{"TableName":"messages","ExpressionAttributeNames":{"#a":"b"}}`, "ValidationException"},
		{"stray bytes", "DynamoDB_20120810.Scan", `{"TableName":"messages","FilterExpression":"é = ü"}`, "ValidationException"},
		{"empty batch", "DynamoDB_20120810.BatchWriteItem", `{}`, "ValidationException"},
		{"batch with nothing", "DynamoDB_20120810.BatchWriteItem", `{"RequestItems":{"messages":[{}]}}`, "ValidationException"},
		{"empty transaction", "DynamoDB_20120810.TransactWriteItems", `{}`, "ValidationException"},
		{"transaction with nothing", "DynamoDB_20120810.TransactWriteItems", `{"TransactItems":[{}]}`, "ValidationException"},
		{"transaction without get", "DynamoDB_20120810.TransactGetItems", `{"TransactItems":[{}]}`, "ValidationException"},
		{"create without throughput", "DynamoDB_20120810.CreateTable", `{"TableName":"xyz","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`, "ValidationException"},
		{"scan of no segment", "DynamoDB_20120810.Scan", `{"TableName":"messages","TotalSegments":2}`, "ValidationException"},
	} {
		status, answer := b.call(test.target, test.body)
		kind := fmt.Sprint(answer["__type"])
		switch {
		case test.kind == "":
			if status != 200 && !strings.HasSuffix(kind, "#ValidationException") {
				t.Errorf("%s: %d %v", test.name, status, answer)
			}
		case status < 400 || status >= 500 || !strings.HasSuffix(kind, "#"+test.kind):
			t.Errorf("%s: %d %v, want %s", test.name, status, answer, test.kind)
		case answer["message"] == nil:
			t.Errorf("%s: no message in %v", test.name, answer)
		}
	}
}

// FuzzServer: whatever comes, the answer is in DynamoDB's form and no fault.
func FuzzServer(f *testing.F) {
	for _, seed := range [][2]string{
		{"PutItem", `{"TableName":"messages","Item":{"room":{"S":"a"},"at":{"N":"1"},"l":{"L":[{"M":{"x":{"NS":["1"]}}}]}},"ConditionExpression":"attribute_not_exists(room) OR size(l) > :n","ExpressionAttributeValues":{":n":{"N":"1"}}}`},
		{"UpdateItem", `{"TableName":"messages","Key":{"room":{"S":"a"},"at":{"N":"1"}},"UpdateExpression":"SET l[0].x = list_append(:l, if_not_exists(q, :l)) REMOVE l[3] ADD c :n DELETE s :s","ExpressionAttributeValues":{":l":{"L":[]},":n":{"N":"1"},":s":{"SS":["a"]}}}`},
		{"Query", `{"TableName":"messages","IndexName":"by-likes","KeyConditionExpression":"room = :r AND likes BETWEEN :a AND :b","ExpressionAttributeValues":{":r":{"S":"a"},":a":{"N":"1"},":b":{"N":"2"}},"ScanIndexForward":false,"Limit":1}`},
		{"Scan", `{"TableName":"messages","ProjectionExpression":"a.b[1], c","ExclusiveStartKey":{"room":{"S":"a"},"at":{"N":"1"}}}`},
		{"TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"messages","Item":{"room":{"S":"a"},"at":{"N":"1"}}}}]}`},
		{"CreateTable", messagesTable},
	} {
		f.Add(seed[0], seed[1])
	}
	var used *bare // what is refused changes nothing, and most is
	f.Fuzz(func(t *testing.T, operation, body string) {
		if strings.ContainsAny(operation, "\r\n") {
			t.Skip("not a header's value")
		}
		if used == nil {
			used = newBare(t)
			used.create(messagesTable)
			used.must("PutItem", `{"TableName":"messages","Item":{"room":{"S":"a"},"at":{"N":"1"},"likes":{"N":"1"},"l":{"L":[{"M":{}}]}}}`)
		}
		b := &bare{t, used.Server}
		status, answer := b.call("DynamoDB_20120810."+operation, body)
		if status >= 500 {
			t.Errorf("%s %s: %d %v", operation, body, status, answer)
		}
		if status != 400 {
			used = nil // it may have changed
		}
	})
}

func TestConcurrentUse(t *testing.T) {
	f := start(t)
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range 20 {
				_, err := f.UpdateItem(f.ctx, &dynamodb.UpdateItemInput{TableName: aws.String("messages"), Key: f.item(M{"room": "a", "at": 1}),
					UpdateExpression: aws.String("ADD hits :one SET trail = list_append(if_not_exists(trail, :none), :l)"), ExpressionAttributeValues: f.item(M{":one": 1, ":none": []int{}, ":l": []int{1}})})
				if err != nil {
					t.Error(err)
				}
				if _, err := f.Scan(f.ctx, &dynamodb.ScanInput{TableName: aws.String("messages")}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	clients.Wait()
	got := f.get("a", 1)
	wantEqual(t, got["hits"], any(n("160")))
	wantEqual(t, len(got["trail"].([]any)), 160)
}
