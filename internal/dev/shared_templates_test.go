package dev

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/mistake"
)

// sharedTemplates are templates that nobody wrote for this project, where they
// are there.
const sharedTemplates = "../../../shared/templates"

// foreign is a template with what its author would give it.
type foreign struct {
	parameters, imports map[string]string
	// lacks are folders that its repository does not have, or has in another
	// case: functions of these are the template's own fault.
	lacks []string
	// faults are what else is refused of it, a part of each message.
	faults []string
}

type values = map[string]string

var publicTemplates = map[string]foreign{
	"AnD00+simple-websockets-chat-app__template.yaml":                      {parameters: values{"DynamoEndpoint": "http://localhost:8000", "StageName": "dev"}},
	"LambdaSharp+LambdaSharpTool__LambdaSharp.App.EventBus.json":           {parameters: values{"AppVersionId": "1", "DeploymentBucketName": "b", "DeploymentPrefix": "p", "DeploymentPrefixLowercase": "p"}},
	"LambdaSharp+LambdaSharpTool__WebSocketSample.json":                    {parameters: values{"DeploymentBucketName": "b", "DeploymentPrefix": "p", "DeploymentPrefixLowercase": "p"}},
	"Shreyanair77+AWS-WebSocket-Chat__template.yaml":                       {},
	"allenheltondev+serverless-websockets__template.yaml":                  {parameters: values{"JwtSecret": "s", "DomainName": "example.com", "HostedZoneId": "Z1"}},
	"aurbac+sam-websocket-api-gateway__template.yaml":                      {parameters: values{"WebsiteName": "site"}},
	"aws+aws-lambda-dotnet__serverless.template":                           {},
	"aws+aws-sam-cli__connector_api_to_function.yaml":                      {faults: []string{"the property RouteSelectionExpression is missing"}},
	"aws+aws-sam-cli__embedded_connectors_api_to_function.yaml":            {faults: []string{"the property RouteSelectionExpression is missing"}},
	"aws-samples+aws-lex-web-ui__streaming-support.yaml":                   {parameters: values{"ParentOrigin": "https://example.com"}},
	"awslabs+aws-solutions-constructs__wssqs-custom-route.template.json":   {},
	"awslabs+aws-solutions-constructs__wssqs-default-route.template.json":  {},
	"drewski90+AWS-SAM-APIGateway-WebSocket-LLM-Completion__template.yaml": {parameters: values{"OpenAIAPIKey": "key"}},
	"drmatt13+aws-api-gateway-websocket-dev-kit__template.yaml":            {},
	"drmatt13+sam-websocket-dev-kit__template.yaml":                        {},
	"gisheri+simple-websockets-chat-app__template.yaml":                    {lacks: []string{"onConnect/", "onDisconnect/", "sendMessage/"}},
	"jasonwong26+simple-websockets-chat-app__template.yaml":                {lacks: []string{"sendmessage/"}},
	"jmau949+websocket-lambda-deepseek__template.yaml":                     {parameters: values{"HostedZoneId": "Z1", "PrivateSubnet1Id": "subnet-1", "PrivateSubnet2Id": "subnet-2", "LambdaSecurityGroupId": "sg-1"}, lacks: []string{"dist/"}},
	"mattyboy84+AWS-Websocket-API__template.yaml":                          {},
	"raulnq+aws-api-gateway-websockets__template.yaml":                     {},
}

// needsFolder is a problem that a folder of code is not there.
var needsFolder = regexp.MustCompile(`folder (\S+) does not exist`)

// TestPublicTemplates checks templates out of public repositories: what is
// refused of them is their own fault, and nothing else of them is.
func TestPublicTemplates(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(sharedTemplates, "public", "*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("public templates are not there: " + sharedTemplates)
	}
	known := maps.Clone(publicTemplates)
	var table strings.Builder
	rows := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	for _, file := range files {
		name := filepath.Base(file)
		template, ok := known[name]
		delete(known, name)
		if !ok {
			t.Errorf("%s is not in the table of this test", name)
		}
		outcome := checkForeign(t, file, template)
		fmt.Fprintf(rows, "%s\t%s\n", name, outcome)
	}
	_ = rows.Flush()
	t.Logf("public templates:\n%s", &table)
	for name := range known {
		t.Errorf("%s is in the table of this test, and not there", name)
	}
}

