package deploy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"go.uber.org/goleak"

	"github.com/stagedoor/stagedoor/internal/control"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/rollout"
	"github.com/stagedoor/stagedoor/internal/store"
	"github.com/stagedoor/stagedoor/internal/template"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a gateway with its control plane, and a client of that.
type site struct {
	*gatewaytest.Gateway
	client *Client
	aws    *sdk.Client
	store  *store.Configuration
	t      *testing.T

	writes atomic.Int64 // requests that change something
	broken atomic.Int64 // the write that fails, counted from 1; 0 for none
	lost   atomic.Bool  // it is done, and its answer lost
}

// newSite starts a gateway that has nothing.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{Gateway: gatewaytest.New(t, websocket.DriverAuto), store: store.NewConfiguration(store.NewMemory(), nil), t: t}
	following := rollout.New(rollout.Options{
		Configuration: s.store, Compiler: &plan.Compiler{Backends: s.Backends, Region: "us-east-1"}, Gateway: s.Gateway.Gateway,
	})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = following.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	server := httptest.NewServer(s.breaking(control.New(control.Options{
		Store: s.store, Region: "us-east-1", AccountID: "123456789012", Await: following.Await,
	})))
	t.Cleanup(server.Close)
	s.client = newClient(t, server.URL)
	s.aws = sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, HTTPClient: server.Client(), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
	})
	return s
}

func newClient(t *testing.T, url string) *Client {
	t.Helper()
	client, err := NewClient(ClientOptions{Gateway: url, Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// breaking counts writes, and breaks the one that is to be broken.
func (s *site) breaking(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || s.writes.Add(1) != s.broken.Load() {
			next.ServeHTTP(w, r)
			return
		}
		if s.lost.Load() {
			next.ServeHTTP(httptest.NewRecorder(), r)
		}
		panic(http.ErrAbortHandler)
	})
}

// load reads a template.
func load(t *testing.T, stack, text string) *State {
	t.Helper()
	file := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	app, err := template.Load(file, template.Options{StackName: stack})
	if err != nil {
		t.Fatal(err)
	}
	return Wanted(app)
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// plan says what is to be done for a stack.
func (s *site) plan(want *State) *Plan {
	s.t.Helper()
	have, err := Read(s.t.Context(), s.client, want.stack)
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := Compare(want, have, "us-east-1")
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// apply applies what there is to do, and returns that.
func (s *site) apply(want *State) []string {
	s.t.Helper()
	p := s.plan(want)
	if err := p.Apply(s.t.Context(), s.client, func(*Change) {}); err != nil {
		s.t.Fatal(err)
	}
	return lines(p)
}

// settled fails the test if there is anything to do.
func (s *site) settled(want *State) {
	s.t.Helper()
	if left := lines(s.plan(want)); len(left) > 0 {
		s.t.Errorf("after all was done there is to do:\n%s", strings.Join(left, "\n"))
	}
}

// lines are the changes of a plan.
func lines(p *Plan) []string {
	var all []string
	for _, c := range p.Changes {
		line := c.String()
		if len(c.Members) > 0 {
			line += ": " + strings.Join(c.Members, ", ")
		}
		all = append(all, line)
	}
	return all
}

// only returns the API that the gateway has of a stack.
func (s *site) only(stack string) *api {
	s.t.Helper()
	have, err := Read(s.t.Context(), s.client, stack)
	if err == nil && len(have.apis) != 1 {
		err = fmt.Errorf("it has %d APIs", len(have.apis))
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return have.apis[0]
}

// path is where clients connect to a stage of an API.
func path(apiID, stage string) string { return "/_aws/execute-api/" + apiID + "/" + stage }

// must does an operation of the SDK that does not fail.
func must[In, Out any](t *testing.T, operation func(context.Context, *In, ...func(*sdk.Options)) (*Out, error), in *In) *Out {
	t.Helper()
	out, err := operation(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// failed returns the failure of an apply.
func failed(t *testing.T, err error) *ApplyError {
	t.Helper()
	var stopped *ApplyError
	if !errors.As(err, &stopped) {
		t.Fatalf("Apply: %v, want an ApplyError", err)
	}
	return stopped
}
