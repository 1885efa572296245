package awsservice

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventbridgetypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"
)

const region = "us-east-1"

func arn(rest string) string { return "arn:aws:apigateway:" + region + ":" + rest }

// wireCase is a call, what it must look like on the wire, and the same
// operation with the AWS SDK where that speaks the same protocol.
type wireCase struct {
	name    string
	uri     string
	request Request
	want    string
	scope   string
	sdk     func(context.Context, aws.Config) error
}

// Spec D.2: every kind of URI in the services' own wire forms, which the AWS
// SDK has as well.
func TestWireForm(t *testing.T) {
	t.Parallel()
	for _, test := range slices.Concat(jsonCases, queryCases, restCases) {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := newAmazon(t, nil)
			test.request.URI = mustParse(t, test.uri)
			call(t, a.client(nil), &test.request)
			ours := a.last()
			if diff := cmp.Diff(strings.TrimSpace(test.want), written(ours)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if got := scope(ours.Request); got != region+"/"+test.scope {
				t.Errorf("signed for %s, want %s/%s", got, region, test.scope)
			}
			if test.sdk == nil {
				return
			}
			_ = test.sdk(t.Context(), aws.Config{ // the answer matters to nobody
				Region: region, Credentials: testCredentials(), HTTPClient: &http.Client{Transport: a.transport},
				Retryer:                    func() aws.Retryer { return aws.NopRetryer{} },
				RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
			})
			if diff := cmp.Diff(meaning(a.last()), meaning(ours)); diff != "" {
				t.Errorf("(-SDK +ours)\n%s", diff)
			}
		})
	}
}

