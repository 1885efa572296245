package main

import (
	"strings"
	"testing"
)

// Expressions that are accepted and select nothing, check and deploy warn of;
// those that are none are refused.
func TestWarnings(t *testing.T) {
	t.Parallel()
	for selection, want := range map[string]string{
		"$request.body.a-b":     "warning: ",
		"$request.body.@type":   "warning: ",
		"$request.body..action": "warning: ",
		"$request.body.*":       "warning: ",
		"$request.body.[2]":     "",
		"$request.body.action":  "",
	} {
		d := newDeployment(t)
		d.write(t, strings.ReplaceAll(deployedTemplate, "$request.body.action", `"`+selection+`"`))
		checked := execute(t.Context(), strings.NewReader(""), "check", d.template)
		if checked.code != exitOK || strings.Contains(checked.stdout, "warning: ") != (want != "") || !strings.Contains(checked.stdout, want) {
			t.Errorf("check of %s: %+v", selection, checked)
		}
		deployed := d.run(t, "", "--yes")
		if deployed.code != exitOK || strings.Contains(deployed.stdout, "Note: Api RouteSelectionExpression: "+selection) != (want != "") {
			t.Errorf("deploy of %s: %+v", selection, deployed)
		}
	}
	for _, selection := range []string{"$request.body.", "$request.body.a.", "$request.body.a["} {
		file := templateFile(t, strings.ReplaceAll(deployedTemplate, "$request.body.action", `"`+selection+`"`))
		for _, command := range []string{"check", "dev"} {
			got := execute(t.Context(), strings.NewReader(""), command, file)
			if got.code != exitFailure || !strings.Contains(got.stderr, "template.yaml:5: Api: RouteSelectionExpression: selection expression") {
				t.Errorf("%s of %s: %+v", command, selection, got)
			}
		}
	}
}
