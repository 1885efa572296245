package awsservice

import (
	"net/url"
	"strings"
	"testing"
)

// Whatever an integration's URI and the values of its placeholders are, a
// request goes to the host of an AWS service, below the path that the URI
// gives, and never fails for another reason than its configuration.
func FuzzRequest(f *testing.F) {
	f.Add(arn("sqs:path/123456789012/{x}"), "queue")
	f.Add(arn("s3:path/{x}/%41?a={x}"), "a/b")
	f.Add(arn("rooms.s3:path//{x}"), "..")
	f.Add(arn("sns:action/Publish&Message={x}"), "é&")
	f.Add("arn:aws-cn:apigateway:cn-north-1:states:action/StartSyncExecution", "")
	c := New(Options{Credentials: testCredentials(), Getenv: environment(nil)})
	f.Fuzz(func(t *testing.T, uri, value string) {
		u, err := ParseURI(uri)
		if err != nil {
			return
		}
		request, err := c.sign(t.Context(), &Request{URI: u, Path: map[string]string{"x": value}})
		if err != nil {
			if _, ok := err.(*ConfigurationError); !ok {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		if end := "." + u.Region + "." + domains[u.Partition]; !strings.HasSuffix(request.URL.Host, end) || strings.ContainsAny(request.URL.Host, "/@:?#") {
			t.Errorf("host %q", request.URL.Host)
		}
		sent, err := url.ParseRequestURI(request.URL.RequestURI())
		if err != nil {
			t.Fatalf("it cannot be sent: %v", err)
		}
		if u.Action != "" && sent.Path != "/" {
			t.Errorf("path %q of an action", sent.Path)
		}
		literal, _, _ := strings.Cut(u.Path, "{")
		if want := escape(literal, true, true); !strings.HasPrefix(sent.EscapedPath(), want) {
			t.Errorf("path %q does not begin with %q", sent.EscapedPath(), want)
		}
		if strings.Count(u.Path, "/") != strings.Count(sent.EscapedPath(), "/") && u.Service != "s3" && u.Action == "" {
			t.Errorf("path %q for %q: the value made segments", sent.EscapedPath(), u.Path)
		}
	})
}
