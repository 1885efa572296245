package sigv4

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// toSign is a request that each SDK signs. The path is as it goes over the
// wire, with whatever escapes that SDK's clients use.
type toSign struct {
	Name         string            `json:"-"`
	Method       string            `json:"method"`
	Host         string            `json:"host"`
	Path         string            `json:"path"`
	Query        map[string]any    `json:"query,omitempty"` // strings, and lists of them
	Headers      map[string]string `json:"headers,omitempty"`
	Body         string            `json:"body,omitempty"`
	Presign      bool              `json:"presign,omitempty"`
	SessionToken string            `json:"sessionToken,omitempty"`
}

const testHost = "abc123.execute-api.us-east-1.amazonaws.com"

// sdkRequests cover section F's paths in every form that clients send.
var sdkRequests = []toSign{
	{Name: "get", Method: "GET", Host: testHost, Path: "/"},
	{Name: "push", Method: "POST", Host: testHost, Path: "/prod/@connections/L0SM9cOFvHcCIhw%3D", Body: "hello, wörld"},
	{Name: "push, escaped", Method: "POST", Host: testHost, Path: "/prod/%40connections/L0SM9cOFvHcCIhw%3D", Body: "hello"},
	{Name: "push, plain", Method: "POST", Host: testHost, Path: "/prod/@connections/L0SM9cOFvHcCIhw=", Body: "hello"},
	{Name: "delete", Method: "DELETE", Host: testHost, Path: "/prod/@connections/L0SM9cOFvHcCIhw%3D"},
	{Name: "a port", Method: "GET", Host: "127.0.0.1:8080", Path: "/v2/apis"},
	{Name: "a query", Method: "GET", Host: testHost, Path: "/v2/apis", Query: map[string]any{
		"maxResults": "10", "next token": "a/b+c=d&e", "tagKeys": []string{"b", "a b", "a"}, "empty": "", "ünï": "~*'()!",
	}},
	{Name: "resource", Method: "DELETE", Host: testHost, Path: "/v2/tags/arn%3Aaws%3Aapigateway%3Aus-east-1%3A%3A%2Fapis%2Fabc123", Query: map[string]any{"tagKeys": "stagedoor:binary"}},
	{Name: "headers", Method: "POST", Host: testHost, Path: "/v2/apis", Body: "{}", Headers: map[string]string{
		"content-type": "application/json", "x-spaces": "a   b  c", "x-quoted": `"a   b"`,
	}},
	{Name: "told hash", Method: "POST", Host: testHost, Path: "/v2/apis", Body: "{}", Headers: map[string]string{"x-amz-content-sha256": hashHex([]byte("{}"))}},
	{Name: "unsigned payload", Method: "POST", Host: testHost, Path: "/v2/apis", Body: "{}", Headers: map[string]string{"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}},
	{Name: "session token", Method: "GET", Host: testHost, Path: "/prod", SessionToken: suiteToken},
	{Name: "presigned", Method: "GET", Host: testHost, Path: "/prod", Presign: true},
	{Name: "presigned query", Method: "GET", Host: testHost, Path: "/prod", Presign: true, Query: map[string]any{"room": "a/b c", "Auth": "x"}},
	{Name: "presigned token", Method: "GET", Host: testHost, Path: "/prod", Presign: true, SessionToken: suiteToken},
	{Name: "presigned path", Method: "GET", Host: testHost, Path: "/prod/@connections/L0SM9cOFvHcCIhw%3D", Presign: true},
}

// fromSDK is a signed request.
type fromSDK struct {
	Target  string
	Headers map[string]string
}

func TestSDKForJavaScript(t *testing.T) {
	t.Parallel()
	const packages = "../../conformance"
	if _, err := os.Stat(packages + "/node_modules/@smithy/signature-v4"); err != nil {
		t.Skip("the SDK for JavaScript is not installed: run npm ci in conformance")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	script := exec.CommandContext(t.Context(), node, "../internal/sigv4/testdata/sign.mjs")
	script.Dir = packages
	verifyAll(t, signAll(t, script))
}

func TestSDKForPython(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not installed")
	}
	if err := exec.CommandContext(t.Context(), python, "-c", "import botocore").Run(); err != nil {
		t.Skip("python3 has no botocore")
	}
	verifyAll(t, signAll(t, exec.CommandContext(t.Context(), python, "testdata/sign.py")))
}

// signAll has a script sign all requests.
func signAll(t *testing.T, script *exec.Cmd) []fromSDK {
	t.Helper()
	input, err := json.Marshal(map[string]any{
		"accessKeyId": suiteKey, "secretAccessKey": suiteSecret, "region": suiteRegion, "requests": sdkRequests,
	})
	if err != nil {
		t.Fatal(err)
	}
	var complaints bytes.Buffer
	script.Stdin, script.Stderr = bytes.NewReader(input), &complaints
	output, err := script.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &complaints)
	}
	var answers []fromSDK
	if err := json.Unmarshal(output, &answers); err != nil || len(answers) != len(sdkRequests) {
		t.Fatalf("%d answers, error %v\n%s", len(answers), err, output)
	}
	return answers
}