// written is a request with the headers that say what it asks for.
func written(r received) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s%s\n", r.Method, r.Host, r.RequestURI)
	for _, name := range []string{"Accept", "Content-Type", "X-Amz-Target", "X-Test"} {
		if value := r.Header.Get(name); value != "" && !(name == "Accept" && value == "application/json") {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	fmt.Fprintf(&b, "\n%s", r.body)
	return strings.TrimSpace(b.String())
}

// meaning is what a service reads from a request.
func meaning(r received) map[string]any {
	parameters, _ := url.ParseQuery(r.URL.RawQuery)
	delete(parameters, "x-id") // for the service's logs
	m := map[string]any{
		"method": r.Method, "host": r.Host, "path": r.URL.EscapedPath(),
		"target": r.Header.Get("X-Amz-Target"), "scope": scope(r.Request), "parameters": parameters,
	}
	switch kind := r.Header.Get("Content-Type"); {
	case kind == formType:
		form, _ := url.ParseQuery(string(r.body))
		for name, values := range form {
			parameters[name] = values
		}
	case strings.HasPrefix(kind, "application/x-amz-json"):
		var body any
		if err := json.Unmarshal(r.body, &body); err != nil {
			body = err.Error()
		}
		m["type"], m["body"] = kind, body
	default:
		m["body"] = string(r.body)
	}
	return m
}

var jsonCases = []wireCase{
	{
		name: "DynamoDB PutItem", scope: "dynamodb",
		uri:     arn("dynamodb:action/PutItem"),
		request: Request{Body: []byte(`{"TableName":"t","Item":{"id":{"S":"é\u00e9"}}}`)},
		want: `POST dynamodb.us-east-1.amazonaws.com/
Content-Type: application/x-amz-json-1.0
X-Amz-Target: DynamoDB_20120810.PutItem

{"TableName":"t","Item":{"id":{"S":"é\u00e9"}}}`,
		sdk: func(ctx context.Context, c aws.Config) error {
			_, err := dynamodb.NewFromConfig(c).PutItem(ctx, &dynamodb.PutItemInput{
				TableName: aws.String("t"),
				Item:      map[string]dynamodbtypes.AttributeValue{"id": &dynamodbtypes.AttributeValueMemberS{Value: "éé"}},
			})
			return err
		},
	},
	{
		name: "Kinesis PutRecord", scope: "kinesis",
		uri:     arn("kinesis:action/PutRecord"),
		request: Request{Body: []byte(`{"StreamName":"s","PartitionKey":"p","Data":"aGk="}`)},
		want: `POST kinesis.us-east-1.amazonaws.com/
Content-Type: application/x-amz-json-1.1
X-Amz-Target: Kinesis_20131202.PutRecord

{"StreamName":"s","PartitionKey":"p","Data":"aGk="}`,
		sdk: func(ctx context.Context, c aws.Config) error {
			_, err := kinesis.NewFromConfig(c).PutRecord(ctx, &kinesis.PutRecordInput{
				StreamName: aws.String("s"), PartitionKey: aws.String("p"), Data: []byte("hi"),
			})
			return err
		},
	},
	{
		name: "Step Functions StartExecution", scope: "states",
		uri:     arn("states:action/StartExecution"),
		request: Request{Body: []byte(`{"stateMachineArn":"m","input":"{}"}`)},
		want: `POST states.us-east-1.amazonaws.com/
Content-Type: application/x-amz-json-1.0
X-Amz-Target: AWSStepFunctions.StartExecution

{"stateMachineArn":"m","input":"{}"}`,
		sdk: func(ctx context.Context, c aws.Config) error {
			_, err := sfn.NewFromConfig(c).StartExecution(ctx, &sfn.StartExecutionInput{
				StateMachineArn: aws.String("m"), Input: aws.String("{}"),
			})
			return err
		},
	},
	{
		name: "Step Functions StartSyncExecution", scope: "states",
		uri:     arn("states:action/StartSyncExecution"),
		request: Request{Body: []byte(`{"stateMachineArn":"m"}`)},
		want: `POST sync-states.us-east-1.amazonaws.com/
Content-Type: application/x-amz-json-1.0
X-Amz-Target: AWSStepFunctions.StartSyncExecution

{"stateMachineArn":"m"}`,
		sdk: func(ctx context.Context, c aws.Config) error {
			_, err := sfn.NewFromConfig(c).StartSyncExecution(ctx, &sfn.StartSyncExecutionInput{StateMachineArn: aws.String("m")})
			return err
		},
	},
	{
		name: "EventBridge PutEvents", scope: "events",
		uri:     arn("events:action/PutEvents"),
		request: Request{Body: []byte(`{"Entries":[{"Source":"chat","DetailType":"d","Detail":"{}"}]}`)},
		want: `POST events.us-east-1.amazonaws.com/
Content-Type: application/x-amz-json-1.1
X-Amz-Target: AWSEvents.PutEvents

{"Entries":[{"Source":"chat","DetailType":"d","Detail":"{}"}]}`,
		sdk: func(ctx context.Context, c aws.Config) error {
			_, err := eventbridge.NewFromConfig(c).PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []eventbridgetypes.PutEventsRequestEntry{
				{Source: aws.String("chat"), DetailType: aws.String("d"), Detail: aws.String("{}")},
			}})
			return err
		},
	},
	{
		name: "SQS SendMessage in JSON", scope: "sqs",
		uri:     arn("sqs:action/SendMessage"),
		request: Request{Body: []byte(` {"QueueUrl":"https://sqs.us-east-1.amazonaws.com/123456789012/q","MessageBody":"hi"}`)},
		want: `POST sqs.us-east-1.amazonaws.com/
Content-Type: application/x-amz-json-1.0
X-Amz-Target: AmazonSQS.SendMessage

 {"QueueUrl":"https://sqs.us-east-1.amazonaws.com/123456789012/q","MessageBody":"hi"}`,
		sdk: func(ctx context.Context, c aws.Config) error {
			_, err := sqs.NewFromConfig(c, func(o *sqs.Options) { o.DisableMessageChecksumValidation = true }).SendMessage(ctx, &sqs.SendMessageInput{
				QueueUrl: aws.String("https://sqs.us-east-1.amazonaws.com/123456789012/q"), MessageBody: aws.String("hi"),
			})
			return err
		},
	},
	{
		name: "Firehose PutRecord", scope: "firehose",
		uri:     arn("firehose:action/PutRecord"),
		request: Request{Body: []byte(`{"DeliveryStreamName":"d"}`)},
		want: `POST firehose.us-east-1.amazonaws.com/
Content-Type: application/x-amz-json-1.1
X-Amz-Target: Firehose_20150804.PutRecord

{"DeliveryStreamName":"d"}`,
	},
	{
		name: "Logs PutLogEvents", scope: "logs",
		uri:     arn("logs:action/PutLogEvents"),
		request: Request{Body: []byte(`{"logGroupName":"g"}`)},
		want: `POST logs.us-east-1.amazonaws.com/
Content-Type: application/x-amz-json-1.1
X-Amz-Target: Logs_20140328.PutLogEvents

{"logGroupName":"g"}`,
	},
	{
		name: "a mapped content type wins, no body is an empty object", scope: "dynamodb",
		uri: arn("streams.dynamodb:action/ListStreams"),
		request: Request{Header: http.Header{
			"Content-Type": {"application/json"}, "X-Test": {"a  b"}, "Accept": {"*/*"}, "Host": {"example.org"},
		}},
		want: `POST streams.dynamodb.us-east-1.amazonaws.com/
Accept: */*
Content-Type: application/json
X-Amz-Target: DynamoDBStreams_20120810.ListStreams
X-Test: a  b

{}`,
	},
}

