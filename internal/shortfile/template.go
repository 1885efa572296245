package shortfile

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// Template returns the SAM template that the file stands for, in YAML. Folders
// of functions are relative to the file's folder.
func (f *File) Template() []byte {
	var out bytes.Buffer
	_, _ = fmt.Fprintf(&out, "# The template that %s stands for.\n", oneLine(filepath.Base(f.Name)))
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(f.write().document()); err != nil {
		panic(fmt.Sprintf("shortfile: the template is not YAML: %v", err)) // it is made of texts
	}
	_ = encoder.Close() // a buffer does not fail
	return out.Bytes()
}

// Places returns, for each resource of the template by its logical id, the
// place in the file that it comes from.
func (f *File) Places() map[string]Place { return f.write().places }

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// writer makes a template.
type writer struct {
	resources object
	outputs   object
	places    map[string]Place
	functions map[string]string // logical ids by the function's definition
	names     map[string]bool   // of functions
}

// write makes the resources of all APIs.
func (f *File) write() *writer {
	w := &writer{places: map[string]Place{}, functions: map[string]string{}, names: map[string]bool{}}
	for _, api := range f.APIs {
		w.api(api)
	}
	return w
}

func (w *writer) document() *yaml.Node {
	var root object
	root.set("AWSTemplateFormatVersion", quoted("2010-09-09"))
	if len(w.functions) > 0 {
		root.set("Transform", text("AWS::Serverless-2016-10-31"))
	}
	root.set("Resources", w.resources.node())
	root.set("Outputs", w.outputs.node())
	return root.node()
}

// add adds a resource. No resource may have its logical id yet.
func (w *writer) add(logicalID, typ string, at Place, properties object) {
	var resource object
	resource.set("Type", text(typ))
	resource.set("Properties", properties.node())
	w.resources.set(logicalID, resource.node())
	w.places[logicalID] = at
}

func (w *writer) api(api *API) {
	name := logicalName(api.Name)
	id, at := name+"Api", Place{api.line, "apis." + api.Name}
	var p object
	p.set("Name", text(api.Name))
	p.set("ProtocolType", text("WEBSOCKET"))
	p.set("RouteSelectionExpression", text(api.Select))
	if len(api.Tags) > 0 {
		p.set("Tags", texts(api.Tags))
	}
	w.add(id, "AWS::ApiGatewayV2::Api", at, p)

	var stage object
	stage.set("ApiId", ref(id))
	stage.set("StageName", text(api.Stage))
	stage.set("AutoDeploy", boolean(true))
	w.add(name+"Stage", "AWS::ApiGatewayV2::Stage", at, stage)

	for _, route := range api.Routes {
		w.route(api, route, name, id)
	}

	var output object
	output.set("Description", text("What clients of "+api.Name+" connect to."))
	output.set("Value", sub("wss://${"+id+"}.execute-api.${AWS::Region}.${AWS::URLSuffix}/"+api.Stage))
	w.outputs.set(name+"Url", output.node())
}

func (w *writer) route(api *API, route *Route, name, apiID string) {
	at := Place{route.line, "apis." + api.Name + ".routes." + route.Key}
	base := w.free(name+logicalName(route.Key), route.Key)
	var i object
	i.set("ApiId", ref(apiID))
	if route.HTTP != nil {
		i.backend(route)
	} else {
		function := w.function(api, route.Function, name, apiID, at)
		i.set("IntegrationType", text("AWS_PROXY"))
		i.set("IntegrationUri", sub("arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path"+apigw.InvokePath("${"+function+".Arn}")))
	}
	w.add(base+"Integration", "AWS::ApiGatewayV2::Integration", at, i)

	var r object
	r.set("ApiId", ref(apiID))
	r.set("RouteKey", text(route.Key))
	if route.Answers {
		r.set("RouteResponseSelectionExpression", text("$default"))
	}
	r.set("Target", sub("integrations/${"+base+"Integration}"))
	w.add(base+"Route", "AWS::ApiGatewayV2::Route", at, r)

	if route.Answers {
		var response object
		response.set("ApiId", ref(apiID))
		response.set("RouteId", ref(base+"Route"))
		response.set("RouteResponseKey", text("$default"))
		w.add(base+"RouteResponse", "AWS::ApiGatewayV2::RouteResponse", at, response)
	}
}

// backend sets the properties that only HTTP integrations have.
func (o *object) backend(route *Route) {
	o.set("IntegrationType", text("HTTP_PROXY"))
	o.set("IntegrationMethod", text(route.HTTP.Method))
	o.set("IntegrationUri", text(route.HTTP.URL))
	if route.HTTP.Timeout > 0 {
		o.set("TimeoutInMillis", number(int(route.HTTP.Timeout/time.Millisecond)))
	}
	event := "message"
	switch route.Key {
	case routeConnect:
		event = "connect"
	case routeDisconnect:
		event = "disconnect"
	}
	var headers object
	headers.set("integration.request.header."+HeaderEvent, quoted("'"+event+"'"))
	headers.set("integration.request.header."+HeaderConnectionID, text("context.connectionId"))
	headers.set("integration.request.header."+HeaderRouteKey, text("context.routeKey"))
	o.set("RequestParameters", headers.node())
}

