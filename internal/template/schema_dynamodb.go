package template

import "github.com/stagedoor/stagedoor/internal/lazyregexp"

var tableName = lazyregexp.New(`^[A-Za-z0-9_.-]{3,255}$`)

var tableSchema = []property{
	{name: "AttributeDefinitions", form: listForm},
	{name: "BillingMode", form: textForm, oneOf: []string{"PAY_PER_REQUEST", "PROVISIONED"}},
	{name: "ContributorInsightsSpecification", kept: true},
	{name: "DeletionProtectionEnabled", form: booleanForm, kept: true, inert: "false"},
	{name: "GlobalSecondaryIndexes", form: listForm},
	{name: "ImportSourceSpecification", kept: true},
	{name: "KeySchema", form: listForm, required: true},
	{name: "KinesisStreamSpecification", kept: true},
	{name: "LocalSecondaryIndexes", form: listForm},
	{name: "OnDemandThroughput", kept: true},
	{name: "PointInTimeRecoverySpecification", kept: true},
	{name: "ProvisionedThroughput", form: objectForm},
	{name: "ResourcePolicy", kept: true},
	{name: "SSESpecification", kept: true},
	{name: "StreamSpecification", form: objectForm},
	{name: "TableClass", form: textForm, kept: true},
	{name: "TableName", form: textForm, pattern: tableName},
	{name: "Tags", form: listForm, kept: true},
	{name: "TimeToLiveSpecification", form: objectForm},
	{name: "WarmThroughput", kept: true},
}

var throughputSchema = []property{
	{name: "ReadCapacityUnits", form: integerForm, required: true, min: 1, max: 1 << 30},
	{name: "WriteCapacityUnits", form: integerForm, required: true, min: 1, max: 1 << 30},
}

var attributeSchema = []property{
	{name: "AttributeName", form: textForm, required: true, min: 1, max: 255},
	{name: "AttributeType", form: textForm, required: true, oneOf: []string{"S", "N", "B"}},
}

var keySchema = []property{
	{name: "AttributeName", form: textForm, required: true, min: 1, max: 255},
	{name: "KeyType", form: textForm, required: true, oneOf: []string{"HASH", "RANGE"}},
}

var indexSchema = []property{
	{name: "ContributorInsightsSpecification", kept: true},
	{name: "IndexName", form: textForm, required: true, pattern: tableName},
	{name: "KeySchema", form: listForm, required: true},
	{name: "OnDemandThroughput", kept: true},
	{name: "Projection", form: objectForm, required: true},
	{name: "ProvisionedThroughput", form: objectForm},
	{name: "WarmThroughput", kept: true},
}

var projectionSchema = []property{
	{name: "NonKeyAttributes", form: textsForm},
	{name: "ProjectionType", form: textForm, oneOf: []string{"ALL", "INCLUDE", "KEYS_ONLY"}},
}

var streamSchema = []property{
	{name: "ResourcePolicy", kept: true},
	{name: "StreamViewType", form: textForm, required: true, oneOf: []string{"KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"}},
}

var timeToLiveSchema = []property{
	{name: "AttributeName", form: textForm, min: 1, max: 255},
	{name: "Enabled", form: booleanForm, required: true},
}
