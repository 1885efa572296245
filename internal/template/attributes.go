package template

import "strings"

// Types of resources that are run here.
const (
	typeAPI                 = "AWS::ApiGatewayV2::Api"
	typeRoute               = "AWS::ApiGatewayV2::Route"
	typeRouteResponse       = "AWS::ApiGatewayV2::RouteResponse"
	typeIntegration         = "AWS::ApiGatewayV2::Integration"
	typeIntegrationResponse = "AWS::ApiGatewayV2::IntegrationResponse"
	typeModel               = "AWS::ApiGatewayV2::Model"
	typeAuthorizer          = "AWS::ApiGatewayV2::Authorizer"
	typeStage               = "AWS::ApiGatewayV2::Stage"
	typeDeployment          = "AWS::ApiGatewayV2::Deployment"
	typeDomainName          = "AWS::ApiGatewayV2::DomainName"
	typeAPIMapping          = "AWS::ApiGatewayV2::ApiMapping"

	typeAPIKey       = "AWS::ApiGateway::ApiKey"
	typeUsagePlan    = "AWS::ApiGateway::UsagePlan"
	typeUsagePlanKey = "AWS::ApiGateway::UsagePlanKey"

	typeFunction     = "AWS::Lambda::Function"
	typePermission   = "AWS::Lambda::Permission"
	typeAlias        = "AWS::Lambda::Alias"
	typeVersion      = "AWS::Lambda::Version"
	typeLayerVersion = "AWS::Lambda::LayerVersion"

	typeTable = "AWS::DynamoDB::Table"
)

// named are the types whose Ref is, or contains, a name: the property that sets
// it, and the length of the longest name that CloudFormation makes up.
var named = map[string]struct {
	property string
	limit    int
}{
	typeFunction:     {"FunctionName", 64},
	typeTable:        {"TableName", 255},
	typeLayerVersion: {"LayerName", 140},
	typeAlias:        {"Name", 0},
	typeStage:        {"StageName", 0},
	typeDomainName:   {"DomainName", 0},

	"AWS::IAM::Role":                       {"RoleName", 64},
	"AWS::IAM::ManagedPolicy":              {"ManagedPolicyName", 128},
	"AWS::IAM::User":                       {"UserName", 64},
	"AWS::S3::Bucket":                      {"BucketName", 63},
	"AWS::SQS::Queue":                      {"QueueName", 80},
	"AWS::SNS::Topic":                      {"TopicName", 256},
	"AWS::Logs::LogGroup":                  {"LogGroupName", 512},
	"AWS::Events::EventBus":                {"Name", 256},
	"AWS::Kinesis::Stream":                 {"Name", 128},
	"AWS::KinesisFirehose::DeliveryStream": {"DeliveryStreamName", 64},
	"AWS::SecretsManager::Secret":          {"Name", 512},
	"AWS::SSM::Parameter":                  {"Name", 1011},
	"AWS::StepFunctions::StateMachine":     {"StateMachineName", 80},
	"AWS::Serverless::StateMachine":        {"Name", 80},
}

// typeAttributes are the attributes of each type that is run here, for Fn::GetAtt.
var typeAttributes = map[string][]string{
	typeAPI:                 {"ApiEndpoint", "ApiId"},
	typeRoute:               {"RouteId"},
	typeRouteResponse:       {"RouteResponseId"},
	typeIntegration:         {"IntegrationId"},
	typeIntegrationResponse: {"IntegrationResponseId"},
	typeModel:               {"ModelId"},
	typeAuthorizer:          {"AuthorizerId"},
	typeStage:               {"Id"},
	typeDeployment:          {"DeploymentId"},
	typeDomainName:          {"DomainNameArn", "RegionalDomainName", "RegionalHostedZoneId"},
	typeAPIMapping:          {"ApiMappingId"},
	typeAPIKey:              {"APIKeyId"},
	typeUsagePlan:           {"Id"},
	typeUsagePlanKey:        {"Id"},
	typeFunction:            {"Arn", "SnapStartResponse", "SnapStartResponse.ApplyOn", "SnapStartResponse.OptimizationStatus"},
	typePermission:          {"Id"},
	typeAlias:               {"AliasArn"},
	typeVersion:             {"FunctionArn", "Version"},
	typeLayerVersion:        {"LayerVersionArn"},
	typeTable:               {"Arn", "StreamArn"},
}