// function adds a function, once for all routes that lead to it, and returns
// its logical id.
func (w *writer) function(api *API, f *Function, name, apiID string, at Place) string {
	written, err := json.Marshal(f)
	if err != nil {
		panic(fmt.Sprintf("shortfile: a function cannot be encoded as JSON: %v", err)) // it is made of texts and numbers
	}
	key := api.Name + " " + string(written)
	if id := w.functions[key]; id != "" {
		return id
	}
	folder := path.Base(path.Clean(filepath.ToSlash(f.Dir)))
	base := w.free(name+logicalName(folder), key)
	id := base + "Function"
	w.functions[key] = id

	var p object
	p.set("FunctionName", text(w.functionName(api.Name, folder, key)))
	p.set("CodeUri", text(f.Dir))
	p.set("Runtime", text(f.Runtime))
	p.set("Handler", text(f.Handler))
	if f.Timeout > 0 {
		p.set("Timeout", number(int(f.Timeout/time.Second)))
	}
	if f.Memory > 0 {
		p.set("MemorySize", number(f.Memory))
	}
	if len(f.Environment) > 0 {
		var environment object
		environment.set("Variables", texts(f.Environment))
		p.set("Environment", environment.node())
	}
	p.set("Policies", mayPush(apiID))
	w.add(id, "AWS::Serverless::Function", at, p)

	var permission object
	permission.set("Action", text("lambda:InvokeFunction"))
	permission.set("FunctionName", ref(id))
	permission.set("Principal", text("apigateway.amazonaws.com"))
	permission.set("SourceArn", executeAPI(apiID))
	w.add(base+"Permission", "AWS::Lambda::Permission", at, permission)
	return id
}

// functionName is the function's name, by which a gateway on another machine
// calls it: it is made of the names of the API and of the folder.
func (w *writer) functionName(api, folder, key string) string {
	word := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_') {
			return r
		}
		return '-'
	}, folder)
	name := api + "-" + cmp.Or(strings.Trim(word, "-"), "function")
	if len(name) > maxFunctionName || w.names[name] {
		name = name[:min(len(name), maxFunctionName-9)] + "-" + digest(key)
	}
	w.names[name] = true
	return name
}

// maxFunctionName is Lambda's limit.
const maxFunctionName = 64

// mayPush is the policy of a function that sends to connections.
func mayPush(apiID string) *yaml.Node {
	var statement, policy object
	statement.set("Effect", text("Allow"))
	statement.set("Action", text("execute-api:ManageConnections"))
	statement.set("Resource", executeAPI(apiID))
	policy.set("Version", quoted("2012-10-17"))
	policy.set("Statement", list(statement.node()))
	return list(policy.node())
}

func executeAPI(apiID string) *yaml.Node {
	return sub("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${" + apiID + "}/*")
}

// free returns a prefix for logical ids that is not used yet: base, or base and
// a few digits of the hash of what.
func (w *writer) free(base, what string) string {
	taken := func(id string) bool {
		for _, suffix := range []string{"Api", "Stage", "Integration", "Function"} {
			if _, there := w.places[id+suffix]; there {
				return true
			}
		}
		return false
	}
	if len(base) > maxLogicalID || taken(base) {
		base = base[:min(len(base), maxLogicalID)] + digest(what)
	}
	return base
}

// maxLogicalID leaves room for suffixes below CloudFormation's 255.
const maxLogicalID = 200

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}

// logicalName turns a name into one of letters and digits: ChatRoom for
// chat-room.
func logicalName(name string) string {
	var b strings.Builder
	first := true
	for _, r := range name {
		switch {
		case r >= unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r):
			first = true
		case first:
			b.WriteRune(unicode.ToUpper(r))
			first = false
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// object is a mapping of a template, in its order.
type object struct{ content []*yaml.Node }

func (o *object) set(name string, value *yaml.Node) { o.content = append(o.content, text(name), value) }

func (o *object) node() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode, Content: o.content} }

func list(items ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.SequenceNode, Content: items}
}

func texts(values map[string]string) *yaml.Node {
	var o object
	for _, name := range slices.Sorted(maps.Keys(values)) {
		o.set(name, text(values[name]))
	}
	return o.node()
}

// text is a string. It is written in quotes only where it would be read as
// another type without.
func text(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}

func quoted(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: s}
}

func number(n int) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(n)}
}

func boolean(b bool) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(b)}
}

func ref(logicalID string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!Ref", Value: logicalID}
}

func sub(pattern string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!Sub", Value: pattern}
}
