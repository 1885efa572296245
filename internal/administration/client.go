package administration

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/stagedoor/stagedoor/internal/identity"
	"github.com/stagedoor/stagedoor/internal/store"
)

// unsigned is used in place of the hash of a body that is not signed.
const unsigned = "UNSIGNED-PAYLOAD"

// maxAnswer is the size of the largest answer that is read into memory, in
// bytes.
const maxAnswer = 64 << 20

// ClientOptions configure a Client.
type ClientOptions struct {
	Gateway string // URL of the admin port
	Region  string // of the gateway
	// Credentials sign requests. With nil they are not signed, which only a
	// gateway with --open accepts.
	Credentials aws.CredentialsProvider
	TLS         *tls.Config // nil stands for the system's authorities
}

// Client is the Administration of a running gateway. It must be closed.
type Client struct {
	options ClientOptions
	base    string
	http    *http.Client
	signer  *v4.Signer
}

var _ Administration = (*Client)(nil)

// NewClient makes a client.
func NewClient(o ClientOptions) (*Client, error) {
	u, err := url.Parse(o.Gateway)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("%q is not the URL of a gateway's admin port, such as http://127.0.0.1:8081", o.Gateway)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = o.TLS
	return &Client{
		options: o, base: strings.TrimSuffix(u.String(), "/"), signer: v4.NewSigner(),
		http: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Backup implements Administration. It checks that the backup is whole; after
// an error, what was written is not.
func (c *Client) Backup(ctx context.Context, to io.Writer) (int, error) {
	answer, err := c.send(ctx, http.MethodGet, backupPath, nil, 0, hashOf(nil))
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	file := &erringWriter{to: to}
	records, err := store.CheckBackup(io.TeeReader(answer.Body, file))
	switch {
	case file.err != nil:
		return records, fmt.Errorf("writing the backup: %w", file.err)
	case err != nil && ctx.Err() == nil:
		return records, fmt.Errorf("the gateway's answer broke off; its log may say why: %w", err)
	}
	return records, err
}

// erringWriter keeps the error of a failed write.
type erringWriter struct {
	to  io.Writer
	err error
}

func (w *erringWriter) Write(p []byte) (n int, err error) {
	n, err = w.to.Write(p)
	if err != nil {
		w.err = err
	}
	return n, err
}

// Restore implements Administration.
func (c *Client) Restore(ctx context.Context, file io.ReadSeeker, replace bool) (int, error) {
	hash := sha256.New()
	size, err := io.Copy(hash, file)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		return 0, fmt.Errorf("reading the backup: %w", err)
	}
	path := fmt.Sprintf("%s?replace=%t&sha256=%x", restorePath, replace, hash.Sum(nil))
	answer, err := c.send(ctx, http.MethodPost, path, file, size, unsigned)
	if err != nil {
		if reason, isFull := strings.CutPrefix(err.Error(), store.ErrNotEmpty.Error()); isFull {
			err = fmt.Errorf("%w%s", store.ErrNotEmpty, reason)
		}
		return 0, err
	}
	var done restoreAnswer
	err = read(answer, &done)
	return done.Records, err
}

// CreateAccessKey implements Administration.
func (c *Client) CreateAccessKey(ctx context.Context, k NewAccessKey) (*AccessKey, error) {
	body, err := json.Marshal(k)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWrong, err)
	}
	answer, err := c.send(ctx, http.MethodPost, credentialsPath, bytes.NewReader(body), int64(len(body)), hashOf(body))
	if err != nil {
		return nil, err
	}
	var made AccessKey
	return &made, read(answer, &made)
}

// AccessKeys implements Administration.
func (c *Client) AccessKeys(ctx context.Context) ([]*AccessKey, error) {
	answer, err := c.send(ctx, http.MethodGet, credentialsPath, nil, 0, hashOf(nil))
	if err != nil {
		return nil, err
	}
	var list accessKeyList
	err = read(answer, &list)
	return list.AccessKeys, err
}

// DeleteAccessKey implements Administration.
func (c *Client) DeleteAccessKey(ctx context.Context, id string) error {
	answer, err := c.send(ctx, http.MethodDelete, credentialsPath+"/"+url.PathEscape(id), nil, 0, hashOf(nil))
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// Events returns the gateway's events as server-sent events, when it has begun to send
// them. They end with ctx.
func (c *Client) Events(ctx context.Context, query url.Values) (io.ReadCloser, error) {
	path := EventsPath
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	answer, err := c.send(ctx, http.MethodGet, path, nil, 0, hashOf(nil))
	if err != nil {
		return nil, err
	}
	if kind := answer.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		answer.Body.Close()
		return nil, c.foreign(answer)
	}
	return answer.Body, nil
}

func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// send sends a request, signed if there are credentials, and returns the
// answer, whose body the caller closes. A refusal by the gateway is an error.
func (c *Client) send(ctx context.Context, method, path string, body io.Reader, size int64, hash string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "stagedoor")
	if body != nil {
		r.Body, r.ContentLength = io.NopCloser(body), size
	}
	if c.options.Credentials != nil {
		if hash == unsigned {
			r.Header.Set("X-Amz-Content-Sha256", hash)
		}
		credentials, err := c.options.Credentials.Retrieve(ctx)
		if err != nil {
			return nil, fmt.Errorf("AWS credentials: %w", err)
		}
		if err := c.signer.SignHTTP(ctx, credentials, r, hash, identity.ServiceControl, c.options.Region, time.Now()); err != nil {
			return nil, err
		}
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if answer.StatusCode/100 == 2 {
		return answer, nil
	}
	defer answer.Body.Close()
	return nil, c.refusal(answer)
}

// unreachable is the error for a gateway that does not answer. It leaves out
// the request's URL, which net/http's error has.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var where *url.Error
	if errors.As(err, &where) {
		err = where.Err
	}
	return fmt.Errorf("the gateway at %s does not answer: %w", c.base, err)
}

// refusal returns the gateway's refusal as an error.
func (c *Client) refusal(answer *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxRequest))
	var said struct{ Message string } // or message
	kind := answer.Header.Get("x-amzn-ErrorType")
	if err != nil || json.Unmarshal(text, &said) != nil || kind == "" {
		return c.foreign(answer)
	}
	// Further lines have what should have been signed, which does not help
	// here.
	reason, _, _ := strings.Cut(said.Message, "\n")
	switch {
	case answer.StatusCode == http.StatusForbidden && c.options.Credentials == nil:
		reason = fmt.Sprintf("the gateway refused: %s; the request was not signed, as no AWS credentials were found", reason)
	case answer.StatusCode == http.StatusForbidden:
		reason = fmt.Sprintf("the gateway refused: %s: %s", kind, reason)
	}
	return &RefusedError{answer.StatusCode, reason}
}

// RefusedError is a gateway's refusal.
type RefusedError struct {
	status int
	reason string
}

// Error implements error.
func (e *RefusedError) Error() string { return e.reason }

// StatusCode is the status of the gateway's answer.
func (e *RefusedError) StatusCode() int { return e.status }

// foreign is the error for an answer that no gateway gives.
func (c *Client) foreign(answer *http.Response) error {
	return fmt.Errorf("%s answered %s, but not as Stagedoor does: is it the admin port of a gateway?", c.base, answer.Status)
}

// read reads an answer.
func read(answer *http.Response, into any) error {
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("the gateway's answer broke off: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("the gateway's answer is not one of Stagedoor's: %w", err)
	}
	return nil
}
