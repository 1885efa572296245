package template

import (
	"crypto/sha256"
	"encoding/hex"
)

// layerVersion expands AWS::Serverless::LayerVersion. The logical id of the
// version ends with a digest, because every change of a layer makes a new
// version.
func (e *expander) layerVersion(res *resource) {
	names := []string{
		"CompatibleArchitectures", "CompatibleRuntimes", "ContentUri", "Description", "LayerName", "LicenseInfo",
		"PublishLambdaVersion", "RetentionPolicy",
	}
	p := e.properties(res)
	before := len(e.problems)
	e.knownProperties(res, p, names)
	e.required(res, p, "ContentUri")
	if len(e.problems) > before {
		e.keep(res)
		return
	}
	content := p.get("ContentUri")
	if s3, ok := e.s3Location(content); ok {
		content = s3
	}
	out := newObject(res.line, with("Content", content), with("LayerName", newText(res.line, res.id)))
	for _, name := range []string{"CompatibleArchitectures", "CompatibleRuntimes", "Description", "LayerName", "LicenseInfo"} {
		out.set(name, p.get(name))
	}
	encoded, err := compactJSON(newObject(res.line, with(res.id, res.body)))
	if err != nil {
		e.problem(res.line, res.id, "%v", err)
		return
	}
	digest := sha256.Sum256(encoded)
	id := res.id + hex.EncodeToString(digest[:])[:10]
	e.aliases[res.id] = id
	attributes := append(passed(res, "Condition", "DependsOn", "Metadata"), with("DeletionPolicy", newText(res.line, "Retain")))
	e.add(res, id, typeLayerVersion, out, attributes...)
}
