package dynamodb_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// putRoom puts messages at 1 to count into a room, likes going down.
func (f *fixture) putRoom(room string, count int) {
	for at := 1; at <= count; at++ {
		f.put(M{"room": room, "at": at, "author": []string{"ann", "bob"}[at%2], "text": fmt.Sprint("message ", at), "likes": count - at})
	}
}

func (f *fixture) query(input dynamodb.QueryInput, condition expression.KeyConditionBuilder) *dynamodb.QueryOutput {
	f.Helper()
	built, err := expression.NewBuilder().WithKeyCondition(condition).Build()
	if err != nil {
		f.Fatal(err)
	}
	input.TableName = aws.String("messages")
	input.KeyConditionExpression = built.KeyCondition()
	input.ExpressionAttributeNames = built.Names()
	input.ExpressionAttributeValues = built.Values()
	out, err := f.Query(f.ctx, &input)
	if err != nil {
		f.Fatal(err)
	}
	return out
}

func TestQueryKeyConditions(t *testing.T) {
	f := start(t)
	f.putRoom("a", 12)
	f.putRoom("b", 2)
	room := expression.Key("room").Equal(expression.Value("a"))
	at := expression.Key("at")
	for _, test := range []struct {
		name string
		with expression.KeyConditionBuilder
		want string
	}{
		{"whole partition, in numeric order", room, "1 2 3 4 5 6 7 8 9 10 11 12"},
		{"equal", room.And(at.Equal(expression.Value(9))), "9"},
		{"less", room.And(at.LessThan(expression.Value(3))), "1 2"},
		{"at least", room.And(at.GreaterThanEqual(expression.Value(9.5))), "10 11 12"},
		{"between", room.And(at.Between(expression.Value(8), expression.Value(11))), "8 9 10 11"},
		{"another partition", expression.Key("room").Equal(expression.Value("none")), ""},
	} {
		out := f.query(dynamodb.QueryInput{}, test.with)
		if got := strings.Join(values(t, out.Items, "at"), " "); got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
		wantEqual(t, int(out.Count), len(out.Items))
		wantEqual(t, int(out.ScannedCount), len(out.Items))
	}
	backward := f.query(dynamodb.QueryInput{ScanIndexForward: aws.Bool(false), Limit: aws.Int32(3)}, room)
	wantEqual(t, values(t, backward.Items, "at"), []string{"12", "11", "10"})
	next := f.query(dynamodb.QueryInput{ScanIndexForward: aws.Bool(false), Limit: aws.Int32(2), ExclusiveStartKey: backward.LastEvaluatedKey}, room)
	wantEqual(t, values(t, next.Items, "at"), []string{"9", "8"})
}

func TestQueryIndexes(t *testing.T) {
	f := start(t)
	f.putRoom("a", 6)
	f.putRoom("b", 4)
	f.put(M{"room": "c", "at": 1, "text": "no author, so in no index of authors"})
	ann := expression.Key("author").Equal(expression.Value("ann"))
	out := f.query(dynamodb.QueryInput{IndexName: aws.String("by-author")}, ann)
	wantEqual(t, values(t, out.Items, "at"), []string{"2", "2", "4", "4", "6"})

	// Pages of an index whose keys are not unique lose and repeat nothing.
	seen := []string{}
	var start map[string]types.AttributeValue
	for {
		page := f.query(dynamodb.QueryInput{IndexName: aws.String("by-author"), Limit: aws.Int32(1), ExclusiveStartKey: start}, ann)
		for i := range page.Items {
			seen = append(seen, values(t, page.Items[i:i+1], "room")[0]+values(t, page.Items[i:i+1], "at")[0])
		}
		if start = page.LastEvaluatedKey; start == nil {
			break
		}
		wantEqual(t, len(start), 3)
	}
	wantEqual(t, seen, []string{"a2", "b2", "a4", "b4", "a6"})

	projected := f.query(dynamodb.QueryInput{IndexName: aws.String("authors-only"), Limit: aws.Int32(1)}, ann)
	wantEqual(t, plain(t, projected.Items[0]), M{"room": "a", "at": n("2"), "author": "ann", "text": "message 2"})

	local := f.query(dynamodb.QueryInput{IndexName: aws.String("by-likes"), Limit: aws.Int32(2)}, expression.Key("room").Equal(expression.Value("a")))
	wantEqual(t, values(t, local.Items, "at"), []string{"6", "5"})
}

func TestIndexesFollowChanges(t *testing.T) {
	f := start(t)
	f.putRoom("a", 2) // bob, ann
	by := func(author string) []string {
		return values(t, f.query(dynamodb.QueryInput{IndexName: aws.String("by-author")}, expression.Key("author").Equal(expression.Value(author))).Items, "at")
	}
	update := func(at int, expression string, v M) {
		input := &dynamodb.UpdateItemInput{TableName: aws.String("messages"), Key: f.item(M{"room": "a", "at": at}), UpdateExpression: aws.String(expression)}
		if v != nil {
			input.ExpressionAttributeValues = f.item(v)
		}
		if _, err := f.UpdateItem(f.ctx, input); err != nil {
			t.Fatal(err)
		}
	}
	update(1, "SET author = :a", M{":a": "ann"})
	wantEqual(t, by("ann"), []string{"1", "2"})
	wantEqual(t, by("bob"), []string{})
	update(1, "REMOVE author", nil)
	wantEqual(t, by("ann"), []string{"2"})
	if _, err := f.DeleteItem(f.ctx, &dynamodb.DeleteItemInput{TableName: aws.String("messages"), Key: f.item(M{"room": "a", "at": 2})}); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, by("ann"), []string{})
}