// verifyAll verifies what a script signed a moment ago.
func verifyAll(t *testing.T, answers []fromSDK) {
	t.Helper()
	for i, c := range sdkRequests {
		var raw strings.Builder
		raw.WriteString(c.Method + " " + answers[i].Target + " HTTP/1.1\r\n")
		for name, value := range answers[i].Headers {
			raw.WriteString(name + ": " + value + "\r\n")
		}
		if _, told := answers[i].Headers["content-length"]; c.Body != "" && !told {
			raw.WriteString("Content-Length: " + strconv.Itoa(len(c.Body)) + "\r\n")
		}
		verifyOne(t, c, raw.String()+"\r\n"+c.Body, time.Now())
	}
}

func verifyOne(t *testing.T, c toSign, raw string, now time.Time) {
	t.Run(c.Name, func(t *testing.T) {
		r, body := mustReceive(t, raw)
		signature, err := verifierAt(now).Verify(t.Context(), r, body, "execute-api")
		if err != nil {
			t.Fatalf("%v\n%s", err, raw)
		}
		if signature.Presigned != c.Presign || signature.SessionToken != c.SessionToken || signature.AccessKeyID != suiteKey {
			t.Errorf("signature %+v", signature)
		}
	})
}

func TestSDKForGo(t *testing.T) {
	t.Parallel()
	for _, c := range sdkRequests {
		r, err := http.NewRequestWithContext(t.Context(), c.Method, "https://"+c.Host+c.Path, strings.NewReader(c.Body))
		if err != nil {
			t.Fatal(err)
		}
		query := r.URL.Query()
		for name, value := range c.Query {
			switch value := value.(type) {
			case string:
				query.Set(name, value)
			case []string:
				query[name] = value
			}
		}
		if c.Presign {
			query.Set("X-Amz-Expires", "60")
		}
		r.URL.RawQuery = query.Encode()
		for name, value := range c.Headers {
			r.Header.Set(name, value)
		}
		payload := hashHex([]byte(c.Body))
		if told := c.Headers["x-amz-content-sha256"]; told != "" {
			payload = told
		}
		credentials := aws.Credentials{AccessKeyID: suiteKey, SecretAccessKey: suiteSecret, SessionToken: c.SessionToken}
		signer := v4.NewSigner()
		if c.Presign {
			var address string
			address, _, err = signer.PresignHTTP(t.Context(), credentials, r, payload, "execute-api", suiteRegion, suiteTime)
			if err == nil {
				r, err = http.NewRequestWithContext(t.Context(), c.Method, address, nil)
			}
		} else {
			err = signer.SignHTTP(t.Context(), credentials, r, payload, "execute-api", suiteRegion, suiteTime)
		}
		if err != nil {
			t.Fatal(err)
		}
		verifyOne(t, c, wire(t, r, c.Body), suiteTime)
	}
}
