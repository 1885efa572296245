package dynamodb_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestTables(t *testing.T) {
	f := start(t)
	create := &dynamodb.CreateTableInput{
		TableName: aws.String("connections"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("connectionId"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("connectionId"), KeyType: types.KeyTypeHash}},
	}
	if _, err := f.CreateTable(f.ctx, create); err != nil {
		t.Fatal(err)
	}
	_, err := f.CreateTable(f.ctx, create)
	wantError(t, err, "ResourceInUseException")
	if err := dynamodb.NewTableExistsWaiter(f.Client).Wait(f.ctx, &dynamodb.DescribeTableInput{TableName: create.TableName}, time.Minute); err != nil {
		t.Fatal(err)
	}
	described, err := f.DescribeTable(f.ctx, &dynamodb.DescribeTableInput{TableName: aws.String("messages")})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, described.Table.TableStatus, types.TableStatusActive)
	wantEqual(t, len(described.Table.GlobalSecondaryIndexes), 2)
	wantEqual(t, len(described.Table.LocalSecondaryIndexes), 1)
	if time.Since(*described.Table.CreationDateTime).Abs() > time.Hour {
		t.Errorf("created at %v", described.Table.CreationDateTime)
	}

	first, err := f.ListTables(f.ctx, &dynamodb.ListTablesInput{Limit: aws.Int32(1)})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, first.TableNames, []string{"connections"})
	second, err := f.ListTables(f.ctx, &dynamodb.ListTablesInput{ExclusiveStartTableName: first.LastEvaluatedTableName})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, second.TableNames, []string{"messages"})
	wantEqual(t, second.LastEvaluatedTableName == nil, true)

	if _, err := f.DeleteTable(f.ctx, &dynamodb.DeleteTableInput{TableName: create.TableName}); err != nil {
		t.Fatal(err)
	}
	_, err = f.Scan(f.ctx, &dynamodb.ScanInput{TableName: create.TableName})
	wantError(t, err, "ResourceNotFoundException")
	// A table may be named by its ARN.
	if _, err := f.Scan(f.ctx, &dynamodb.ScanInput{TableName: described.Table.TableArn}); err != nil {
		t.Error(err)
	}
}

func TestUpdateTableChangesIndexes(t *testing.T) {
	f := start(t)
	f.put(M{"room": "a", "at": 1, "topic": "x"})
	update := func(change types.GlobalSecondaryIndexUpdate, attributes ...types.AttributeDefinition) error {
		_, err := f.UpdateTable(f.ctx, &dynamodb.UpdateTableInput{TableName: aws.String("messages"), AttributeDefinitions: attributes, GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{change}})
		return err
	}
	if err := update(types.GlobalSecondaryIndexUpdate{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("authors-only")}}); err != nil {
		t.Fatal(err)
	}
	definition := func(name string, kind types.ScalarAttributeType) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: kind}
	}
	err := update(types.GlobalSecondaryIndexUpdate{Create: &types.CreateGlobalSecondaryIndexAction{
		IndexName: aws.String("by-topic"), KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("topic"), KeyType: types.KeyTypeHash}},
		Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
	}}, definition("room", "S"), definition("at", "N"), definition("author", "S"), definition("likes", "N"), definition("topic", "S"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := f.Scan(f.ctx, &dynamodb.ScanInput{TableName: aws.String("messages"), IndexName: aws.String("by-topic")})
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, out.Count, int32(1))
	err = update(types.GlobalSecondaryIndexUpdate{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("authors-only")}})
	wantError(t, err, "ResourceNotFoundException")
}

