package administration

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve offers a store by HTTP to whoever is not refused.
func serve(t *testing.T, s store.Store, authorize func(action, resource string) *apigw.Error) *Client {
	t.Helper()
	server := httptest.NewServer(NewHandler(HandlerOptions{
		Local: &Local{Configuration: store.NewConfiguration(s, nil)}, Region: "us-east-1", Account: "123456789012",
		Authorize: func(_ *http.Request, _ []byte, action, resource string) *apigw.Error {
			return authorize(action, resource)
		},
		Log: slog.New(slog.DiscardHandler),
	}))
	t.Cleanup(server.Close)
	return newClient(t, server.URL)
}

func newClient(t *testing.T, url string) *Client {
	t.Helper()
	c, err := NewClient(ClientOptions{Gateway: url, Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Every operation asks for its own permission before anything else is told.
func TestPermissions(t *testing.T) {
	t.Parallel()
	asked := ""
	c := serve(t, store.NewMemory(), func(action, resource string) *apigw.Error {
		asked = action + " " + strings.TrimPrefix(resource, "arn:aws:stagedoor:us-east-1:123456789012:")
		return apigw.AccessDenied("no")
	})
	ctx := t.Context()
	for want, call := range map[string]func() error{
		"stagedoor:Backup store":                    func() error { _, err := c.Backup(ctx, io.Discard); return err },
		"stagedoor:Restore store":                   func() error { _, err := c.Restore(ctx, strings.NewReader("x"), true); return err },
		"stagedoor:ListAccessKeys user/*":           func() error { _, err := c.AccessKeys(ctx); return err },
		"stagedoor:DeleteAccessKey access-key/AKIA": func() error { return c.DeleteAccessKey(ctx, "AKIA") },
		"stagedoor:CreateAccessKey user/ann": func() error {
			_, err := c.CreateAccessKey(ctx, NewAccessKey{UserName: "ann", Policies: []json.RawMessage{[]byte("{}")}})
			return err
		},
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), "the gateway refused: no") || asked != want {
			t.Errorf("asked for %s with %v, want %s", asked, err, want)
		}
	}
}

// What is wrong with a request is the client's fault, and changes nothing.
func TestRefusals(t *testing.T) {
	t.Parallel()
	memory := store.NewMemory()
	c := serve(t, memory, func(string, string) *apigw.Error { return nil })
	for _, tt := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", "restore?replace=perhaps", "", 400, "replace must be true or false"},
		{"POST", "restore?replace=true&sha256=00", "x", 400, "does not have the SHA-256"},
		{"POST", "credentials", "{", 400, "does not describe an access key"},
		{"POST", "credentials", `{"userName":"ann","admin":true}`, 400, "unknown field"},
		{"POST", "credentials", `{"userName":"ann","policies":[{}]}`, 400, "policy 1"},
		{"DELETE", "credentials/AKIA%2F..%0A", "", 404, "there is no access key"},
		{"GET", "else", "", 404, "no such operation"},
		{"PUT", "backup", "", 404, "no such operation"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tt.method, c.base+Prefix+tt.path, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := c.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != tt.status || !strings.Contains(string(text), tt.want) {
			t.Errorf("%s %s: %d %s", tt.method, tt.path, answer.StatusCode, text)
		}
	}
	if keys, err := memory.Keys(t.Context(), ""); err != nil || len(keys) > 0 {
		t.Errorf("written: %v %v", keys, err)
	}
}

// A gateway that is none, and an answer that breaks off, are told apart from a
// whole backup.
func TestClientIsNotFooled(t *testing.T) {
	t.Parallel()
	var whole bytes.Buffer
	memory := store.NewMemory()
	if _, err := memory.Put(t.Context(), "api.a", []byte(`{"version":1}`), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Backup(t.Context(), memory, &whole); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"another server":    {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "hello", http.StatusNotFound) }, "is it the admin port of a gateway?"},
		"another answer":    {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello\n") }, "no backup of Stagedoor"},
		"cut off":           {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(whole.Bytes()[:whole.Len()-9]) }, "broke off"},
		"somewhere else":    {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/else", http.StatusFound) }, "is it the admin port of a gateway?"},
		"aborted in it all": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(tt.answer)
			defer server.Close()
			c := newClient(t, server.URL)
			if _, err := c.Backup(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v", err)
			}
			c.Close()
		})
	}
	c := serve(t, memory, func(string, string) *apigw.Error { return nil })
	if _, err := c.Restore(t.Context(), bytes.NewReader(whole.Bytes()), false); !errors.Is(err, store.ErrNotEmpty) {
		t.Errorf("over what is there: %v", err)
	}
	if n, err := c.Restore(t.Context(), bytes.NewReader(whole.Bytes()), true); n != 1 || err != nil {
		t.Errorf("restored %d, %v", n, err)
	}
}
