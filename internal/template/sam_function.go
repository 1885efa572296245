package template

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
)

// passedToFunction are the properties that AWS::Serverless::Function and
// AWS::Lambda::Function share.
var passedToFunction = []string{
	"Architectures", "CapacityProviderConfig", "CodeSigningConfigArn", "Description", "DurableConfig", "Environment",
	"EphemeralStorage", "FileSystemConfigs", "FunctionName", "FunctionScalingConfig", "Handler", "ImageConfig",
	"KmsKeyArn", "Layers", "LoggingConfig", "MemorySize", "PackageType", "PublishToLatestPublished", "RecursiveLoop",
	"ReservedConcurrentExecutions", "Runtime", "RuntimeManagementConfig", "SnapStart", "TenancyConfig", "Timeout",
	"VpcConfig",
}

// usedOfFunction are the other properties that the expansion makes something of.
var usedOfFunction = []string{
	"AssumeRolePolicyDocument", "AutoPublishAlias", "CodeUri", "DeadLetterQueue", "ImageUri", "InlineCode",
	"PermissionsBoundary", "Policies", "PropagateTags", "Role", "RolePath", "Tags", "Tracing", "VersionDescription",
}

// leftOfFunction are properties of SAM that nothing is made of here; they are
// reported as ignored.
var leftOfFunction = []string{
	"AutoPublishAliasAllProperties", "AutoPublishCodeSha256", "DeploymentPreference", "EventInvokeConfig", "Events",
	"FunctionUrlConfig", "ProvisionedConcurrencyConfig", "SourceKMSKeyArn", "VersionDeletionPolicy",
}

// function expands AWS::Serverless::Function into the function, its role and,
// with AutoPublishAlias, a version and an alias.
func (e *expander) function(res *resource) {
	f := &samFunction{expander: e, res: res, properties: e.properties(res)}
	before := len(e.problems)
	e.knownProperties(res, f.properties, slices.Concat(passedToFunction, usedOfFunction, leftOfFunction))
	code := f.code()
	if len(e.problems) > before {
		e.keep(res)
		return
	}
	f.noticeLeftOut()
	f.attributes = passed(res, "Condition", "DeletionPolicy", "UpdateReplacePolicy")
	role := f.properties.get("Role")
	if role == nil {
		role = getAtt(res.line, res.id+"Role", "Arn")
	}
	p := newObject(res.line, with("Code", code), with("Role", role), with("Tags", f.tags()))
	for _, name := range passedToFunction {
		if m := f.properties.member(name); m != nil {
			p.members = append(p.members, *m)
		}
	}
	if queue := f.properties.get("DeadLetterQueue"); queue != nil && queue.get("TargetArn") != nil {
		p.set("DeadLetterConfig", newObject(queue.line, with("TargetArn", queue.get("TargetArn"))))
	}
	if tracing := f.properties.get("Tracing"); tracing != nil && !tracing.is("Disabled") {
		p.set("TracingConfig", newObject(tracing.line, with("Mode", tracing)))
	}
	e.add(res, res.id, typeFunction, p, passed(res, "Condition", "DependsOn", "Metadata", "DeletionPolicy", "UpdatePolicy", "UpdateReplacePolicy")...)
	if f.properties.get("Role") == nil {
		f.role()
	}
	if alias := f.properties.get("AutoPublishAlias"); alias != nil {
		f.publish(e.withParameters(alias), code)
	}
}

// samFunction is one AWS::Serverless::Function while it is expanded.
type samFunction struct {
	*expander
	res        *resource
	properties *value
	attributes []member // passed on to everything that is made
}

// code gives the property Code of the Lambda function. A local folder stays a
// path: packaging it is what a deployment would do.
func (f *samFunction) code() *value {
	inline, uri, image := f.properties.get("InlineCode"), f.properties.get("CodeUri"), f.properties.get("ImageUri")
	switch {
	case image != nil:
		return newObject(image.line, with("ImageUri", image))
	case inline != nil && (f.res.properties.get("CodeUri") == nil || uri == nil):
		return newObject(inline.line, with("ZipFile", inline))
	case uri == nil && f.properties.get("PackageType").is("Image"):
		// The image is built from Metadata; it has no place in the template yet.
		return newObject(f.res.line, with("ImageUri", newText(f.res.line, f.res.id)))
	case uri == nil:
		return newText(f.res.line, ".")
	}
	return f.location(uri, "CodeUri")
}