// checkForeign checks a template with its parameters and imports, beside folders
// that are made as its functions name them, and says what came of it.
func checkForeign(t *testing.T, file string, template foreign) string {
	t.Helper()
	home := filepath.Join(t.TempDir(), "repository", "backend")
	config := Config{
		Template: filepath.Join(home, filepath.Base(file)), Parameters: template.parameters, Imports: template.imports,
		Region: "us-east-1", CacheDir: t.TempDir(),
	}
	copyFile(t, file, config.Template)
	application, err := Check(config)
	if makeFolders(t, home, err, template.lacks) {
		application, err = Check(config)
	}
	var problems mistake.List
	if err != nil && !errors.As(err, &problems) {
		t.Errorf("%s: %v", filepath.Base(file), err)
		return err.Error()
	}
	wanted := slices.Clone(template.faults)
	for _, folder := range template.lacks {
		wanted = append(wanted, "folder "+folder+" does not exist")
	}
	met := map[string]bool{}
	for _, problem := range problems {
		i := slices.IndexFunc(wanted, func(w string) bool { return strings.Contains(problem.Message, w) })
		if i < 0 {
			t.Errorf("%s: %v", filepath.Base(file), problem)
			continue
		}
		met[wanted[i]] = true
	}
	for _, w := range wanted {
		if !met[w] {
			t.Errorf("%s: nothing is said of %q", filepath.Base(file), w)
		}
	}
	if len(wanted) > 0 {
		return "refused: " + strings.Join(wanted, "; ")
	}
	return fmt.Sprintf("accepted: %d functions, %d notices, %d warnings", len(application.Functions), len(application.Notices), len(application.Warnings))
}

// makeFolders makes the folders that are missing, but for those that the
// template's own repository lacks. It reports whether there were any.
func makeFolders(t *testing.T, home string, err error, lacks []string) (made bool) {
	t.Helper()
	var problems mistake.List
	if !errors.As(err, &problems) {
		return false
	}
	for _, problem := range problems {
		match := needsFolder.FindStringSubmatch(problem.Message)
		if match == nil || slices.Contains(lacks, match[1]) {
			continue
		}
		made = true
		if err := os.MkdirAll(filepath.Join(home, match[1]), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return made
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// synthesized is what `cdk synth` makes: what the handshake gives with all that
// its authorizer looks for, and a message with its answer, if there is one.
type synthesized struct {
	status           int
	message, answers string
}

var cdkTemplates = map[string]synthesized{
	"asset.template.json":       {status: 101, message: `{}`, answers: "packed"},
	"auth.template.json":        {status: 500},                                                                                  // its authorizer answers no policy
	"authdefault.template.json": {status: 500},                                                                                  // likewise
	"aws.template.json":         {status: 101, message: `{"action":"putItem"}`, answers: `{"message": "Internal server error"`}, // it has no integration response
	"domain.template.json":      {status: 101},
	"grant.template.json":       {status: 101},
	"http.template.json":        {status: 101},
	"iam.template.json":         {status: 101},
	"lambda.template.json":      {status: 101, message: `{"action":"sendmessage"}`, answers: "message"},
	"mock.template.json":        {status: 101, message: `{"action":"sendmessage"}`, answers: `{"message": "Internal server error"`}, // likewise
	"sqs.template.json":         {status: 101},
	"stage.template.json":       {status: 403}, // nothing is deployed on its stage
	"usage.template.json":       {status: 403}, // likewise
}

// TestCDKTemplates runs what `cdk synth` makes of CDK's own integration tests.
func TestCDKTemplates(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(sharedTemplates, "cdk", "*.template.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("templates of CDK are not there: " + sharedTemplates)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			want, ok := cdkTemplates[filepath.Base(file)]
			if !ok {
				t.Fatal("the template is not in the table of this test")
			}
			a := runForeign(t, file)
			c := a.handshake(t, "/dev?t=x", want.status)
			if c == nil || want.answers == "" {
				return
			}
			if got := gatewaytest.Ask(t, c, want.message); !strings.HasPrefix(got, want.answers) {
				t.Errorf("answer %q, want %q", got, want.answers)
			}
		})
	}
}

// TestServerlessPackage runs what the Serverless Framework makes of a service:
// by its folder, with the code out of the archive that lies in it.
func TestServerlessPackage(t *testing.T) {
	t.Parallel()
	source := filepath.Join(sharedTemplates, "osls")
	if _, err := os.Stat(source); err != nil {
		t.Skip("the package is not there: " + source)
	}
	folder := filepath.Join(t.TempDir(), ".serverless")
	names, err := filepath.Glob(filepath.Join(source, "package", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		copyFile(t, name, filepath.Join(folder, filepath.Base(name)))
	}
	if _, err := Check(Config{Template: filepath.Join(folder, "cloudformation-template-create-stack.json"), CacheDir: t.TempDir()}); err != nil {
		t.Errorf("the template that creates the stack: %v", err)
	}
	a := runForeign(t, folder)
	if len(a.APIs) != 1 || len(a.Functions) != 6 {
		t.Errorf("the application %+v", a.Application)
	}
	a.handshake(t, "/dev", http.StatusUnauthorized)
	c := a.handshake(t, "/dev?Auth=x", http.StatusSwitchingProtocols)
	if got := gatewaytest.Ask(t, c, `{"action":"echo"}`); got != "sls echo" {
		t.Errorf("answer %q", got)
	}

	_, err = Check(Config{Template: source, CacheDir: t.TempDir()})
	for _, want := range []string{"serverless.yml is not a template", `run "serverless package"`, filepath.Join(source, ".serverless", "cloudformation-template-update-stack.json")} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("its configuration: %v, want %q", err, want)
		}
	}
}

