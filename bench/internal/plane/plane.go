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

// Client is a client of a control plane. It is safe for concurrent use.
type Client struct {
	url    string
	http   *http.Client
	signer *Signer // nil: the control plane checks no signatures
}

// New makes a client of the control plane at a URL. Close must be called.
func New(url string) *Client {
	return &Client{url: url, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: writers}, Timeout: time.Minute}}
}

// NewSigned is New for a control plane that checks signatures.
func NewSigned(url string, s *Signer) *Client {
	c := New(url)
	c.signer = s
	return c
}

// Close ends the client's connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// object is a JSON object.
type object map[string]any

// do sends a request below /v2/apis and returns one member of the answer, an
// id.
func (c *Client) do(ctx context.Context, method, path string, body object, id string) (string, error) {
	members, err := c.Call(ctx, method, path, body)
	found, _ := members[id].(string)
	return found, err
}

// Refusal is the error of an answer that is not a success.
type Refusal struct {
	Request string // method and path
	Status  int
	Body    string
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%s: %d %s: %s", r.Request, r.Status, http.StatusText(r.Status), r.Body)
}

// Call sends a request below /v2/apis and returns the answer's members, nil if
// it has none. The error of an answer that is not a success is a *Refusal.
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
	if c.signer != nil {
		c.signer.Sign(r, text, Control)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if text, err = io.ReadAll(answer.Body); err != nil {
		return nil, err
	}
	if answer.StatusCode >= 300 {
		return nil, &Refusal{method + " " + path, answer.StatusCode, string(text)}
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