// location reads a place of code or of a layer: an S3 URI, an object that
// names bucket and key, or a local path.
func (e *expander) s3Location(uri *value) (*value, bool) {
	if uri.kind == object {
		out := newObject(uri.line)
		for _, pair := range [][2]string{{"Bucket", "S3Bucket"}, {"Key", "S3Key"}, {"Version", "S3ObjectVersion"}} {
			out.set(pair[1], uri.get(pair[0]))
		}
		return out, uri.get("Bucket") != nil && uri.get("Key") != nil
	}
	rest, ok := strings.CutPrefix(uri.text, "s3://")
	if !ok || uri.kind != text {
		return nil, false
	}
	rest, version, versioned := strings.Cut(rest, "?versionId=")
	bucket, key, _ := strings.Cut(rest, "/")
	out := newObject(uri.line, with("S3Bucket", newText(uri.line, bucket)), with("S3Key", newText(uri.line, key)))
	if versioned {
		out.set("S3ObjectVersion", newText(uri.line, version))
	}
	return out, bucket != "" && key != ""
}

func (f *samFunction) location(uri *value, property string) *value {
	if _, isCall := asCall(uri); isCall {
		return f.withParameters(uri)
	}
	if s3, ok := f.s3Location(uri); ok {
		return s3
	}
	if uri.kind != text || strings.HasPrefix(uri.text, "s3://") {
		f.invalid(uri.line, f.res.id, "'%s' requires Bucket and Key properties to be specified.", property)
		return newUnknown(uri.line)
	}
	return uri
}

// tags gives the function's tags as the list that Lambda takes.
func (f *samFunction) tags() *value {
	line := f.res.line
	tags := newList(line, tag(line, "lambda:createdBy", newText(line, "SAM")))
	if own := f.properties.get("Tags"); own != nil {
		for _, m := range own.members {
			tags.items = append(tags.items, tag(m.line, m.key, m.value))
		}
	}
	return tags
}

func tag(line int, key string, v *value) *value {
	return newObject(line, with("Key", newText(line, key)), with("Value", v))
}

// noticeLeftOut reports what the expansion makes nothing of, and the logical
// ids that SAM would have made of it.
func (f *samFunction) noticeLeftOut() {
	for _, name := range leftOfFunction {
		m := f.properties.member(name)
		if m == nil || name == "Events" {
			continue
		}
		f.notice(Notice{Line: m.line, LogicalID: f.res.id, Type: f.res.typ, Property: name, Message: "not acted on here"})
		if name == "FunctionUrlConfig" {
			f.implied = append(f.implied, f.res.id+"Url")
		}
	}
	events := f.properties.get("Events")
	if events == nil {
		return
	}
	for _, m := range events.members {
		typ := "unknown"
		if t := m.value.get("Type"); t != nil {
			typ = t.text
		}
		f.notice(Notice{
			Line: m.line, LogicalID: f.res.id, Type: f.res.typ, Property: "Events." + m.key,
			Message: "an event of type " + typ + " has nothing to do with WebSocket APIs",
		})
		f.implied = append(f.implied, f.res.id+m.key,
			"ServerlessRestApi", "ServerlessRestApiProdStage", "ServerlessHttpApi", "ServerlessHttpApiApiGatewayDefaultStage")
	}
}

// publish makes the version and the alias of AutoPublishAlias.
func (f *samFunction) publish(alias, code *value) {
	line := alias.line
	if alias.kind != text || !alphanumericAlias(alias.text) {
		f.invalid(line, f.res.id, "AutoPublishAlias must be a string of letters, digits, hyphens and underscores.")
		return
	}
	id, p := f.res.id, newObject(line, with("FunctionName", ref(line, f.res.id)))
	p.set("Description", f.properties.get("VersionDescription"))
	version := id + "Version" + logicalDigest(code)
	retain := with("DeletionPolicy", newText(line, "Retain"))
	f.add(f.res, version, typeVersion, p, append(passed(f.res, "Condition"), retain)...)
	aliasID := id + "Alias" + notAlphanumeric.ReplaceAllString(alias.text, "")
	f.add(f.res, aliasID, typeAlias, newObject(line,
		with("FunctionName", ref(line, id)),
		with("FunctionVersion", getAtt(line, version, "Version")),
		with("Name", alias),
	), passed(f.res, "Condition")...)
	f.aliases[id+".Version"], f.aliases[id+".Alias"] = version, aliasID
}

