// Package plane configures a gateway through its control plane, as AWS's clients
// do, and fills it with APIs.
package plane

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Client is a client of a control plane that checks no signatures. It is safe
// for concurrent use.
type Client struct {
	url  string
	http *http.Client
}

// New makes a client of the control plane at a URL. Close must be called.
func New(url string) *Client {
	return &Client{url, &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: writers}, Timeout: time.Minute}}
}

// Close ends the client's connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// object is a JSON object.
type object map[string]any

// do sends a request below /v2/apis and gives one member of the answer, an id.
func (c *Client) do(ctx context.Context, method, path string, body object, id string) (string, error) {
	members, err := c.Call(ctx, method, path, body)
	found, _ := members[id].(string)
	return found, err
}

// Call sends a request below /v2/apis and gives the answer's members, none where
// it has none. An answer that is not a success is an error.
func (c *Client) Call(ctx context.Context, method, path string, body map[string]any) (map[string]any, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, c.url+"/v2/apis"+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if text, err = io.ReadAll(answer.Body); err != nil {
		return nil, err
	}
	if answer.StatusCode >= 300 {
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, text)
	}
	members := map[string]any{}
	if len(text) == 0 {
		return members, nil
	}
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return members, nil
}

func (c *Client) create(ctx context.Context, path string, body object, id string) (string, error) {
	return c.do(ctx, http.MethodPost, path, body, id)
}

func (c *Client) update(ctx context.Context, path string, body object) error {
	_, err := c.do(ctx, http.MethodPatch, path, body, "")
	return err
}
