package template

import "slices"

// globalSections are the members of Globals, each with the type of resource
// that it is for; "" for types that are not expanded here.
var globalSections = map[string]string{
	"Api":              "",
	"CapacityProvider": "",
	"Function":         "AWS::Serverless::Function",
	"HttpApi":          "",
	"LayerVersion":     "AWS::Serverless::LayerVersion",
	"SimpleTable":      "AWS::Serverless::SimpleTable",
	"StateMachine":     "",
	"WebSocketApi":     "AWS::Serverless::WebSocketApi",
}

// readGlobals reads the section Globals: default properties by type.
func readGlobals(d *document, r *report) map[string]*value {
	globals := map[string]*value{}
	for _, m := range d.section("Globals").members {
		typ, ok := globalSections[m.key]
		if !ok {
			r.problem(m.line, "", "'Globals' section is invalid. '%s' is not supported%s", m.key, r.didYouMean(m.key, sortedKeys(globalSections)))
			continue
		}
		if m.value.kind == null || m.value.kind == unknown {
			continue
		}
		if m.value.kind != object {
			r.problem(m.line, "", "'Globals' section is invalid. Value of ${%s} must be a dictionary", m.key)
			continue
		}
		if typ == "" {
			continue
		}
		defaults := newObject(m.value.line)
		for _, property := range m.value.members {
			supported := globalProperties[typ]
			if slices.Contains(supported, property.key) {
				defaults.members = append(defaults.members, property)
				continue
			}
			r.problem(property.line, "", "'Globals' section is invalid. '%s' is not a supported property of '%s'%s",
				property.key, m.key, r.didYouMean(property.key, supported))
		}
		globals[typ] = defaults
	}
	return globals
}

// globalProperties are the properties that Globals may give, by type.
var globalProperties = map[string][]string{
	"AWS::Serverless::Function": {
		"Architectures", "AssumeRolePolicyDocument", "AutoPublishAlias", "AutoPublishAliasAllProperties",
		"AutoPublishCodeSha256", "CapacityProviderConfig", "CodeSigningConfigArn", "CodeUri", "DeadLetterQueue",
		"DeploymentPreference", "Description", "DurableConfig", "Environment", "EphemeralStorage", "EventInvokeConfig",
		"FileSystemConfigs", "FunctionScalingConfig", "FunctionUrlConfig", "Handler", "KmsKeyArn", "Layers",
		"LoggingConfig", "MemorySize", "PermissionsBoundary", "PropagateTags", "ProvisionedConcurrencyConfig",
		"PublishToLatestPublished", "RecursiveLoop", "ReservedConcurrentExecutions", "RolePath", "Runtime",
		"RuntimeManagementConfig", "SnapStart", "SourceKMSKeyArn", "Tags", "TenancyConfig", "Timeout", "Tracing",
		"VersionDeletionPolicy", "VpcConfig",
	},
	"AWS::Serverless::LayerVersion": {"PublishLambdaVersion", "RetentionPolicy"},
	"AWS::Serverless::SimpleTable":  {"SSESpecification"},
	"AWS::Serverless::WebSocketApi": {
		"AccessLogSettings", "ApiKeySelectionExpression", "DefaultRouteSettings", "DisableExecuteApiEndpoint",
		"DisableSchemaValidation", "Domain", "IpAddressType", "PropagateTags", "RouteSettings",
		"StageVariables", "Tags",
	},
}

// mergeGlobals merges defaults with a resource's own properties as SAM does:
// objects member by member, lists one after the other, anything else (the
// value of a function too) by taking the resource's own.
func mergeGlobals(global, own *value) *value {
	_, globalCall := asCall(global)
	_, ownCall := asCall(own)
	if globalCall || ownCall || global.kind != own.kind {
		return own
	}
	switch own.kind {
	case list:
		return newList(own.line, slices.Concat(global.items, own.items)...)
	case object:
		merged := newObject(own.line)
		for _, m := range global.members {
			if mine := own.member(m.key); mine != nil {
				m = member{key: m.key, line: mine.line, value: mergeGlobals(m.value, mine.value)}
			}
			merged.members = append(merged.members, m)
		}
		for _, m := range own.members {
			if global.member(m.key) == nil {
				merged.members = append(merged.members, m)
			}
		}
		return merged
	}
	return own
}
