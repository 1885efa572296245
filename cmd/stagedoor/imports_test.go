package main

import (
	"context"
	"strings"
	"testing"
)

// check, dev and deploy take what other stacks export by --import, and say so
// where it is missing.
func TestImports(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	d.write(t, strings.ReplaceAll(deployedTemplate, "StageName: live", "StageName: !ImportValue shared-stage"))
	const missing = "Fn::ImportValue needs the value of the export shared-stage, which another stack has: give it with --import shared-stage=VALUE"
	for _, command := range []string{"check", "dev", "deploy"} {
		got := execute(t.Context(), strings.NewReader(""), command, d.template)
		if got.code != exitFailure || !strings.Contains(got.stderr, missing) {
			t.Errorf("%s without the import: %+v", command, got)
		}
		if got = execute(t.Context(), strings.NewReader(""), command, d.template, "--import", "nothing"); got.code != exitUsage {
			t.Errorf("%s with a wrong flag: %+v", command, got)
		}
	}
	if got := execute(t.Context(), strings.NewReader(""), "check", d.template, "--import", "shared-stage=live"); got.code != exitOK {
		t.Errorf("check: %+v", got)
	}
	if got := d.run(t, "", "--yes", "--import", "shared-stage=live"); got.code != exitOK || !strings.Contains(got.stdout, "+ Stage live") {
		t.Errorf("deploy: %+v", got)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	got := execute(stopped, strings.NewReader(""), "dev", d.template, "--import", "shared-stage=live", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	if strings.Contains(got.stderr, "ImportValue") {
		t.Errorf("dev: %+v", got)
	}
}