// runForeign runs a template, or a folder, in a place where its code is.
func runForeign(t *testing.T, source string) *app {
	t.Helper()
	a := &app{watcher: &watcher{}, folder: source}
	if info, err := os.Stat(source); err != nil {
		t.Fatal(err)
	} else if !info.IsDir() {
		a.folder = t.TempDir()
		copyFile(t, source, filepath.Join(a.folder, filepath.Base(source)))
		source = filepath.Join(a.folder, filepath.Base(source))
		_, err := Check(Config{Template: source, CacheDir: t.TempDir()})
		makeFolders(t, a.folder, err, nil)
		assets, _ := filepath.Glob(filepath.Join(a.folder, "asset.*")) // a folder that is made has a function
		for _, asset := range assets {
			if info, err := os.Stat(asset); err != nil || !info.IsDir() {
				continue
			}
			for _, name := range []string{"index.js", "handler.js"} {
				a.write(t, filepath.Join(filepath.Base(asset), name), "exports.h = exports.handler = async () => ({statusCode: 200, body: 'packed'})")
			}
		}
	}
	a.run(t, Config{Template: source, Region: "us-east-1", CacheDir: filepath.Join(t.TempDir(), "cache")})
	return a
}

// handshake opens a connection, whose handshake gives a status; nil stands for
// one that is refused.
func (a *app) handshake(t *testing.T, path string, status int) *websocket.Conn {
	t.Helper()
	c, answer, err := try(t, a, path, http.Header{"Authorization": {"somebody"}})
	if answer == nil || answer.StatusCode != status {
		t.Fatalf("the handshake: %+v, %v, want %d", answer, err, status)
	}
	return c
}

// An archive of code is unpacked and run, wherever a template names one.
func TestDevArchives(t *testing.T) {
	t.Parallel()
	const template = `Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: packed, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: dev, AutoDeploy: true}
`
	function := func(id, code string) string {
		return strings.ReplaceAll(`  ID:
    Type: AWS::Lambda::Function
    Properties: {Handler: index.handler, Runtime: nodejs22.x, Role: none, Code: `+code+`}
  IDIntegration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: {ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt ID.Arn}
  IDRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties: {ApiId: !Ref Api, RouteKey: ID, Target: !Sub "integrations/${IDIntegration}"}
  IDResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref IDRoute, RouteResponseKey: $default}
`, "ID", id)
	}
	a := &app{watcher: &watcher{}, folder: t.TempDir()}
	pack(t, filepath.Join(a.folder, "build", "local.zip"), "exports.handler = async () => ({statusCode: 200, body: 'local'})")
	pack(t, filepath.Join(a.folder, "stored.zip"), "exports.handler = async () => ({statusCode: 200, body: 'stored'})")
	a.write(t, "bad.zip", "no archive")
	a.write(t, "template.yaml", template+function("Local", "build/local.zip")+function("Stored", "{S3Bucket: b, S3Key: some/where/stored.zip}")+function("Bad", "bad.zip"))
	a.run(t, Config{Template: a.folder, CacheDir: filepath.Join(t.TempDir(), "cache")})
	c := a.dial(t, "/dev")
	for key, want := range map[string]string{"Local": "local", "Stored": "stored", "Bad": `{"message": "Internal server error"`} {
		if got := gatewaytest.Ask(t, c, `{"action":"`+key+`"}`); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	a.eventually(t, "the reason of Bad", func() bool {
		return slices.ContainsFunc(a.records, func(r Record) bool { return r.RouteKey == "Bad" && strings.Contains(r.Error, "not a valid zip file") })
	})
}

// pack writes an archive with an index.js.
func pack(t *testing.T, file, code string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	w, err := z.Create("index.js")
	if err == nil {
		_, err = io.WriteString(w, code)
	}
	if err := errors.Join(err, z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// A function that cannot run here is a notice with what to do, until it is
// called elsewhere.
func TestCheckRuntimes(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "template.yaml")
	const template = `Resources:
  Java: {Type: AWS::Lambda::Function, Properties: {FunctionName: j, Handler: a, Runtime: java21, Role: r, Code: {ZipFile: x}}}
  Net: {Type: AWS::Lambda::Function, Properties: {FunctionName: n, Handler: a, Runtime: dotnet8, Role: r, Code: {ZipFile: x}}}
  Image: {Type: AWS::Lambda::Function, Properties: {PackageType: Image, Role: r, Code: {ImageUri: x}}}
`
	if err := os.WriteFile(file, []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}
	notices := func(c Config) string {
		c.Template, c.CacheDir = file, t.TempDir()
		application, err := Check(c)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, n := range application.Notices {
			lines = append(lines, n.LogicalID+": "+n.Message)
		}
		return strings.Join(lines, "\n")
	}
	all := notices(Config{})
	for _, want := range []string{"Java: java21 is not run here", "--function Java=URL", "Net: dotnet8 is not run here", "--function Net=URL", "Image: a container image is not run here", "--function Image=URL"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
	if got := notices(Config{FunctionEndpoints: map[string]string{"Java": "http://127.0.0.1:1", "n": "http://127.0.0.1:1", "Image": "http://127.0.0.1:1"}}); got != "" {
		t.Errorf("what is called elsewhere:\n%s", got)
	}
}
