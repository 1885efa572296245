package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// object is the members of a request or an answer, by the names of the SDKs.
type object map[string]any

// text is a member that is a text.
func (m object) text(name string) string {
	text, _ := m[name].(string)
	return text
}

// answer is the outcome of an operation. Error is its error's type.
type answer struct {
	Output object
	Error  string
}

// controller is a client of the control plane.
type controller func(operation string, input object) answer

// keys are the variables that a client finds its credentials in.
func keys(id, secret string) []string {
	return []string{
		"AWS_ACCESS_KEY_ID=" + id, "AWS_SECRET_ACCESS_KEY=" + secret, "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_PAGER=",
	}
}

// controllers start the clients of the control plane, each a real one.
var controllers = map[string]func(t *testing.T, g *served, variables []string) controller{
	"AWS CLI":            awsCLI,
	"boto3":              boto3,
	"SDK for JavaScript": sdkForJavaScript,
}

func sdkForJavaScript(t *testing.T, g *served, variables []string) controller {
	t.Helper()
	requireNode(t)
	return lineByLine(t, run(t, variables, "node", "testdata/control/operations.mjs", g.Admin))
}

func boto3(t *testing.T, g *served, variables []string) controller {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import boto3").Run() == nil {
			return lineByLine(t, run(t, variables, python, "testdata/control/operations.py", g.Admin))
		}
	}
	t.Skip("there is no Python with boto3: install python3-boto3")
	return nil
}

// lineByLine is a controller whose program does an operation for each line.
func lineByLine(t *testing.T, p *program) controller {
	t.Cleanup(p.end)
	return func(operation string, input object) (a answer) {
		t.Helper()
		line, err := json.Marshal(object{"operation": operation, "input": input})
		if err != nil {
			t.Fatal(err)
		}
		p.say(string(line))
		if err := json.Unmarshal([]byte(p.hear()), &a); err != nil {
			t.Fatal(err)
		}
		return a
	}
}

var (
	wordStart = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	cliError  = regexp.MustCompile(`An error occurred \((\w+)\)`)
)

// awsCLI runs the AWS CLI for each operation.
func awsCLI(t *testing.T, g *served, variables []string) controller {
	t.Helper()
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("there is no aws command: install the AWS CLI")
	}
	return func(operation string, input object) (a answer) {
		t.Helper()
		given, err := json.Marshal(input)
		if err != nil {
			t.Fatal(err)
		}
		command := exec.Command("aws", "apigatewayv2", strings.ToLower(wordStart.ReplaceAllString(operation, "$1-$2")),
			"--endpoint-url", g.Admin, "--output", "json", "--cli-input-json", string(given))
		command.Env = append(environment(), variables...)
		var stdout, stderr bytes.Buffer
		command.Stdout, command.Stderr = &stdout, &stderr
		err = command.Run()
		var exit *exec.ExitError
		if found := cliError.FindStringSubmatch(stderr.String()); errors.As(err, &exit) && found != nil {
			return answer{Error: found[1]}
		}
		if err == nil && stdout.Len() > 0 {
			err = json.Unmarshal(stdout.Bytes(), &a.Output)
		}
		if err != nil {
			t.Fatalf("aws %s: %v\n%s", operation, err, stderr.String())
		}
		return a
	}
}
