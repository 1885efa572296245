package dynamodb_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestBatches(t *testing.T) {
	f := start(t)
	f.put(M{"room": "gone", "at": 1})
	var writes []types.WriteRequest
	var keys []map[string]types.AttributeValue
	for at := range 24 {
		writes = append(writes, types.WriteRequest{PutRequest: &types.PutRequest{Item: f.item(M{"room": "a", "at": at, "v": at})}})
		keys = append(keys, f.item(M{"room": "a", "at": at}))
	}
	writes = append(writes, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: f.item(M{"room": "gone", "at": 1})}})
	written, err := f.BatchWriteItem(f.ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"messages": writes}})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, len(written.UnprocessedItems), 0)
	read, err := f.BatchGetItem(f.ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		"messages": {Keys: append(keys, f.item(M{"room": "gone", "at": 1})), ProjectionExpression: aws.String("v")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, len(read.Responses["messages"]), 24)
	wantEqual(t, len(read.Responses["messages"][3]), 1)
	wantEqual(t, len(read.UnprocessedKeys), 0)

	_, err = f.BatchWriteItem(f.ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"messages": append(writes, writes[0])}})
	wantError(t, err, "ValidationException")
	_, err = f.BatchWriteItem(f.ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"messages": {writes[0], writes[0]}}})
	wantError(t, err, "ValidationException")
	_, err = f.BatchGetItem(f.ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"messages": {Keys: []map[string]types.AttributeValue{keys[0], keys[0]}}}})
	wantError(t, err, "ValidationException")
	_, err = f.BatchGetItem(f.ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"none": {Keys: keys[:1]}}})
	wantError(t, err, "ResourceNotFoundException")
}

func TestTransactions(t *testing.T) {
	f := start(t)
	f.put(M{"room": "a", "at": 1, "v": 1}, M{"room": "a", "at": 2})
	name := aws.String("messages")
	key := func(at int) map[string]types.AttributeValue { return f.item(M{"room": "a", "at": at}) }
	write := func(guard string) error {
		_, err := f.TransactWriteItems(f.ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{Update: &types.Update{TableName: name, Key: key(1), UpdateExpression: aws.String("ADD v :one"), ExpressionAttributeValues: f.item(M{":one": 1})}},
			{Delete: &types.Delete{TableName: name, Key: key(2)}},
			{Put: &types.Put{TableName: name, Item: f.item(M{"room": "a", "at": 3}), ConditionExpression: aws.String(guard), ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}},
			{ConditionCheck: &types.ConditionCheck{TableName: name, Key: key(9), ConditionExpression: aws.String("attribute_not_exists(room)")}},
		}})
		return err
	}
	failed, ok := errors.AsType[*types.TransactionCanceledException](write("attribute_exists(room)"))
	if !ok || len(failed.CancellationReasons) != 4 {
		t.Fatalf("got %v", failed)
	}
	for i, want := range []string{"None", "None", "ConditionalCheckFailed", "None"} {
		wantEqual(t, *failed.CancellationReasons[i].Code, want)
	}
	wantEqual(t, f.get("a", 1)["v"], any(n("1")))

	if err := write("attribute_not_exists(room)"); err != nil {
		t.Fatal(err)
	}
	read, err := f.TransactGetItems(f.ctx, &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
		{Get: &types.Get{TableName: name, Key: key(1), ProjectionExpression: aws.String("v")}}, {Get: &types.Get{TableName: name, Key: key(2)}}, {Get: &types.Get{TableName: name, Key: key(3)}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, plain(t, read.Responses[0].Item), M{"v": n("2")})
	wantEqual(t, read.Responses[1].Item == nil, true)
	wantEqual(t, plain(t, read.Responses[2].Item), M{"room": "a", "at": n("3")})

	_, err = f.TransactWriteItems(f.ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Delete: &types.Delete{TableName: name, Key: key(1)}}, {Put: &types.Put{TableName: name, Item: f.item(M{"room": "a", "at": 1})}},
	}})
	wantError(t, err, "ValidationException")
}
