package template

// simpleTable expands AWS::Serverless::SimpleTable.
func (e *expander) simpleTable(res *resource) {
	names := []string{"PointInTimeRecoverySpecification", "PrimaryKey", "ProvisionedThroughput", "SSESpecification", "TableName", "Tags"}
	p := e.properties(res)
	before := len(e.problems)
	e.knownProperties(res, p, names)
	line := res.line
	name, typ := newText(line, "id"), newText(line, "S")
	if key := p.get("PrimaryKey"); key != nil {
		types := map[string]string{"String": "S", "Number": "N", "Binary": "B"}
		given := key.get("Type")
		if key.get("Name") == nil || given == nil || types[given.text] == "" {
			e.invalid(key.line, res.id, "'PrimaryKey' requires Name, and Type as one of String, Number and Binary.")
		} else {
			name, typ = key.get("Name"), newText(given.line, types[given.text])
		}
	}
	if len(e.problems) > before {
		e.keep(res)
		return
	}
	out := newObject(line,
		with("AttributeDefinitions", newList(line, newObject(line, with("AttributeName", name), with("AttributeType", typ)))),
		with("KeySchema", newList(line, newObject(line, with("AttributeName", name), with("KeyType", newText(line, "HASH"))))),
	)
	for _, property := range []string{"PointInTimeRecoverySpecification", "ProvisionedThroughput", "SSESpecification", "TableName"} {
		out.set(property, p.get(property))
	}
	if p.get("ProvisionedThroughput") == nil {
		out.set("BillingMode", newText(line, "PAY_PER_REQUEST"))
	}
	if tags := p.get("Tags"); tags != nil {
		items := newList(tags.line)
		for _, m := range tags.members {
			items.items = append(items.items, tag(m.line, m.key, m.value))
		}
		out.set("Tags", items)
	}
	e.add(res, res.id, typeTable, out, passed(res, "Condition", "DependsOn", "Metadata", "DeletionPolicy", "UpdatePolicy", "UpdateReplacePolicy")...)
}
