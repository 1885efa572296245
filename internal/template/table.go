package template

import (
	"encoding/json"
	"fmt"
	"slices"
)

// createTable is the request that makes a table.
type createTable struct {
	TableName              string
	AttributeDefinitions   []attributeDefinition
	KeySchema              []keyElement
	BillingMode            string                 `json:",omitempty"`
	ProvisionedThroughput  *provisionedThroughput `json:",omitempty"`
	GlobalSecondaryIndexes []secondaryIndex       `json:",omitempty"`
	LocalSecondaryIndexes  []secondaryIndex       `json:",omitempty"`
	StreamSpecification    *streamSpecification   `json:",omitempty"`
}

type attributeDefinition struct{ AttributeName, AttributeType string }

type keyElement struct{ AttributeName, KeyType string }

type provisionedThroughput struct{ ReadCapacityUnits, WriteCapacityUnits int }

type secondaryIndex struct {
	IndexName             string
	KeySchema             []keyElement
	Projection            projection
	ProvisionedThroughput *provisionedThroughput `json:",omitempty"`
}

type projection struct {
	ProjectionType   string   `json:",omitempty"`
	NonKeyAttributes []string `json:",omitempty"`
}

type streamSpecification struct {
	StreamEnabled  bool
	StreamViewType string
}

func (b *builder) table(res *resource) {
	p := b.read(res, tableSchema)
	t := createTable{
		TableName:              b.nameOf(res, res.line).text,
		AttributeDefinitions:   attributeDefinitions(p),
		KeySchema:              keyElements(p, "KeySchema", p.values["KeySchema"]),
		BillingMode:            p.text("BillingMode"),
		ProvisionedThroughput:  throughput(p, "ProvisionedThroughput", p.values["ProvisionedThroughput"]),
		GlobalSecondaryIndexes: indexes(p, "GlobalSecondaryIndexes"),
		LocalSecondaryIndexes:  indexes(p, "LocalSecondaryIndexes"),
	}
	if p.isKnown("StreamSpecification") {
		stream := p.nested("StreamSpecification", p.values["StreamSpecification"], streamSchema)
		t.StreamSpecification = &streamSpecification{StreamEnabled: true, StreamViewType: stream.text("StreamViewType")}
	}
	t.check(p)
	encoded, err := json.Marshal(t)
	if err != nil {
		b.problem(res.line, res.id, "%v", err)
	}
	table := &Table{LogicalID: res.id, Name: t.TableName, CreateTable: encoded}
	if p.isKnown("TimeToLiveSpecification") {
		ttl := p.nested("TimeToLiveSpecification", p.values["TimeToLiveSpecification"], timeToLiveSchema)
		if ttl.boolean("Enabled") {
			if table.TimeToLiveAttribute = ttl.text("AttributeName"); !ttl.has("AttributeName") {
				p.wrong("TimeToLiveSpecification", "TimeToLiveSpecification needs an AttributeName")
			}
		}
	}
	if slices.ContainsFunc(b.app.Tables, func(other *Table) bool { return other.Name == table.Name }) {
		p.wrong("TableName", "there are two tables of the name %s", table.Name)
	}
	b.app.Tables = append(b.app.Tables, table)
}

// items lists the objects of a list with their paths.
func items(p *properties, path string, v *value, schema []property, each func(path string, item *properties)) {
	if v == nil || v.kind == unknown {
		return
	}
	if v.kind != list {
		p.problem(v.line, p.res.id, "%s must be a list, not %s", path, v.show())
		return
	}
	for i, item := range v.items {
		at := fmt.Sprintf("%s[%d]", path, i)
		each(at, p.nested(at, item, schema))
	}
}

func attributeDefinitions(p *properties) []attributeDefinition {
	definitions := []attributeDefinition{}
	items(p, "AttributeDefinitions", p.values["AttributeDefinitions"], attributeSchema, func(_ string, item *properties) {
		definitions = append(definitions, attributeDefinition{item.text("AttributeName"), item.text("AttributeType")})
	})
	return definitions
}