func TestScan(t *testing.T) {
	f := start(t)
	f.putRoom("a", 5)
	f.putRoom("b", 5)
	out, err := f.Scan(f.ctx, &dynamodb.ScanInput{TableName: aws.String("messages"), ProjectionExpression: aws.String("author"),
		FilterExpression: aws.String("likes > :n"), ExpressionAttributeValues: f.item(M{":n": 2})})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, out.Count, int32(4))
	wantEqual(t, out.ScannedCount, int32(10))
	for _, i := range out.Items {
		if len(i) != 1 || i["author"] == nil {
			t.Errorf("the projection kept %v", plain(t, i))
		}
	}
	empty, err := f.Scan(f.ctx, &dynamodb.ScanInput{TableName: aws.String("messages"), FilterExpression: aws.String("attribute_exists(absent)")})
	if err != nil {
		t.Fatal(err)
	}
	if empty.Items == nil || len(empty.Items) != 0 {
		t.Errorf("got %v, want an empty list", empty.Items)
	}
}

func TestScanPages(t *testing.T) {
	f := start(t)
	f.putRoom("a", 7)
	f.putRoom("b", 6)
	pages := dynamodb.NewScanPaginator(f.Client, &dynamodb.ScanInput{TableName: aws.String("messages"), Limit: aws.Int32(4), FilterExpression: aws.String("author = :a"), ExpressionAttributeValues: f.item(M{":a": "bob"})})
	var got []string
	scanned := int32(0)
	for pages.HasMorePages() {
		page, err := pages.NextPage(f.ctx)
		if err != nil {
			t.Fatal(err)
		}
		scanned += page.ScannedCount
		got = append(got, values(t, page.Items, "at")...)
	}
	wantEqual(t, got, []string{"1", "3", "5", "7", "1", "3", "5"})
	wantEqual(t, scanned, int32(13))

	all := 0
	for segment := range 3 {
		out, err := f.Scan(f.ctx, &dynamodb.ScanInput{TableName: aws.String("messages"), Segment: aws.Int32(int32(segment)), TotalSegments: aws.Int32(3)})
		if err != nil {
			t.Fatal(err)
		}
		all += len(out.Items)
	}
	wantEqual(t, all, 13)
}

func TestPagesEndAfterOneMegabyte(t *testing.T) {
	f := start(t)
	for at := range 5 {
		f.put(M{"room": "a", "at": at, "text": strings.Repeat("x", 300<<10)})
	}
	out, err := f.Scan(f.ctx, &dynamodb.ScanInput{TableName: aws.String("messages"), Select: types.SelectCount})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, out.Count, int32(4))
	if out.LastEvaluatedKey == nil || out.Items != nil {
		t.Errorf("last key %v, items %v", out.LastEvaluatedKey, out.Items)
	}
}

func TestSearchRefuses(t *testing.T) {
	t.Parallel()
	b := newBare(t)
	b.create(messagesTable)
	values := `"ExpressionAttributeValues":{":a":{"S":"a"},":n":{"N":"1"}}`
	for name, body := range map[string]string{
		"no such index":            `"IndexName":"none","KeyConditionExpression":"room = :a AND likes = :n",` + values,
		"not the partition key":    `"KeyConditionExpression":"likes = :n AND room <> :a",` + values,
		"no partition key":         `"KeyConditionExpression":"#at = :n","ExpressionAttributeNames":{"#at":"at"},"ExpressionAttributeValues":{":n":{"N":"1"}}`,
		"range of partition key":   `"KeyConditionExpression":"room > :a","ExpressionAttributeValues":{":a":{"S":"a"}}`,
		"OR":                       `"KeyConditionExpression":"room = :a OR room = :n",` + values,
		"NOT":                      `"KeyConditionExpression":"NOT room = :a","ExpressionAttributeValues":{":a":{"S":"a"}}`,
		"wrong type":               `"KeyConditionExpression":"room = :n","ExpressionAttributeValues":{":n":{"N":"1"}}`,
		"no condition":             `"Limit":1`,
		"empty condition":          `"KeyConditionExpression":""`,
		"filter on a key":          `"KeyConditionExpression":"room = :a","FilterExpression":"size(room) > :n",` + values,
		"legacy":                   `"KeyConditions":{}`,
		"limit of zero":            `"Limit":0,"KeyConditionExpression":"room = :a","ExpressionAttributeValues":{":a":{"S":"a"}}`,
		"start key of other form":  `"ExclusiveStartKey":{"room":{"S":"a"}},"KeyConditionExpression":"room = :a","ExpressionAttributeValues":{":a":{"S":"a"}}`,
		"consistent, global index": `"IndexName":"by-author","ConsistentRead":true,"KeyConditionExpression":"author = :a","ExpressionAttributeValues":{":a":{"S":"a"}}`,
		"overlapping projection":   `"ProjectionExpression":"a.b, a","KeyConditionExpression":"room = :a","ExpressionAttributeValues":{":a":{"S":"a"}}`,
	} {
		status, answer := b.call("DynamoDB_20120810.Query", `{"TableName":"messages",`+body+`}`)
		if status != 400 || !strings.HasSuffix(fmt.Sprint(answer["__type"]), "#ValidationException") || answer["message"] == "" {
			t.Errorf("%s: %s %v", name, strconv.Itoa(status), answer)
		}
	}
}