// reference returns the value of a Ref to a resource.
func (r *resolver) reference(res *resource, line int) *value {
	return r.once("Ref "+res.id, line, func() *value { return r.makeReference(res, line) })
}

// nameOf returns a resource's physical name: the property that names it, or one
// made up as CloudFormation does.
func (r *resolver) nameOf(res *resource, line int) *value {
	return r.once("name of "+res.id, line, func() *value { return r.makeName(res) })
}

// once makes a value the first time that it is needed, and returns a copy of it
// on the given line. A value that needs itself is unknown; the circle was
// reported.
func (r *resolver) once(what string, line int, make func() *value) *value {
	v, ok := r.made[what]
	if !ok {
		r.made[what] = newUnknown(line)
		v = make()
		r.made[what] = v
	}
	c := *v
	c.line = line
	return &c
}

func (r *resolver) makeReference(res *resource, line int) *value {
	switch res.typ {
	case typeAPI, typeAPIKey:
		return newText(line, r.stack.id(res.id, 10))
	case typeRoute, typeIntegration:
		return newText(line, r.stack.id(res.id, 7))
	case typeRouteResponse, typeIntegrationResponse, typeModel, typeAuthorizer, typeDeployment, typeAPIMapping, typeUsagePlan, typeUsagePlanKey:
		return newText(line, r.stack.id(res.id, 6))
	case typeFunction, typeTable, typeStage, typeDomainName:
		return r.nameOf(res, line)
	case typeAlias:
		return r.functionARN(res, r.nameOf(res, line), line)
	case typeVersion:
		return r.functionARN(res, newText(line, "1"), line)
	case typeLayerVersion:
		return r.format(line, r.nameOf(res, line), func(name string) string { return r.stack.arn("lambda", "layer:"+name+":1") })
	case "AWS::SQS::Queue":
		return r.format(line, r.nameOf(res, line), func(name string) string {
			return "https://sqs." + r.stack.region + "." + r.stack.suffix + "/" + r.stack.account + "/" + name
		})
	case "AWS::SNS::Topic", "AWS::SecretsManager::Secret", "AWS::StepFunctions::StateMachine", "AWS::Serverless::StateMachine", "AWS::IAM::ManagedPolicy":
		return r.foreignARN(res, line)
	}
	return r.nameOf(res, line)
}

// attribute returns the value of an Fn::GetAtt.
func (r *resolver) attribute(res *resource, name string, line int) *value {
	ref := func() *value { return r.reference(res, line) }
	switch res.typ + "." + name {
	case typeAPI + ".ApiEndpoint", "AWS::Serverless::HttpApi.ApiEndpoint", typeImplied + ".ApiEndpoint":
		scheme := "wss://"
		if res.typ != typeAPI || r.isHTTPAPI(res) {
			scheme = "https://"
		}
		return newText(line, scheme+r.stack.id(res.id, 10)+".execute-api."+r.stack.region+"."+r.stack.suffix)
	case typeFunction + ".Arn":
		return r.format(line, ref(), func(name string) string { return r.stack.arn("lambda", "function:"+name) })
	case typeTable + ".Arn":
		return r.format(line, ref(), func(name string) string { return r.stack.arn("dynamodb", "table/"+name) })
	case typeTable + ".StreamArn":
		return r.format(line, ref(), func(name string) string {
			return r.stack.arn("dynamodb", "table/"+name+"/stream/2026-01-01T00:00:00.000")
		})
	case typeVersion + ".Version":
		return newText(line, "1")
	case typeDomainName + ".RegionalDomainName":
		return newText(line, "d-"+r.stack.id(res.id, 10)+".execute-api."+r.stack.region+"."+r.stack.suffix)
	case typeDomainName + ".RegionalHostedZoneId":
		return newText(line, "Z"+strings.ToUpper(r.stack.id(res.id, 13)))
	case typeDomainName + ".DomainNameArn":
		return r.format(line, ref(), func(name string) string {
			return "arn:" + r.stack.partition + ":apigateway:" + r.stack.region + "::/domainnames/" + name
		})
	case typeAPI + ".ApiId", typeRoute + ".RouteId", typeRouteResponse + ".RouteResponseId", typeIntegration + ".IntegrationId",
		typeIntegrationResponse + ".IntegrationResponseId", typeModel + ".ModelId", typeAuthorizer + ".AuthorizerId",
		typeDeployment + ".DeploymentId", typeAPIMapping + ".ApiMappingId", typeAlias + ".AliasArn",
		typeVersion + ".FunctionArn", typeLayerVersion + ".LayerVersionArn",
		typeAPIKey + ".APIKeyId", typeUsagePlan + ".Id", typeUsagePlanKey + ".Id":
		return ref()
	}
	if name == "Arn" || strings.HasSuffix(name, "Arn") {
		return r.foreignARN(res, line)
	}
	if name == "Name" || strings.HasSuffix(name, "Name") {
		return r.nameOf(res, line)
	}
	return newText(line, r.stack.physicalName(res.id, 128)+"."+name)
}

