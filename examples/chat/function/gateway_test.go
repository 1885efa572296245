package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

func TestPost(t *testing.T) {
	var path, body string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		path, body = r.URL.Path, string(data)
		if path == "/dev/@connections/gone=" {
			w.Header().Set("x-amzn-ErrorType", "GoneException")
			w.WriteHeader(http.StatusGone)
		}
	}))
	defer server.Close()
	gateway := &Gateway{Config: aws.Config{
		Region:      "us-east-1",
		HTTPClient:  server.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	}}

	if err := gateway.Post(t.Context(), server.URL+"/dev", "here=", []byte("hello")); err != nil {
		t.Error(err)
	}
	if path != "/dev/@connections/here=" || body != "hello" {
		t.Errorf("posted %q to %s", body, path)
	}
	if err := gateway.Post(t.Context(), server.URL+"/dev", "gone=", []byte("hello")); !errors.Is(err, ErrGone) {
		t.Errorf("error %v, want ErrGone", err)
	}
}
