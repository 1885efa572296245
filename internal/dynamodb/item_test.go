package dynamodb_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func n(text string) attributevalue.Number { return attributevalue.Number(text) }

func TestValuesSurviveARoundTrip(t *testing.T) {
	f := start(t)
	want := map[string]types.AttributeValue{
		"room":   &types.AttributeValueMemberS{Value: "lobby <&> é"},
		"at":     &types.AttributeValueMemberN{Value: "12345678901234567890123456789012345678"},
		"small":  &types.AttributeValueMemberN{Value: "-0.00012"},
		"bytes":  &types.AttributeValueMemberB{Value: []byte{0, 255}},
		"empty":  &types.AttributeValueMemberS{Value: ""},
		"nobyte": &types.AttributeValueMemberB{Value: []byte{}},
		"yes":    &types.AttributeValueMemberBOOL{Value: true},
		"no":     &types.AttributeValueMemberBOOL{Value: false},
		"null":   &types.AttributeValueMemberNULL{Value: true},
		"none":   &types.AttributeValueMemberL{Value: []types.AttributeValue{}},
		"nomap":  &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{}},
		"list":   &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberN{Value: "1"}}},
		"ss":     &types.AttributeValueMemberSS{Value: []string{"a", "b"}},
		"ns":     &types.AttributeValueMemberNS{Value: []string{"1", "2.5"}},
		"bs":     &types.AttributeValueMemberBS{Value: [][]byte{{1}, {2}}},
	}
	put, err := f.PutItem(f.ctx, &dynamodb.PutItemInput{TableName: aws.String("messages"), Item: want})
	if err != nil {
		t.Fatal(err)
	}
	if put.Attributes != nil {
		t.Errorf("PutItem returned %v without being asked", put.Attributes)
	}
	got, err := f.GetItem(f.ctx, &dynamodb.GetItemInput{TableName: aws.String("messages"), Key: map[string]types.AttributeValue{"room": want["room"], "at": want["at"]}})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, plain(t, got.Item), plain(t, want))
	wantEqual(t, len(got.Item), len(want))
}

func TestNumbersAreNormalised(t *testing.T) {
	f := start(t)
	for given, want := range map[string]string{"007": "7", "1.50": "1.5", "1e3": "1000", "-0": "0", "+3": "3", "2E-2": "0.02", ".5": "0.5", "1e125": "1" + strings.Repeat("0", 125)} {
		if _, err := f.PutItem(f.ctx, &dynamodb.PutItemInput{TableName: aws.String("messages"), Item: map[string]types.AttributeValue{
			"room": &types.AttributeValueMemberS{Value: "n"}, "at": &types.AttributeValueMemberN{Value: "1"}, "v": &types.AttributeValueMemberN{Value: given},
		}}); err != nil {
			t.Fatal(err)
		}
		wantEqual(t, f.get("n", 1)["v"].(attributevalue.Number).String(), want)
	}
}

func TestGetAndDelete(t *testing.T) {
	f := start(t)
	f.put(M{"room": "a", "at": 1, "text": "hi", "meta": M{"tags": []string{"x", "y", "z"}, "lang": "en"}})
	if got := f.get("a", 2); got != nil {
		t.Errorf("got %v for a key that no item has", got)
	}
	out, err := f.GetItem(f.ctx, &dynamodb.GetItemInput{
		TableName: aws.String("messages"), Key: f.item(M{"room": "a", "at": 1}),
		ProjectionExpression: aws.String("#t, meta.tags[2], meta.tags[0], absent"), ExpressionAttributeNames: map[string]string{"#t": "text"},
	})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, plain(t, out.Item), M{"text": "hi", "meta": M{"tags": []any{"x", "z"}}})

	deleted, err := f.DeleteItem(f.ctx, &dynamodb.DeleteItemInput{TableName: aws.String("messages"), Key: f.item(M{"room": "a", "at": 1}), ReturnValues: types.ReturnValueAllOld})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, plain(t, deleted.Attributes)["text"], any("hi"))
	if f.get("a", 1) != nil {
		t.Error("the item is still there")
	}
	if _, err := f.DeleteItem(f.ctx, &dynamodb.DeleteItemInput{TableName: aws.String("messages"), Key: f.item(M{"room": "a", "at": 1})}); err != nil {
		t.Errorf("deleting nothing: %v", err)
	}
}

func TestPutReturnsOldItem(t *testing.T) {
	f := start(t)
	f.put(M{"room": "a", "at": 1, "v": "old"})
	out, err := f.PutItem(f.ctx, &dynamodb.PutItemInput{TableName: aws.String("messages"), Item: f.item(M{"room": "a", "at": 1}), ReturnValues: types.ReturnValueAllOld})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, plain(t, out.Attributes), M{"room": "a", "at": n("1"), "v": "old"})
	wantEqual(t, f.get("a", 1), M{"room": "a", "at": n("1")})
}