func (r *resolver) makeName(res *resource) *value {
	naming, ok := named[res.typ]
	if !ok {
		naming.limit = 128
	}
	if given := res.properties.get(naming.property); given != nil {
		switch name := r.resolveFor(res, given); {
		case name.isScalar():
			return newText(given.line, name.text)
		case name.kind == unknown:
			return name
		}
	}
	if naming.limit == 0 {
		return newUnknown(res.line) // required, and reported where it is read
	}
	name := r.stack.physicalName(res.id, naming.limit)
	if res.typ == "AWS::S3::Bucket" {
		name = strings.ToLower(name)
	}
	return newText(res.line, name)
}

// format makes a text from the text of a value. It is unknown if that value is.
func (r *resolver) format(line int, v *value, make func(string) string) *value {
	if v.kind != text {
		return newUnknown(line)
	}
	return newText(line, make(v.text))
}

// functionARN returns the ARN of an alias or a version: that of the function
// that its FunctionName names, with a qualifier.
func (r *resolver) functionARN(res *resource, qualifier *value, line int) *value {
	given := res.properties.get("FunctionName")
	if given == nil || qualifier.kind != text {
		return newUnknown(line)
	}
	return r.format(line, r.resolveFor(res, given), func(name string) string {
		if !strings.HasPrefix(name, "arn:") {
			name = r.stack.arn("lambda", "function:"+name)
		}
		return name + ":" + qualifier.text
	})
}

// foreignARN returns an ARN of the right form for a resource that is not run
// here.
func (r *resolver) foreignARN(res *resource, line int) *value {
	return r.format(line, r.nameOf(res, line), func(name string) string {
		parts := strings.Split(res.typ, "::")
		if len(parts) != 3 {
			return r.stack.arn("cloudformation", name)
		}
		service, typ := strings.ToLower(parts[1]), strings.ToLower(parts[2])
		switch res.typ {
		case "AWS::S3::Bucket":
			return r.stack.globalARN("s3", "", name)
		case "AWS::SQS::Queue", "AWS::SNS::Topic":
			return r.stack.arn(service, name)
		case "AWS::Logs::LogGroup":
			return r.stack.arn("logs", "log-group:"+name+":*")
		case "AWS::Events::EventBus":
			return r.stack.arn("events", "event-bus/"+name)
		case "AWS::StepFunctions::StateMachine", "AWS::Serverless::StateMachine":
			return r.stack.arn("states", "stateMachine:"+name)
		case "AWS::SecretsManager::Secret":
			return r.stack.arn("secretsmanager", "secret:"+name)
		case "AWS::KinesisFirehose::DeliveryStream":
			return r.stack.arn("firehose", "deliverystream/"+name)
		case "AWS::IAM::ManagedPolicy":
			return r.stack.globalARN("iam", r.stack.account, "policy/"+name)
		}
		if service == "iam" {
			return r.stack.globalARN("iam", r.stack.account, typ+"/"+name)
		}
		return r.stack.arn(service, typ+"/"+name)
	})
}