func TestEnsureTableAgain(t *testing.T) {
	t.Parallel()
	b := newBare(t)
	b.create(messagesTable)
	b.must("PutItem", `{"TableName":"messages","Item":{"room":{"S":"a"},"at":{"N":"1"},"likes":{"N":"3"}}}`)
	count := func() any { return b.must("Scan", `{"TableName":"messages"}`)["Count"] }

	b.create(messagesTable)
	wantEqual(t, count(), any(1.0))
	// A change of global indexes keeps the items.
	b.create(strings.Replace(messagesTable, `"by-author"`, `"of-author"`, 1))
	wantEqual(t, count(), any(1.0))
	// A change of the key does not.
	b.create(`{"TableName":"messages","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`)
	wantEqual(t, count(), any(0.0))

	for _, wrong := range []string{
		``, `[]`, `{}`, `{"TableName":"x"}`, `{"TableName":"bad name","AttributeDefinitions":[],"KeySchema":[]}`,
		`{"TableName":"xyz","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"other","KeyType":"HASH"}]}`,
		`{"TableName":"xyz","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"L"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`,
		`{"TableName":"xyz","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"},{"AttributeName":"no","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`,
	} {
		if err := b.EnsureTable([]byte(wrong), ""); err == nil {
			t.Errorf("the definition %s was accepted", wrong)
		}
	}
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBare(t)
		if err := b.EnsureTable([]byte(messagesTable), "expires"); err != nil {
			t.Fatal(err)
		}
		put := func(at int, expires string) {
			b.must("PutItem", fmt.Sprintf(`{"TableName":"messages","Item":{"room":{"S":"a"},"at":{"N":"%d"},"author":{"S":"ann"},"expires":%s}}`, at, expires))
		}
		in := func(d time.Duration) string { return fmt.Sprintf(`{"N":"%d"}`, time.Now().Add(d).Unix()) }
		put(1, in(time.Minute))
		put(2, in(time.Hour))
		put(3, `{"S":"not a number, so it stays"}`)
		put(4, in(-6*365*24*time.Hour)) // too long ago to be meant
		left := func() []any {
			return []any{
				b.must("Scan", `{"TableName":"messages"}`)["Count"],
				b.must("Query", `{"TableName":"messages","IndexName":"by-author","KeyConditionExpression":"author = :a","ExpressionAttributeValues":{":a":{"S":"ann"}}}`)["Count"],
			}
		}
		wantEqual(t, left(), []any{4.0, 4.0})
		time.Sleep(time.Minute)
		wantEqual(t, left(), []any{3.0, 3.0})
		if got := b.must("GetItem", `{"TableName":"messages","Key":{"room":{"S":"a"},"at":{"N":"1"}}}`); len(got) != 0 {
			t.Errorf("GetItem gave %v", got)
		}
		// An update can put expiry off.
		b.must("UpdateItem", `{"TableName":"messages","Key":{"room":{"S":"a"},"at":{"N":"2"}},"UpdateExpression":"SET expires = :e","ExpressionAttributeValues":{":e":`+in(3*time.Hour)+`}}`)
		time.Sleep(2 * time.Hour)
		wantEqual(t, left(), []any{3.0, 3.0})
		time.Sleep(2 * time.Hour)
		wantEqual(t, left(), []any{2.0, 2.0})
	})
}

func TestTimeToLiveOperations(t *testing.T) {
	f := start(t)
	status := func() (types.TimeToLiveStatus, string) {
		out, err := f.DescribeTimeToLive(f.ctx, &dynamodb.DescribeTimeToLiveInput{TableName: aws.String("messages")})
		if err != nil {
			t.Fatal(err)
		}
		return out.TimeToLiveDescription.TimeToLiveStatus, aws.ToString(out.TimeToLiveDescription.AttributeName)
	}
	update := func(enabled bool, attribute string) error {
		_, err := f.UpdateTimeToLive(f.ctx, &dynamodb.UpdateTimeToLiveInput{TableName: aws.String("messages"), TimeToLiveSpecification: &types.TimeToLiveSpecification{Enabled: aws.Bool(enabled), AttributeName: aws.String(attribute)}})
		return err
	}
	if s, attribute := status(); s != "ENABLED" || attribute != "expires" {
		t.Errorf("got %s of %q", s, attribute)
	}
	wantError(t, update(true, "expires"), "ValidationException")
	wantError(t, update(true, "other"), "ValidationException")
	f.put(M{"room": "a", "at": 1, "until": time.Now().Add(-time.Minute).Unix()})
	if err := update(false, "expires"); err != nil {
		t.Fatal(err)
	}
	if s, _ := status(); s != "DISABLED" {
		t.Errorf("got %s", s)
	}
	if f.get("a", 1) == nil {
		t.Error("the item expired by an attribute that is none of expiry")
	}
	if err := update(true, "until"); err != nil {
		t.Fatal(err)
	}
	if f.get("a", 1) != nil {
		t.Error("the item has not expired")
	}
}
