package dynamodb_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func TestUpdate(t *testing.T) {
	f := start(t)
	before := M{"text": "hi", "count": 3, "notes": []string{"a", "b", "c"}, "meta": M{"lang": "en", "deep": M{"x": 1}}, "tags": "", "id": n("12345678901234567890")}
	for _, test := range []struct {
		name, expression string
		values           M
		want             M // the whole item, without its key
	}{
		{"set and remove", "SET label = :s REMOVE #text, #count", M{":s": "new"},
			M{"label": "new", "notes": []any{"a", "b", "c"}, "meta": M{"lang": "en", "deep": M{"x": n("1")}}, "tags": ""}},
		{"arithmetic", "SET #count = #count + :n, rest = :n - #count", M{":n": 10}, M{"count": n("13"), "rest": n("7")}},
		{"if_not_exists", "SET #count = if_not_exists(#count, :zero) + :n, fresh = if_not_exists(fresh, :zero) + :n", M{":n": 1, ":zero": 0}, M{"count": n("4"), "fresh": n("1")}},
		{"list_append", "SET notes = list_append(notes, :l), fresh = list_append(if_not_exists(fresh, :none), :l)", M{":l": []string{"d"}, ":none": []string{}},
			M{"notes": []any{"a", "b", "c", "d"}, "fresh": []any{"d"}}},
		{"prepend", "SET notes = list_append(:l, notes)", M{":l": []string{"0"}}, M{"notes": []any{"0", "a", "b", "c"}}},
		{"nested", "SET meta.deep.y = :n, meta.lang = :s REMOVE meta.deep.x", M{":n": 2, ":s": "fr"}, M{"meta": M{"lang": "fr", "deep": M{"y": n("2")}}}},
		{"list elements", "SET notes[1] = :s, notes[9] = :s REMOVE notes[0], notes[2]", M{":s": "B"}, M{"notes": []any{"B", "B"}}},
		{"add", "ADD #count :n, hits :n", M{":n": 2}, M{"count": n("5"), "hits": n("2")}},
		{"old values are read", "SET #text = label, label = #text", nil, nil}, // label does not exist: see errors
		{"swap", "SET #text = meta.lang, meta.lang = #text", nil, M{"text": "en", "meta": M{"lang": "hi", "deep": M{"x": n("1")}}}},
		{"lower case", "set #count = :n remove #text", M{":n": 1}, M{"count": n("1")}},
	} {
		item := M{"room": test.name, "at": 1}
		for k, v := range before {
			item[k] = v
		}
		f.put(item)
		input := &dynamodb.UpdateItemInput{
			TableName: aws.String("messages"), Key: f.item(M{"room": test.name, "at": 1}),
			UpdateExpression: aws.String(test.expression), ReturnValues: types.ReturnValueAllNew,
			ExpressionAttributeNames: namesIn(test.expression, "text", "count"),
		}
		if test.values != nil {
			input.ExpressionAttributeValues = f.item(test.values)
		}
		out, err := f.UpdateItem(f.ctx, input)
		if test.want == nil {
			wantError(t, err, "ValidationException")
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		got := plain(t, out.Attributes)
		wantEqual(t, got, f.get(test.name, 1))
		for name, want := range test.want {
			wantEqual(t, got[name], want)
		}
		if test.name == "set and remove" {
			wantEqual(t, len(got), len(test.want)+3)
			wantEqual(t, got["id"], any(n("12345678901234567890")))
		}
	}
}

func namesIn(expression string, names ...string) map[string]string {
	used := map[string]string{}
	for _, name := range names {
		if contains(expression, "#"+name) {
			used["#"+name] = name
		}
	}
	if len(used) == 0 {
		return nil
	}
	return used
}

func TestUpdateMakesTheItem(t *testing.T) {
	f := start(t)
	update := func(returned types.ReturnValue) M {
		out, err := f.UpdateItem(f.ctx, &dynamodb.UpdateItemInput{
			TableName: aws.String("messages"), Key: f.item(M{"room": "a", "at": 1}), ReturnValues: returned,
			UpdateExpression: aws.String("ADD n :n SET m = if_not_exists(m, :m)"), ExpressionAttributeValues: f.item(M{":n": 1, ":m": "x"}),
		})
		if err != nil {
			t.Fatal(err)
		}
		return plain(t, out.Attributes)
	}
	wantEqual(t, update(types.ReturnValueAllOld), M(nil))
	wantEqual(t, update(types.ReturnValueUpdatedNew), M{"n": n("2"), "m": "x"})
	wantEqual(t, update(types.ReturnValueUpdatedOld), M{"n": n("2"), "m": "x"})
	wantEqual(t, update(types.ReturnValueAllOld), M{"room": "a", "at": n("1"), "n": n("3"), "m": "x"})
	wantEqual(t, update(types.ReturnValueNone), M(nil))
	wantEqual(t, update(types.ReturnValueAllNew), M{"room": "a", "at": n("1"), "n": n("6"), "m": "x"})
}

func TestUpdateSets(t *testing.T) {
	f := start(t)
	run := func(expression string, members ...string) map[string]types.AttributeValue {
		out, err := f.UpdateItem(f.ctx, &dynamodb.UpdateItemInput{
			TableName: aws.String("messages"), Key: f.item(M{"room": "a", "at": 1}), ReturnValues: types.ReturnValueAllNew,
			UpdateExpression: aws.String(expression), ExpressionAttributeValues: map[string]types.AttributeValue{":s": &types.AttributeValueMemberSS{Value: members}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return out.Attributes
	}
	set := func(i map[string]types.AttributeValue) []string {
		return sorted(i["who"].(*types.AttributeValueMemberSS).Value)
	}
	wantEqual(t, set(run("ADD who :s", "ann", "bob")), []string{"ann", "bob"})
	wantEqual(t, set(run("ADD who :s", "bob", "eve")), []string{"ann", "bob", "eve"})
	wantEqual(t, set(run("DELETE who :s", "ann", "zoe")), []string{"bob", "eve"})
	if _, left := run("DELETE who :s", "bob", "eve")["who"]; left {
		t.Error("an empty set stayed")
	}
}

func TestUpdateWithExpressionBuilder(t *testing.T) {
	f := start(t)
	built, err := expression.NewBuilder().
		WithUpdate(expression.Set(expression.Name("name"), expression.Value("ann")).Add(expression.Name("status.count"), expression.Value(1))).
		WithCondition(expression.AttributeNotExists(expression.Name("room")).Or(expression.Name("name").NotEqual(expression.Value("ann")))).Build()
	if err != nil {
		t.Fatal(err)
	}
	input := &dynamodb.UpdateItemInput{
		TableName: aws.String("messages"), Key: f.item(M{"room": "a", "at": 1}), UpdateExpression: built.Update(),
		ConditionExpression: built.Condition(), ExpressionAttributeNames: built.Names(), ExpressionAttributeValues: built.Values(),
	}
	_, err = f.UpdateItem(f.ctx, input)
	wantError(t, err, "ValidationException") // there is no map status
	f.put(M{"room": "a", "at": 1, "status": M{}})
	if _, err = f.UpdateItem(f.ctx, input); err != nil {
		t.Fatal(err)
	}
	wantEqual(t, f.get("a", 1), M{"room": "a", "at": n("1"), "name": "ann", "status": M{"count": n("1")}})
	_, err = f.UpdateItem(f.ctx, input)
	wantError(t, err, "ConditionalCheckFailedException")
}

func TestUpdateRefuses(t *testing.T) {
	f := start(t)
	f.put(M{"room": "a", "at": 1, "text": "x", "notes": []int{1}})
	for expression, values := range map[string]M{
		"SET #text = :v, #text = :v":     {":v": 1},
		"SET notes[0] = :v, notes = :v":  {":v": 1},
		"SET #at = :v":                   {":v": 1},
		"SET text = :v":                  {":v": 1},
		"SET absent.core = :v":           {":v": 1},
		"SET b = absent":                 nil,
		"SET b = #text + :v":             {":v": 1},
		"SET b = list_append(notes, :v)": {":v": 1},
		"SET b = :v SET c = :v":          {":v": 1},
		"ADD #text :v":                   {":v": 1},
		"ADD b :v":                       {":v": "s"},
		"SET b = begins_with(notes, :v)": {":v": 1},
		"SET b = :v extra":               {":v": 1},
		"SET b = :undefined":             nil,
		"SET #undefined = :v":            {":v": 1},
		"":                               nil,
		"SET":                            nil,
		"SET b = :v REMOVE notes[99999999999999999999]": {":v": 1},
		"SET b = :v, ":        {":v": 1},
		"SET b = :v;":         {":v": 1},
		"SET b = :v REMOVE c": {":v": 1, ":unused": 2},
	} {
		input := &dynamodb.UpdateItemInput{TableName: aws.String("messages"), Key: f.item(M{"room": "a", "at": 1}),
			UpdateExpression: aws.String(expression), ExpressionAttributeNames: namesIn(expression, "text", "at")}
		if values != nil {
			input.ExpressionAttributeValues = f.item(values)
		}
		_, err := f.UpdateItem(f.ctx, input)
		if err == nil {
			t.Errorf("%q was accepted", expression)
			continue
		}
		wantError(t, err, "ValidationException")
	}
	wantEqual(t, f.get("a", 1), M{"room": "a", "at": n("1"), "text": "x", "notes": []any{n("1")}})
}
