package template

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/lambda"
)

// Defaults of Lambda.
const (
	defaultMemoryMB = 128
	defaultTimeout  = 3 * time.Second
)

func (b *builder) function(res *resource) {
	p := b.read(res, functionSchema)
	name := b.nameOf(res, res.line).text
	f := &Function{
		LogicalID:   res.id,
		Name:        name,
		ARN:         b.stack.arn("lambda", "function:"+name),
		Runtime:     p.text("Runtime"),
		Handler:     p.text("Handler"),
		MemoryMB:    defaultMemoryMB,
		Timeout:     defaultTimeout,
		Environment: b.environment(p),
		BuildMethod: textOf(res.metadata("BuildMethod")),
		Line:        res.line,
	}
	if p.has("MemorySize") {
		f.MemoryMB = p.integer("MemorySize")
	}
	if p.has("Timeout") {
		f.Timeout = time.Duration(p.integer("Timeout")) * time.Second
	}
	if b.provided == nil || !b.provided(res.id, name) {
		b.runs(f, p)
	}
	if b.arns[f.ARN] != nil {
		p.wrong("FunctionName", "there are two functions of the name %s: %s and %s", name, b.arns[f.ARN].LogicalID, res.id)
	}
	b.arns[f.ARN] = f
	b.app.Functions = append(b.app.Functions, f)
}

// runs reads what a function runs: its code, its runtime and its layers.
func (b *builder) runs(f *Function, p *properties) {
	b.code(f, p)
	b.runtime(f, p)
	noticeArchitecture(p)
	f.Layers = b.layersOf(p)
	if f.Unavailable == "" || p.text("PackageType") != "Image" {
		b.requireForZip(f, p)
	}
}

// runtime checks the name of the runtime, and records one that cannot run here.
func (b *builder) runtime(f *Function, p *properties) {
	switch {
	case f.Runtime == "":
	case !lambda.IsRuntime(f.Runtime):
		p.wrong("Runtime", "Runtime %q is none of Lambda's runtimes%s", f.Runtime, b.didYouMean(f.Runtime, lambda.Identifiers))
	case !lambda.Runs(f.Runtime):
		p.ignore(p.lines["Runtime"], "Runtime", f.Runtime+elsewhere(f))
	}
}

// elsewhere is the end of the message about a function that cannot run here:
// what can be done about it.
func elsewhere(f *Function) string {
	return " is not run here (--function " + f.LogicalID + "=URL says where it runs)"
}

// noticeArchitecture records that a function runs on another architecture than
// the one in the template.
func noticeArchitecture(p *properties) {
	here := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	if asked := p.texts("Architectures"); len(asked) > 0 && !slices.Contains(asked, here) {
		p.ignore(p.lines["Architectures"], "Architectures", "the function runs on the architecture of this machine")
	}
}

// requireForZip reports missing properties of a function that is not a
// container image.
func (b *builder) requireForZip(f *Function, p *properties) {
	if p.values["Code"].get("ImageUri") != nil {
		return
	}
	for _, name := range []string{"Runtime", "Handler"} {
		if !p.has(name) {
			p.problem(f.Line, f.LogicalID, "the property %s is missing", name)
		}
	}
}

// metadata returns an entry of the resource's Metadata, or nil.
func (res *resource) metadata(name string) *value { return res.body.get("Metadata").get(name) }

// environment returns the function's variables; numbers and booleans become
// strings, as in Lambda.
func (b *builder) environment(p *properties) map[string]string {
	environment := p.nested("Environment", p.values["Environment"], []property{{name: "Variables", form: textMapForm}})
	variables := environment.textMap("Variables")
	for _, name := range sortedKeys(variables) {
		line := environment.values["Variables"].member(name).line
		if !variableName.MatchString(name) {
			p.problem(line, p.res.id, "the name of the environment variable %q must start with a letter and have letters, digits and underscores only, at least two", name)
		}
		if strings.Contains(variables[name], "{{resolve:") {
			p.ignore(line, "Environment.Variables."+name, "a dynamic reference is not resolved here: the function gets it as it is written")
		}
		if reservedVariables[name] {
			p.problem(line, p.res.id, "the environment variable %s is reserved: Lambda sets it itself", name)
		}
	}
	return variables
}

// reservedVariables cannot be set by a function's configuration.
var reservedVariables = map[string]bool{
	"_HANDLER": true, "_X_AMZN_TRACE_ID": true, "AWS_DEFAULT_REGION": true, "AWS_REGION": true,
	"AWS_EXECUTION_ENV": true, "AWS_LAMBDA_FUNCTION_NAME": true, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": true,
	"AWS_LAMBDA_FUNCTION_VERSION": true, "AWS_LAMBDA_INITIALIZATION_TYPE": true, "AWS_LAMBDA_LOG_GROUP_NAME": true,
	"AWS_LAMBDA_LOG_STREAM_NAME": true, "AWS_ACCESS_KEY": true, "AWS_ACCESS_KEY_ID": true, "AWS_SECRET_ACCESS_KEY": true,
	"AWS_SESSION_TOKEN": true, "AWS_LAMBDA_RUNTIME_API": true, "LAMBDA_TASK_ROOT": true, "LAMBDA_RUNTIME_DIR": true,
}