func alphanumericAlias(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// layerVersion expands AWS::Serverless::LayerVersion. Its logical id carries a
// digest, as every change of a layer is a new version.
func (e *expander) layerVersion(res *resource) {
	names := []string{
		"CompatibleArchitectures", "CompatibleRuntimes", "ContentUri", "Description", "LayerName", "LicenseInfo",
		"PublishLambdaVersion", "RetentionPolicy",
	}
	p := e.properties(res)
	before := len(e.problems)
	e.knownProperties(res, p, names)
	e.required(res, p, "ContentUri")
	if len(e.problems) > before {
		e.keep(res)
		return
	}
	content := p.get("ContentUri")
	if s3, ok := e.s3Location(content); ok {
		content = s3
	}
	out := newObject(res.line, with("Content", content), with("LayerName", newText(res.line, res.id)))
	for _, name := range []string{"CompatibleArchitectures", "CompatibleRuntimes", "Description", "LayerName", "LicenseInfo"} {
		out.set(name, p.get(name))
	}
	encoded, err := compactJSON(newObject(res.line, with(res.id, res.body)))
	if err != nil {
		e.problem(res.line, res.id, "%v", err)
		return
	}
	digest := sha256.Sum256(encoded)
	id := res.id + hex.EncodeToString(digest[:])[:10]
	e.aliases[res.id] = id
	attributes := append(passed(res, "Condition", "DependsOn", "Metadata"), with("DeletionPolicy", newText(res.line, "Retain")))
	e.add(res, id, typeLayerVersion, out, attributes...)
}

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

// role makes the execution role of a function that names none.
func (f *samFunction) role() {
	line := f.res.line
	p := newObject(line,
		with("AssumeRolePolicyDocument", assumeRolePolicy(line)),
		with("ManagedPolicyArns", newList(line, newText(line, managedPolicy("service-role/AWSLambdaBasicExecutionRole")))),
		with("Tags", f.tags()),
	)
	p.set("AssumeRolePolicyDocument", f.properties.get("AssumeRolePolicyDocument"))
	p.set("Path", f.properties.get("RolePath"))
	p.set("PermissionsBoundary", f.properties.get("PermissionsBoundary"))
	managed := p.get("ManagedPolicyArns")
	if f.properties.get("VpcConfig") != nil {
		managed.items = append(managed.items, newText(line, managedPolicy("service-role/AWSLambdaVPCAccessExecutionRole")))
	}
	if f.properties.get("Tracing").is("Active") {
		managed.items = append(managed.items, newText(line, managedPolicy("AWSXRayDaemonWriteAccess")))
	}
	inline := newList(line)
	if policies := f.properties.get("Policies"); policies != nil {
		f.policies(policies, managed, inline)
	}
	if len(inline.items) > 0 {
		p.set("Policies", inline)
	}
	f.add(f.res, f.res.id+"Role", "AWS::IAM::Role", p, f.attributes...)
}

func managedPolicy(name string) string { return "arn:aws:iam::aws:policy/" + name }

func assumeRolePolicy(line int) *value {
	allowed := newObject(line,
		with("Action", newList(line, newText(line, "sts:AssumeRole"))),
		with("Effect", newText(line, "Allow")),
		with("Principal", newObject(line, with("Service", newList(line, newText(line, "lambda.amazonaws.com"))))),
	)
	return newObject(line, with("Statement", newList(line, allowed)), with("Version", newText(line, "2012-10-17")))
}

// policies sorts the property Policies into managed policies and policy
// documents. SAM's policy templates are not expanded: no permission is
// enforced on a function here.
func (f *samFunction) policies(policies, managed, inline *value) {
	items := []*value{policies}
	if policies.kind == list {
		items = policies.items
	}
	for i, policy := range items {
		_, isCall := asCall(policy)
		switch {
		case policy.kind == text && !strings.HasPrefix(policy.text, "arn:"):
			managed.items = append(managed.items, newText(policy.line, managedPolicy(policy.text)))
		case policy.kind == text || isCall:
			managed.items = append(managed.items, policy)
		case policy.get("Statement") != nil:
			inline.items = append(inline.items, newObject(policy.line,
				with("PolicyDocument", policy),
				with("PolicyName", newText(policy.line, f.res.id+"RolePolicy"+strconv.Itoa(i))),
			))
		default:
			f.notice(Notice{
				Line: policy.line, LogicalID: f.res.id, Type: f.res.typ, Property: "Policies",
				Message: "the policy template " + strings.Join(policy.keys(), ", ") + " is not expanded; no permission is enforced here",
			})
		}
	}
}
