package server

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	sdkv1 "github.com/aws/aws-sdk-go-v2/service/apigateway"
	typesv1 "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// Execution logs are turned on and off while clients are connected, and go where the
// configuration says, with their time in front.
func TestServeExecutionLog(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.fill(echo(t))
	path := filepath.Join(s.dir, "execution.log")
	s.configure("logs: {execution: {file: " + path + "}}\n")
	g := s.start(Config{Open: true})
	conn := g.dial()
	keys := credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")
	v1 := sdkv1.New(sdkv1.Options{Region: "us-east-1", BaseEndpoint: &g.Admin, HTTPClient: gatewaytest.HTTPClient, Credentials: keys})
	api := sdk.New(sdk.Options{Region: "us-east-1", BaseEndpoint: &g.Admin, HTTPClient: gatewaytest.HTTPClient, Credentials: keys})
	did(t, v1.UpdateAccount, &sdkv1.UpdateAccountInput{PatchOperations: []typesv1.PatchOperation{
		{Op: typesv1.OpReplace, Path: new("/cloudwatchRoleArn"), Value: new("arn:aws:iam::123456789012:role/logs")},
	}})
	level := func(l types.LoggingLevel) {
		t.Helper()
		did(t, api.UpdateStage, &sdk.UpdateStageInput{
			ApiId: new("testapi123"), StageName: new("prod"), DefaultRouteSettings: &types.RouteSettings{LoggingLevel: l, DataTraceEnabled: new(true)},
		})
	}
	gatewaytest.Ask(t, conn, "early")
	level(types.LoggingLevelInfo)
	gatewaytest.Ask(t, conn, "first\nmessage")
	level(types.LoggingLevelOff)
	gatewaytest.Ask(t, conn, "later")
	var text string
	gatewaytest.Eventually(t, func() error {
		written, err := os.ReadFile(path)
		if text = string(written); !strings.Contains(text, "with response status code [200].\n") {
			return fmt.Errorf("%w: %s", err, text)
		}
		return nil
	})
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for _, line := range lines {
		if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \([A-Za-z0-9_=-]{16}\) .`).MatchString(line) {
			t.Errorf("a line: %s", line)
		}
	}
	if len(lines) != 16 || !strings.Contains(text, `]. Message: [first\nmessage].`+"\n") || strings.Contains(text, "early") || strings.Contains(text, "later") {
		t.Errorf("%d lines:\n%s", len(lines), text)
	}
}
