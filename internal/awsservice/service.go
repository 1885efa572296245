package awsservice

import "fmt"

// service is what must be known of an AWS service in order to call it. The zero
// value is a service that is called by path only, and has one name everywhere.
type service struct {
	host    string // in the endpoint; empty: the name
	signing string // in the signature's scope; empty: the name
	sdk     string // in AWS_ENDPOINT_URL_{…}; empty: the name

	// Services take actions as JSON with the header X-Amz-Target, or as query
	// parameters, or either.
	target  string // X-Amz-Target up to the dot; empty: no JSON
	json    string // version of the JSON protocol: "1.0" or "1.1"
	version string // of the API, a query parameter; empty: no query parameters

	// hashed says that requests have the body's hash in X-Amz-Content-Sha256.
	hashed bool
	// pathAsIs says that the path is the key of an object: slashes are part of
	// it, and it is signed as it is sent. Other services escape it once more for
	// the signature.
	pathAsIs bool
	// hostPrefixes are put before the host, by the action.
	hostPrefixes map[string]string
}

// services are the known services by their name in an integration's URI, a few with
// their subdomain. A service that is not here can be called by path/.
var services = map[string]service{
	"appsync-api":      {signing: "appsync"},
	"athena":           {target: "AmazonAthena", json: "1.1"},
	"bedrock-runtime":  {signing: "bedrock"},
	"cognito-identity": {target: "AWSCognitoIdentityService", json: "1.1"},
	"cognito-idp":      {target: "AWSCognitoIdentityProviderService", json: "1.1", sdk: "COGNITO_IDENTITY_PROVIDER"},
	"comprehend":       {target: "Comprehend_20171127", json: "1.1"},
	"dynamodb":         {target: "DynamoDB_20120810", json: "1.0"},
	"ec2":              {version: "2016-11-15"},
	"ecs":              {target: "AmazonEC2ContainerServiceV20141113", json: "1.1"},
	"email":            {signing: "ses", sdk: "SES", version: "2010-12-01"},
	"events":           {target: "AWSEvents", json: "1.1", sdk: "EVENTBRIDGE"},
	"firehose":         {target: "Firehose_20150804", json: "1.1"},
	"glue":             {target: "AWSGlue", json: "1.1"},
	"iotdata":          {host: "iot", sdk: "IOT_DATA_PLANE"},
	"kinesis":          {target: "Kinesis_20131202", json: "1.1"},
	"kms":              {target: "TrentService", json: "1.1"},
	"lambda":           {hashed: true},
	"logs":             {target: "Logs_20140328", json: "1.1", sdk: "CLOUDWATCH_LOGS"},
	"monitoring":       {sdk: "CLOUDWATCH", version: "2010-08-01"},
	"rekognition":      {target: "RekognitionService", json: "1.1"},
	"runtime.sagemaker": {
		host: "runtime.sagemaker", signing: "sagemaker", sdk: "SAGEMAKER_RUNTIME",
	},
	"s3":             {hashed: true, pathAsIs: true},
	"secretsmanager": {target: "secretsmanager", json: "1.1", sdk: "SECRETS_MANAGER"},
	"ses":            {host: "email", version: "2010-12-01"},
	"sns":            {version: "2010-03-31"},
	"sqs":            {target: "AmazonSQS", json: "1.0", version: "2012-11-05"},
	"ssm":            {target: "AmazonSSM", json: "1.1"},
	"states": {
		target: "AWSStepFunctions", json: "1.0", sdk: "SFN",
		hostPrefixes: map[string]string{"StartSyncExecution": "sync-", "TestState": "sync-"},
	},
	"streams.dynamodb": {
		host: "streams.dynamodb", signing: "dynamodb", sdk: "DYNAMODB_STREAMS",
		target: "DynamoDBStreams_20120810", json: "1.0",
	},
	"sts":       {version: "2011-06-15"},
	"textract":  {target: "Textract", json: "1.1"},
	"translate": {target: "AWSShineFrontendService_20170701", json: "1.1"},
}

// service returns what is known of the URI's service, with the names filled in that
// are the same everywhere.
func (u *URI) service() service {
	s, whole := services[u.name()]
	if !whole {
		s = services[u.Service]
	}
	if s.host == "" {
		s.host = u.Service
	}
	if u.Subdomain != "" && !whole {
		s.host = u.Subdomain + "." + s.host
	}
	if s.signing == "" {
		s.signing = u.Service
	}
	return s
}

// check returns an error for a URI whose action cannot be called.
func (s service) check(u *URI) error {
	if s.target == "" && s.version == "" {
		return fmt.Errorf("actions of %s are not known here; name the operation's path with path/", u.name())
	}
	return nil
}