func keyElements(p *properties, path string, v *value) []keyElement {
	elements := []keyElement{}
	items(p, path, v, keySchema, func(_ string, item *properties) {
		elements = append(elements, keyElement{item.text("AttributeName"), item.text("KeyType")})
	})
	if v != nil && v.kind == list {
		checkKey(p, path, v.line, elements)
	}
	return elements
}

// checkKey checks that a key has one HASH and then at most one RANGE.
func checkKey(p *properties, path string, line int, key []keyElement) {
	var types []string
	for _, e := range key {
		if e.KeyType == "" {
			return // reported
		}
		types = append(types, e.KeyType)
	}
	if !slices.Equal(types, []string{"HASH"}) && !slices.Equal(types, []string{"HASH", "RANGE"}) {
		p.problem(line, p.res.id, "%s must be one HASH, or one HASH and then one RANGE", path)
	}
}

func throughput(p *properties, path string, v *value) *provisionedThroughput {
	if v == nil {
		return nil
	}
	t := p.nested(path, v, throughputSchema)
	return &provisionedThroughput{t.integer("ReadCapacityUnits"), t.integer("WriteCapacityUnits")}
}

func indexes(p *properties, name string) []secondaryIndex {
	var out []secondaryIndex
	items(p, name, p.values[name], indexSchema, func(path string, item *properties) {
		project := item.nested(path+".Projection", item.values["Projection"], projectionSchema)
		out = append(out, secondaryIndex{
			IndexName:             item.text("IndexName"),
			KeySchema:             keyElements(item, path+".KeySchema", item.values["KeySchema"]),
			Projection:            projection{project.text("ProjectionType"), project.texts("NonKeyAttributes")},
			ProvisionedThroughput: throughput(item, path+".ProvisionedThroughput", item.values["ProvisionedThroughput"]),
		})
	})
	return out
}

// check reports what DynamoDB refuses.
func (t createTable) check(p *properties) {
	if p.has("KeySchema") && !p.isKnown("KeySchema") || p.has("AttributeDefinitions") && !p.isKnown("AttributeDefinitions") {
		return // reported
	}
	t.checkKeys(p)
	t.checkThroughput(p)
}

// checkKeys reports keys whose attributes are not defined, and definitions that no
// key uses.
func (t createTable) checkKeys(p *properties) {
	unused := map[string]bool{}
	var names []string
	for _, d := range t.AttributeDefinitions {
		unused[d.AttributeName] = true
		names = append(names, d.AttributeName)
	}
	keys := slices.Clone(t.KeySchema)
	for _, index := range slices.Concat(t.GlobalSecondaryIndexes, t.LocalSecondaryIndexes) {
		keys = append(keys, index.KeySchema...)
	}
	for _, key := range keys {
		if key.AttributeName != "" && !slices.Contains(names, key.AttributeName) {
			p.wrong("AttributeDefinitions", "the key attribute %s is not in AttributeDefinitions%s", key.AttributeName, p.didYouMean(key.AttributeName, names))
		}
		delete(unused, key.AttributeName)
	}
	for _, name := range sortedKeys(unused) {
		if name != "" {
			p.wrong("AttributeDefinitions", "the attribute %s is in AttributeDefinitions, but no key uses it; DynamoDB defines key attributes only", name)
		}
	}
}

// checkThroughput reports a throughput that is missing, or does not go with the
// billing mode.
func (t createTable) checkThroughput(p *properties) {
	onDemand := t.BillingMode == "PAY_PER_REQUEST"
	if !onDemand && !p.has("ProvisionedThroughput") && (!p.has("BillingMode") || p.isKnown("BillingMode")) {
		p.wrong("BillingMode", "a table needs ProvisionedThroughput, or the BillingMode PAY_PER_REQUEST")
	}
	if onDemand && p.has("ProvisionedThroughput") {
		p.wrong("ProvisionedThroughput", "ProvisionedThroughput cannot be given with the BillingMode PAY_PER_REQUEST")
	}
}
