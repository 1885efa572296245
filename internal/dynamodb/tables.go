package dynamodb

import (
	"encoding/json"
	"maps"
	"slices"
)

type tableNameInput struct{ TableName string }

func (s *Server) createTable(input *tableInput) (any, error) {
	if input.BillingMode != "PAY_PER_REQUEST" && input.ProvisionedThroughput == nil {
		return nil, validation("One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	}
	t, err := newTable(*input)
	if err != nil {
		return nil, err
	}
	if s.tables[t.name] != nil {
		return nil, modelError("ResourceInUseException", "Table already exists: %s", t.name)
	}
	s.tables[t.name] = t
	return map[string]any{"TableDescription": t.describe()}, nil
}

func (s *Server) describeTable(input *tableNameInput) (any, error) {
	t, err := s.table(input.TableName)
	if err != nil {
		return nil, err
	}
	return map[string]any{"Table": t.describe()}, nil
}

func (s *Server) deleteTable(input *tableNameInput) (any, error) {
	t, err := s.table(input.TableName)
	if err != nil {
		return nil, err
	}
	delete(s.tables, t.name)
	description := t.describe()
	description["TableStatus"] = "DELETING"
	return map[string]any{"TableDescription": description}, nil
}

func (s *Server) listTables(input *struct {
	ExclusiveStartTableName string
	Limit                   *int
}) (any, error) {
	limit := 100
	if input.Limit != nil {
		limit = *input.Limit
	}
	if limit < 1 || limit > 100 {
		return nil, validation("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value between 1 and 100", limit)
	}
	names := slices.Sorted(maps.Keys(s.tables))
	start, found := slices.BinarySearch(names, input.ExclusiveStartTableName)
	if found {
		start++
	}
	result := map[string]any{}
	names = names[start:]
	if len(names) > limit {
		names = names[:limit]
		result["LastEvaluatedTableName"] = names[limit-1]
	}
	result["TableNames"] = append([]string{}, names...)
	return result, nil
}

// updateTable creates and deletes global indexes. Capacity is accepted, and has
// no effect.
func (s *Server) updateTable(input *struct {
	TableName                   string
	AttributeDefinitions        []attributeInput
	GlobalSecondaryIndexUpdates []struct {
		Create *indexInput
		Delete *struct{ IndexName string }
		Update json.RawMessage
	}
}) (any, error) {
	t, err := s.table(input.TableName)
	if err != nil {
		return nil, err
	}
	changed := t.input
	if input.AttributeDefinitions != nil {
		changed.AttributeDefinitions = input.AttributeDefinitions
	}
	for _, update := range input.GlobalSecondaryIndexUpdates {
		switch {
		case update.Create != nil:
			changed.GlobalSecondaryIndexes = append(slices.Clone(changed.GlobalSecondaryIndexes), *update.Create)
		case update.Delete != nil:
			named := func(x indexInput) bool { return x.IndexName == update.Delete.IndexName }
			if !slices.ContainsFunc(changed.GlobalSecondaryIndexes, named) {
				return nil, notFound("Requested resource not found")
			}
			changed.GlobalSecondaryIndexes = slices.DeleteFunc(slices.Clone(changed.GlobalSecondaryIndexes), named)
			changed.AttributeDefinitions = changed.usedAttributes()
		}
	}
	renewed, err := newTable(changed)
	if err != nil {
		return nil, err
	}
	renewed.adopt(t)
	renewed.setTTL(t.ttl)
	s.tables[t.name] = renewed
	return map[string]any{"TableDescription": renewed.describe()}, nil
}

// usedAttributes returns the definitions of the attributes that a key has.
func (input tableInput) usedAttributes() []attributeInput {
	used := map[string]bool{}
	schemas := [][]keyInput{input.KeySchema}
	for _, x := range slices.Concat(input.LocalSecondaryIndexes, input.GlobalSecondaryIndexes) {
		schemas = append(schemas, x.KeySchema)
	}
	for _, element := range slices.Concat(schemas...) {
		used[element.AttributeName] = true
	}
	return slices.DeleteFunc(slices.Clone(input.AttributeDefinitions), func(a attributeInput) bool { return !used[a.AttributeName] })
}

const noCapacity = 0

func (t *table) describe() map[string]any {
	throughput := map[string]any{"NumberOfDecreasesToday": 0, "ReadCapacityUnits": noCapacity, "WriteCapacityUnits": noCapacity}
	description := map[string]any{
		"TableName":             t.name,
		"TableArn":              t.arn(),
		"TableStatus":           "ACTIVE",
		"CreationDateTime":      float64(t.created.UnixMilli()) / 1000,
		"AttributeDefinitions":  t.input.AttributeDefinitions,
		"KeySchema":             t.input.KeySchema,
		"ItemCount":             len(t.primary.entries),
		"TableSizeBytes":        t.primary.bytes(),
		"ProvisionedThroughput": throughput,
	}
	if t.input.BillingMode == "PAY_PER_REQUEST" {
		description["BillingModeSummary"] = map[string]any{"BillingMode": t.input.BillingMode}
	}
	for member, inputs := range map[string][]indexInput{
		"LocalSecondaryIndexes": t.input.LocalSecondaryIndexes, "GlobalSecondaryIndexes": t.input.GlobalSecondaryIndexes,
	} {
		var all []map[string]any
		for _, input := range inputs {
			x := t.secondary[input.IndexName]
			one := map[string]any{
				"IndexName": x.name, "IndexArn": t.arn() + "/index/" + x.name, "KeySchema": input.KeySchema,
				"Projection": x.projection, "ItemCount": len(x.entries), "IndexSizeBytes": x.bytes(),
			}
			if !x.local {
				one["IndexStatus"], one["ProvisionedThroughput"] = "ACTIVE", throughput
			}
			all = append(all, one)
		}
		if all != nil {
			description[member] = all
		}
	}
	return description
}

func (t *table) arn() string { return "arn:aws:dynamodb:local:000000000000:table/" + t.name }

func (x *index) bytes() int {
	n := 0
	for _, i := range x.entries {
		n += i.size()
	}
	return n
}

func (s *Server) updateTimeToLive(input *struct {
	TableName               string
	TimeToLiveSpecification *struct {
		AttributeName string
		Enabled       bool
	}
}) (any, error) {
	t, err := s.table(input.TableName)
	if err != nil {
		return nil, err
	}
	specification := input.TimeToLiveSpecification
	switch {
	case specification == nil || specification.AttributeName == "":
		return nil, validation("TimeToLiveSpecification must name an attribute")
	case specification.Enabled && t.ttl == specification.AttributeName:
		return nil, validation("TimeToLive is already enabled")
	case !specification.Enabled && t.ttl == "":
		return nil, validation("TimeToLive is already disabled")
	case t.ttl != "" && t.ttl != specification.AttributeName:
		return nil, validation("TimeToLive is active on a different AttributeName: current AttributeName is %s", t.ttl)
	}
	if specification.Enabled {
		t.setTTL(specification.AttributeName)
	} else {
		t.setTTL("")
	}
	return map[string]any{"TimeToLiveSpecification": specification}, nil
}

func (s *Server) describeTimeToLive(input *tableNameInput) (any, error) {
	t, err := s.table(input.TableName)
	if err != nil {
		return nil, err
	}
	description := map[string]any{"TimeToLiveStatus": "DISABLED"}
	if t.ttl != "" {
		description = map[string]any{"TimeToLiveStatus": "ENABLED", "AttributeName": t.ttl}
	}
	return map[string]any{"TimeToLiveDescription": description}, nil
}