// code finds the function's code: a local folder, an archive, or source text in
// the template. Other code cannot run here, which it records.
func (b *builder) code(f *Function, p *properties) {
	code := p.values["Code"]
	line := p.lines["Code"]
	if asset := p.res.metadata("aws:asset:path"); asset.isScalar() {
		b.codeFolder(f, p, newText(line, asset.text))
		return
	}
	switch {
	case code == nil || code.kind == unknown:
		return
	case code.kind == text && strings.HasPrefix(code.text, "s3://"):
		b.stored(f, p, line, code.text)
		return
	case code.kind == text:
		b.codeFolder(f, p, newText(line, code.text))
		return
	}
	c := p.nested("Code", code, codeSchema)
	switch {
	case c.has("ZipFile"):
		f.InlineCode = c.text("ZipFile")
	case c.has("ImageUri"):
		f.Unavailable = "its code is a container image, which is not run here"
		p.ignore(line, "Code", "a container image"+elsewhere(f))
	case c.has("S3Bucket") && c.has("S3Key"):
		b.stored(f, p, line, "s3://"+c.text("S3Bucket")+"/"+c.text("S3Key"))
	default:
		p.wrong("Code", "Code needs ZipFile, ImageUri, S3Bucket with S3Key, or the path of a local folder")
	}
}

// stored looks for code whose place is in S3 at the place where tools put it
// before they upload it: beside the template, under the last part of its key.
func (b *builder) stored(f *Function, p *properties, line int, uri string) {
	name := path.Base(uri)
	stem := strings.TrimSuffix(name, ".zip")
	for _, candidate := range []string{name, "asset." + name, "asset." + stem} {
		if stem == name { // not an archive
			break
		}
		file := filepath.Join(b.folder, candidate)
		info, err := os.Stat(file)
		switch {
		case err != nil:
			continue
		case info.IsDir():
			f.CodeDir = file
			return
		case info.Mode().IsRegular():
			f.Archive = file
			return
		}
	}
	b.unavailable(f, p, line, "its code is in S3 ("+uri+"); a local folder is needed to run it here")
}

func (b *builder) unavailable(f *Function, p *properties, line int, reason string) {
	f.Unavailable = reason
	p.ignore(line, "Code", "the function cannot be invoked: "+reason)
}

// codeFolder sets the folder of a function's code.
func (b *builder) codeFolder(f *Function, p *properties, written *value) {
	folder, message := b.localFolder(written.text)
	switch {
	case message == "":
		f.CodeDir = folder
	case strings.HasSuffix(written.text, ".zip") && isFile(folder):
		f.Archive = folder
	case strings.HasSuffix(written.text, ".zip"):
		b.unavailable(f, p, written.line, "its code is the archive "+written.text+", which is not there")
	case strings.HasSuffix(written.text, ".jar"):
		b.unavailable(f, p, written.line, "its code is the archive "+written.text+", which is not run here")
	default:
		p.problem(written.line, p.res.id, "the code %s", message)
	}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// localFolder resolves a path that is relative to the template. message is why
// that is not a folder, "" if it is one.
func (b *builder) localFolder(path string) (folder, message string) {
	folder = filepath.FromSlash(path)
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(b.folder, folder)
	}
	info, err := os.Stat(folder)
	switch {
	case err != nil:
		return folder, fmt.Sprintf("folder %s does not exist", path)
	case !info.IsDir():
		return folder, fmt.Sprintf("path %s is a file; a folder is needed", path)
	}
	return filepath.Clean(folder), ""
}

func (b *builder) layerVersion(res *resource) {
	p := b.read(res, layerVersionSchema)
	arn := b.reference(res, res.line).text
	b.layers[arn] = ""
	content := p.values["Content"]
	if asset := res.metadata("aws:asset:path"); asset.isScalar() {
		content = newText(p.lines["Content"], asset.text)
	}
	if content == nil || content.kind == unknown {
		return
	}
	if content.kind != text {
		p.ignore(p.lines["Content"], "Content", "the layer is in S3; a local folder is needed to use it here")
		return
	}
	folder, message := b.localFolder(content.text)
	if message != "" {
		p.wrong("Content", "the layer's %s", message)
	}
	b.layers[arn] = folder
}

// layersOf returns the folders of a function's layers, in their order.
func (b *builder) layersOf(p *properties) []string {
	var folders []string
	for _, arn := range p.texts("Layers") {
		folder, ours := b.layers[arn]
		if folder != "" {
			folders = append(folders, folder)
		}
		if !ours {
			p.ignore(p.lines["Layers"], "Layers", fmt.Sprintf("the layer %s is not part of the template and not used", arn))
		}
	}
	return folders
}

func (b *builder) permission(res *resource) { b.read(res, permissionSchema) }

func (b *builder) alias(res *resource) { b.read(res, aliasSchema) }

func (b *builder) version(res *resource) { b.read(res, versionSchema) }

// externalCall is a property that names a function to call.
type externalCall struct {
	properties *properties
	property   string
	arn        string
}

// calls checks the URI of a function to call, and keeps it for
// noticeExternalCalls.
func (b *builder) calls(p *properties, name string) {
	uri := p.text(name)
	if uri == "" {
		return
	}
	if name == "IntegrationUri" && apigw.IsFunctionARN(uri) {
		b.external = append(b.external, externalCall{properties: p, property: name, arn: uri})
		return
	}
	function, ok := apigw.FunctionOfURI(uri)
	if !ok {
		p.wrong(name, "%s must have the form arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{ARN of the function}/invocations, not %q", name, uri)
		return
	}
	b.external = append(b.external, externalCall{properties: p, property: name, arn: function})
}

// noticeExternalCalls records the functions that are called but are not part of
// the template: calls of them fail here.
func (b *builder) noticeExternalCalls() {
	for _, call := range b.external {
		if apigw.HasStageVariable(call.arn) {
			continue // not known before there is a stage
		}
		if b.arns[apigw.UnqualifiedFunction(call.arn)] == nil {
			p := call.properties
			p.ignore(p.lines[call.property], call.property, fmt.Sprintf("the function %s is not part of the template: a call of it fails", call.arn))
		}
	}
}
