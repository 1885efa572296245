package httpclient

import (
	"context"
	"net/url"
	"testing"
)

// A client that answers itself sends nothing.
func TestInstead(t *testing.T) {
	t.Parallel()
	c := New(Options{Instead: func(_ context.Context, r *Request) (*Response, error) {
		return &Response{Status: 200, Body: []byte(r.URL.String())}, nil
	}})
	defer c.Close()
	nowhere := &url.URL{Scheme: "http", Host: "nowhere.invalid", Path: "/path"}
	response, err := c.Do(t.Context(), &Request{Method: "POST", URL: nowhere})
	if err != nil || response.Status != 200 || string(response.Body) != nowhere.String() {
		t.Errorf("%+v, %v", response, err)
	}
}
