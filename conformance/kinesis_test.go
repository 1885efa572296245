package conformance

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// kinesisTemplate is an API with a route for each of the given operations of
// Kinesis. The call of a message is the operation's request, and the client
// gets its answer.
func kinesisTemplate(operations ...string) string {
	var b strings.Builder
	b.WriteString(`
Resources:
  Api: {Type: "AWS::ApiGatewayV2::Api", Properties: {Name: kinesis, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}}
  Stage: {Type: "AWS::ApiGatewayV2::Stage", Properties: {ApiId: !Ref Api, StageName: dev, AutoDeploy: true}}
`)
	for _, operation := range operations {
		b.WriteString(strings.ReplaceAll(`
  NAMERoute: {Type: "AWS::ApiGatewayV2::Route", Properties: {ApiId: !Ref Api, RouteKey: NAME, Target: !Sub "integrations/${NAME}"}}
  NAMERouteResponse: {Type: "AWS::ApiGatewayV2::RouteResponse", Properties: {ApiId: !Ref Api, RouteId: !Ref NAMERoute, RouteResponseKey: $default}}
  NAMEResponse: {Type: "AWS::ApiGatewayV2::IntegrationResponse", Properties: {ApiId: !Ref Api, IntegrationId: !Ref NAME, IntegrationResponseKey: $default}}
  NAME:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS
      IntegrationMethod: POST
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:kinesis:action/NAME
      RequestTemplates: {$default: $input.json('$.call')}
`, "NAME", operation))
	}
	return b.String()
}

// Kinesalite is Kinesis for the operations that messages call: a stream is
// made, a record goes in, and is read again (spec D.2).
func TestKinesis(t *testing.T) {
	t.Parallel()
	requireNode(t)
	kinesalite := run(t, nil, "node", "-e", `
const server = require("kinesalite")({createStreamMs: 10});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume().on("end", () => process.exit(0));`)
	endpoint := "http://127.0.0.1:" + strings.TrimSpace(kinesalite.hear())
	dir := t.TempDir()
	template := kinesisTemplate("CreateStream", "DescribeStream", "PutRecord", "GetShardIterator", "GetRecords")
	if err := os.WriteFile(filepath.Join(dir, "template.yaml"), []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}
	client := start(t, dir, "--aws-endpoint", "kinesis="+endpoint).dial("")
	// call sends a request of an operation and reads the answer.
	call := func(operation, request string, answer any) string {
		t.Helper()
		client.send(fmt.Sprintf(`{"action":%q,"call":%s}`, operation, request))
		text := client.receive()
		if answer != nil {
			if err := json.Unmarshal([]byte(text), answer); err != nil {
				t.Fatalf("%s: %v: %s", operation, err, text)
			}
		}
		return text
	}

	if text := call("CreateStream", `{"StreamName":"notes","ShardCount":1}`, nil); text != "" {
		t.Fatalf("CreateStream: %s", text)
	}
	for end := time.Now().Add(patience); !strings.Contains(call("DescribeStream", `{"StreamName":"notes"}`, nil), `"ACTIVE"`); {
		if time.Now().After(end) {
			t.Fatal("the stream does not become active")
		}
	}
	var put struct{ ShardId, SequenceNumber string }
	call("PutRecord", fmt.Sprintf(`{"StreamName":"notes","PartitionKey":"a","Data":%q}`, base64.StdEncoding.EncodeToString([]byte("hello"))), &put)
	var at struct{ ShardIterator string }
	call("GetShardIterator", fmt.Sprintf(`{"StreamName":"notes","ShardId":%q,"ShardIteratorType":"TRIM_HORIZON"}`, put.ShardId), &at)
	var got struct {
		Records []struct {
			Data           []byte
			SequenceNumber string
		}
	}
	call("GetRecords", fmt.Sprintf(`{"ShardIterator":%q}`, at.ShardIterator), &got)
	if len(got.Records) != 1 || string(got.Records[0].Data) != "hello" || got.Records[0].SequenceNumber != put.SequenceNumber {
		t.Errorf("read %+v, put %+v", got.Records, put)
	}
	if text := call("PutRecord", `{"StreamName":"other","PartitionKey":"a","Data":""}`, nil); !strings.Contains(text, "ResourceNotFoundException") {
		t.Errorf("a stream that does not exist: %s", text)
	}
}
