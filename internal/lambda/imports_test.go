package lambda

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// AWS's Node.js runtimes bring version 2 of the SDK up to nodejs16.x, and
// version 3 from nodejs18.x on; here version 3 is there for all.
func TestMissingPackages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	source := `
const AWS = require('aws-sdk'); const S3 = require("aws-sdk/clients/s3")
import { x } from '@aws-sdk/client-dynamodb'; import('@smithy/core')
require('aws-sdk-mock'); require('./aws-sdk'); import y from "own-module"
require('@aws-sdk/client-sqs')`
	if err := os.WriteFile(filepath.Join(dir, "index.js"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "node_modules", "@aws-sdk", "client-sqs"), 0o755); err != nil { // its own
		t.Fatal(err)
	}
	version3 := []string{"@aws-sdk/client-dynamodb", "@smithy/core"}
	for runtime, want := range map[string][]string{
		"nodejs12.x": append(version3[:2:2], "aws-sdk"),
		"nodejs16.x": append(version3[:2:2], "aws-sdk"),
		"nodejs18.x": version3,
		"nodejs22.x": version3,
	} {
		if diff := cmp.Diff(want, missingPackages(Function{Runtime: runtime}, dir)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", runtime, diff)
		}
	}
}