func TestKeysWithDotsAreApart(t *testing.T) {
	t.Parallel()
	f := newBare(t)
	f.create(`{"TableName":"two","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"a","AttributeType":"S"},{"AttributeName":"b","AttributeType":"S"}],
		"KeySchema":[{"AttributeName":"a","KeyType":"HASH"},{"AttributeName":"b","KeyType":"RANGE"}]}`)
	for _, i := range []string{`{"a":{"S":"x.y"},"b":{"S":"z"}}`, `{"a":{"S":"x"},"b":{"S":"y.z"}}`} {
		f.must("PutItem", `{"TableName":"two","Item":`+i+`}`)
	}
	wantEqual(t, f.must("Scan", `{"TableName":"two","Select":"COUNT"}`), M{"Count": 2.0, "ScannedCount": 2.0})
}

func TestCondition(t *testing.T) {
	f := start(t)
	f.put(M{"room": "a", "at": 5, "text": "hello", "notes": []int{1, 2}, "seen": M{"by": "ann"}, "big": 9007199254740993})
	for expression, want := range map[string]bool{
		"attribute_exists(room)":                                    true,
		"attribute_not_exists(room)":                                false,
		"attribute_not_exists(seen.core) AND seen.#by = :ann":       true,
		"begins_with(#text, :hel)":                                  true,
		"begins_with(absent, :hel)":                                 false,
		"NOT begins_with(absent, :hel)":                             true,
		"contains(#text, :ell)":                                     true,
		"contains(notes, :two)":                                     true,
		"contains(absent, :two)":                                    false,
		"size(#text) = :five AND size(notes) < :five":               true,
		"size(absent) > :two":                                       false,
		"#at BETWEEN :two AND :five":                                true,
		"#at IN (:two, :five)":                                      true,
		"#text = :five":                                             false,
		"#text <> :five":                                            true,
		"absent <> :five":                                           true,
		"absent = :five OR (#at > :two AND NOT #at = :two)":         true,
		"attribute_type(notes, :L)":                                 true,
		"big = :big":                                                false,
		"big > :big":                                                true,
		"notes[1] = :two":                                           true,
		"notes[7] = :two":                                           false,
		"#at >= :five and not attribute_exists(absent)":             true,
		"#at < :two OR #at <= :two OR #at > :five OR (#at = :five)": true,
	} {
		names, vals := map[string]string{}, map[string]types.AttributeValue{}
		for alias, name := range map[string]string{"#text": "text", "#at": "at", "#by": "by"} {
			if strings.Contains(expression, alias) {
				names[alias] = name
			}
		}
		all := f.item(M{":ann": "ann", ":hel": "hel", ":ell": "ell", ":two": 2, ":five": 5, ":L": "L", ":big": 9007199254740992})
		for alias, v := range all {
			if strings.Contains(expression, alias) {
				vals[alias] = v
			}
		}
		input := &dynamodb.DeleteItemInput{
			TableName: aws.String("messages"), Key: f.item(M{"room": "a", "at": 5}), ConditionExpression: aws.String("(" + expression + ") AND attribute_not_exists(nothing.core.more)"),
		}
		if len(names) > 0 {
			input.ExpressionAttributeNames = names
		}
		if len(vals) > 0 {
			input.ExpressionAttributeValues = vals
		}
		// The deletion must not happen: each condition is asked of the same item.
		_, err := f.TransactWriteItems(f.ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{ConditionCheck: &types.ConditionCheck{TableName: input.TableName, Key: input.Key, ConditionExpression: input.ConditionExpression,
				ExpressionAttributeNames: input.ExpressionAttributeNames, ExpressionAttributeValues: input.ExpressionAttributeValues}},
		}})
		cancelled, isCancelled := errors.AsType[*types.TransactionCanceledException](err)
		switch {
		case err != nil && !isCancelled:
			t.Errorf("%s: %v", expression, err)
		case isCancelled && *cancelled.CancellationReasons[0].Code != "ConditionalCheckFailed":
			t.Errorf("%s: %v", expression, *cancelled.CancellationReasons[0].Message)
		case (err == nil) != want:
			t.Errorf("%s is %v, want %v", expression, err == nil, want)
		}
	}
}

func TestFailedConditionCarriesTheItem(t *testing.T) {
	f := start(t)
	f.put(M{"room": "a", "at": 1, "v": "old"})
	_, err := f.PutItem(f.ctx, &dynamodb.PutItemInput{
		TableName: aws.String("messages"), Item: f.item(M{"room": "a", "at": 1}), ConditionExpression: aws.String("attribute_not_exists(room)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	failed, ok := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	wantEqual(t, *failed.Message, "The conditional request failed")
	wantEqual(t, plain(t, failed.Item), M{"room": "a", "at": n("1"), "v": "old"})

	_, err = f.DeleteItem(f.ctx, &dynamodb.DeleteItemInput{TableName: aws.String("messages"), Key: f.item(M{"room": "b", "at": 1}), ConditionExpression: aws.String("attribute_exists(room)")})
	wantError(t, err, "ConditionalCheckFailedException")
	wantEqual(t, f.get("a", 1)["v"], any("old"))
}
