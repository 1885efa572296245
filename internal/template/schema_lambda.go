package template

import "github.com/stagedoor/stagedoor/internal/lazyregexp"

var (
	functionName = lazyregexp.New(`^[A-Za-z0-9_-]{1,64}$`)
	variableName = lazyregexp.New(`^[A-Za-z][A-Za-z0-9_]+$`)
)

var functionSchema = []property{
	{name: "Architectures", form: textsForm},
	{name: "CapacityProviderConfig", kept: true},
	{name: "Code", required: true},
	{name: "CodeSigningConfigArn", kept: true},
	{name: "DeadLetterConfig", kept: true},
	{name: "Description", form: textForm, max: 256},
	{name: "DurableConfig", kept: true},
	{name: "Environment", form: objectForm},
	{name: "EphemeralStorage", form: objectForm, kept: true},
	{name: "FileSystemConfigs", form: listForm, kept: true},
	{name: "FunctionName", form: textForm, pattern: functionName},
	{name: "FunctionScalingConfig", kept: true},
	{name: "Handler", form: textForm, max: 128},
	{name: "ImageConfig", kept: true},
	{name: "KmsKeyArn", kept: true},
	{name: "Layers", form: textsForm},
	{name: "LoggingConfig", form: objectForm, kept: true},
	{name: "MemorySize", form: integerForm, min: 128, max: 10240},
	{name: "PackageType", form: textForm, oneOf: []string{"Zip", "Image"}},
	{name: "PublishToLatestPublished", kept: true},
	{name: "RecursiveLoop", form: textForm, kept: true},
	{name: "ReservedConcurrentExecutions", form: integerForm, kept: true},
	{name: "Role", form: textForm},
	{name: "Runtime", form: textForm},
	{name: "RuntimeManagementConfig", kept: true},
	{name: "SnapStart", kept: true},
	{name: "Tags", form: listForm},
	{name: "TenancyConfig", kept: true},
	{name: "Timeout", form: integerForm, min: 1, max: 900},
	{name: "TracingConfig", kept: true},
	{name: "VpcConfig", kept: true},
}

var codeSchema = []property{
	{name: "ImageUri", form: textForm},
	{name: "S3Bucket", form: textForm},
	{name: "S3Key", form: textForm},
	{name: "S3ObjectVersion", form: textForm},
	{name: "SourceKMSKeyArn", form: textForm},
	{name: "ZipFile", form: textForm},
}

var permissionSchema = []property{
	{name: "Action", form: textForm, required: true},
	{name: "EventSourceToken", form: textForm},
	{name: "FunctionName", form: textForm, required: true},
	{name: "FunctionUrlAuthType", form: textForm},
	{name: "InvokedViaFunctionUrl", form: booleanForm},
	{name: "Principal", form: textForm, required: true},
	{name: "PrincipalOrgID", form: textForm},
	{name: "SourceAccount", form: textForm},
	{name: "SourceArn", form: textForm},
}

var aliasSchema = []property{
	{name: "Description", form: textForm},
	{name: "FunctionName", form: textForm, required: true},
	{name: "FunctionVersion", form: textForm, required: true},
	{name: "Name", form: textForm, required: true},
	{name: "ProvisionedConcurrencyConfig", kept: true},
	{name: "RoutingConfig", kept: true},
}

var versionSchema = []property{
	{name: "CodeSha256", kept: true},
	{name: "Description", form: textForm},
	{name: "FunctionName", form: textForm, required: true},
	{name: "FunctionScalingConfig", kept: true},
	{name: "ProvisionedConcurrencyConfig", kept: true},
	{name: "RuntimePolicy", kept: true},
}

var layerVersionSchema = []property{
	{name: "CompatibleArchitectures", form: textsForm},
	{name: "CompatibleRuntimes", form: textsForm},
	{name: "Content", required: true},
	{name: "Description", form: textForm},
	{name: "LayerName", form: textForm},
	{name: "LicenseInfo", form: textForm},
}
