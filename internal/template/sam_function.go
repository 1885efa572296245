package template

import (
	"slices"
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

// usedOfFunction are the other properties that the expansion uses.
var usedOfFunction = []string{
	"AssumeRolePolicyDocument", "AutoPublishAlias", "CodeUri", "DeadLetterQueue", "ImageUri", "InlineCode",
	"PermissionsBoundary", "Policies", "PropagateTags", "Role", "RolePath", "Tags", "Tracing", "VersionDescription",
}

// leftOfFunction are properties of SAM that are not used here; they are
// reported as ignored.
var leftOfFunction = []string{
	"AutoPublishAliasAllProperties", "AutoPublishCodeSha256", "DeploymentPreference", "EventInvokeConfig", "Events",
	"FunctionUrlConfig", "ProvisionedConcurrencyConfig", "SourceKMSKeyArn", "VersionDeletionPolicy",
}

// function expands AWS::Serverless::Function into the function, its role and,
// with AutoPublishAlias, a version and an alias.
func (e *expander) function(res *resource) {
	f := &samFunction{expander: e, res: res, properties: e.properties(res).withoutNull()}
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
	attributes []member // passed on to all resources that are made
}

// code returns the property Code of the Lambda function. A local folder stays a
// path; packaging it is a matter of deployment.
func (f *samFunction) code() *value {
	inline, uri, image := f.properties.get("InlineCode"), f.properties.get("CodeUri"), f.properties.get("ImageUri")
	switch {
	case image != nil:
		return newObject(image.line, with("ImageUri", image))
	case inline != nil && (f.res.properties.get("CodeUri") == nil || uri == nil):
		return newObject(inline.line, with("ZipFile", inline))
	case uri == nil && f.properties.get("PackageType").is("Image"):
		// The image is built from Metadata; there is no URI for it yet.
		return newObject(f.res.line, with("ImageUri", newText(f.res.line, f.res.id)))
	case uri == nil:
		return newText(f.res.line, ".")
	}
	return f.location(uri)
}

// s3Location reads the place of code or of a layer in S3: a URI, or an object
// with bucket and key. ok is false for anything else, such as a local path.
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

// location returns the place of the code that a CodeUri names: a place in S3, a
// local path, or an intrinsic function.
func (f *samFunction) location(uri *value) *value {
	uri = f.withParameters(uri)
	if _, isCall := asCall(uri); isCall {
		return uri
	}
	if s3, ok := f.s3Location(uri); ok {
		return s3
	}
	if uri.kind != text || strings.HasPrefix(uri.text, "s3://") {
		f.invalid(uri.line, f.res.id, "'CodeUri' requires Bucket and Key properties to be specified.")
		return newUnknown(uri.line)
	}
	return uri
}

// tags returns the function's tags as the list that Lambda takes.
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

// noticeLeftOut reports the properties and events that are not expanded here,
// and the logical ids that SAM would have made for them.
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
		f.invalid(line, f.res.id, "'AutoPublishAlias' must be a string or a Ref to a template parameter")
		return
	}
	id, p := f.res.id, newObject(line, with("FunctionName", ref(line, f.res.id)))
	p.set("Description", f.properties.get("VersionDescription"))
	version := id + "Version" + logicalDigest(code)
	retain := with("DeletionPolicy", newText(line, "Retain"))
	f.add(f.res, version, typeVersion, p, append(passed(f.res, "Condition"), retain)...)
	aliasID := id + "Alias" + notAlphanumeric.Compiled().ReplaceAllString(alias.text, "")
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