var queryCases = []wireCase{
	{
		name: "SNS Publish with a form", scope: "sns",
		uri:     arn("sns:action/Publish"),
		request: Request{Header: http.Header{"Content-Type": {formType}}, Body: []byte("Message=a%20b%26c&TopicArn=arn%3Aaws%3Asns")},
		want: `POST sns.us-east-1.amazonaws.com/?Action=Publish&Version=2010-03-31
Content-Type: application/x-www-form-urlencoded

Message=a%20b%26c&TopicArn=arn%3Aaws%3Asns`,
		sdk: func(ctx context.Context, c aws.Config) error {
			_, err := sns.NewFromConfig(c).Publish(ctx, &sns.PublishInput{Message: aws.String("a b&c"), TopicArn: aws.String("arn:aws:sns")})
			return err
		},
	},
	{
		name: "SNS Publish with a form of unmapped type", scope: "sns",
		uri:     arn("sns:action/Publish"),
		request: Request{Body: []byte("Message=a&Version=2010-03-31&Action=Publish")},
		want: `POST sns.us-east-1.amazonaws.com/
Content-Type: application/x-www-form-urlencoded

Message=a&Version=2010-03-31&Action=Publish`,
	},
	{
		name: "SNS Publish with mapped parameters, the message passed through", scope: "sns",
		uri:     arn("sns:action/Publish&TopicArn={topic}&Subject=x"),
		request: Request{Query: url.Values{"Message": {"a b"}, "Subject": {"y"}}, Path: map[string]string{"topic": "arn:aws:sns&"}, Body: []byte(`{"action":"x"}`)},
		want: `POST sns.us-east-1.amazonaws.com/?Action=Publish&Message=a%20b&Subject=y&TopicArn=arn%3Aaws%3Asns%26&Version=2010-03-31
Content-Type: application/json

{"action":"x"}`,
	},
	{
		name: "SQS SendMessage with a form", scope: "sqs",
		uri:     arn("sqs:action/SendMessage"),
		request: Request{Header: http.Header{"Content-Type": {formType + "; charset=utf-8"}}, Body: []byte("MessageBody={}")},
		want: `POST sqs.us-east-1.amazonaws.com/?Action=SendMessage&Version=2012-11-05
Content-Type: application/x-www-form-urlencoded; charset=utf-8

MessageBody={}`,
	},
	{
		name: "SQS by the queue's path", scope: "sqs",
		uri:     arn("sqs:path/123456789012/queue"),
		request: Request{Header: http.Header{"Content-Type": {formType}}, Body: []byte("Action=SendMessage&MessageBody=hi")},
		want: `POST sqs.us-east-1.amazonaws.com/123456789012/queue
Content-Type: application/x-www-form-urlencoded

Action=SendMessage&MessageBody=hi`,
	},
	{
		name: "SES has another name in signatures", scope: "ses",
		uri:     arn("email:action/GetSendQuota"),
		request: Request{Method: "GET"},
		want: `GET email.us-east-1.amazonaws.com/?Action=GetSendQuota&Version=2010-12-01
Content-Type: application/json`,
	},
}

var restCases = []wireCase{
	{
		name: "S3 PutObject", scope: "s3",
		uri:     arn("s3:path/{bucket}/{key}"),
		request: Request{Method: "PUT", Header: http.Header{"Content-Type": {"text/plain"}}, Path: map[string]string{"bucket": "rooms", "key": "a b/ü+(1):%41.txt"}, Body: []byte("text")},
		want: `PUT s3.us-east-1.amazonaws.com/rooms/a%20b/%C3%BC%2B%281%29%3A%2541.txt
Content-Type: text/plain

text`,
		sdk: func(ctx context.Context, c aws.Config) error {
			_, err := s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }).PutObject(ctx, &s3.PutObjectInput{
				Bucket: aws.String("rooms"), Key: aws.String("a b/ü+(1):%41.txt"), Body: strings.NewReader("text"), ContentType: aws.String("text/plain"),
			})
			return err
		},
	},
	{
		name: "S3 GetObject from the bucket's host", scope: "s3",
		uri:     arn("rooms.s3:path/a%20b.txt?versionId=1"),
		request: Request{Method: "GET"},
		want: `GET rooms.s3.us-east-1.amazonaws.com/a%20b.txt?versionId=1
Content-Type: application/json`,
		sdk: func(ctx context.Context, c aws.Config) error {
			answer, err := s3.NewFromConfig(c).GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("rooms"), Key: aws.String("a b.txt"), VersionId: aws.String("1")})
			if err == nil {
				_, _ = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
			}
			return err
		},
	},
	{
		name: "Lambda Invoke", scope: "lambda",
		uri:     arn("lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:{name}/invocations"),
		request: Request{Path: map[string]string{"name": "f/g?h"}, Body: []byte(`{}`)},
		want: `POST lambda.us-east-1.amazonaws.com/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af%2Fg%3Fh/invocations
Content-Type: application/json

{}`,
	},
	{
		name: "a service that is not in the table", scope: "mediapackage",
		uri: arn("mediapackage:path//channels"),
		want: `POST mediapackage.us-east-1.amazonaws.com/channels
Content-Type: application/json`,
	},
}
