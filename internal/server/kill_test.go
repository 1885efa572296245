package server

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/smithy-go"
	"github.com/coder/websocket"

	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// killsVariable says how often TestServeKill kills the gateway, if not so often
// as it does by itself. With 200 it takes some minutes.
const killsVariable = "STAGEDOOR_TEST_KILLS"

// A gateway is killed again and again while clients configure it with AWS's SDK,
// at any point of its writes and of its start. After each restart what was
// answered is there with all its members, nothing is there by halves, and the
// stage with autoDeploy serves what the API has.
func TestServeKill(t *testing.T) {
	t.Parallel()
	rounds := 30
	if testing.Short() {
		rounds = 5
	}
	if text := os.Getenv(killsVariable); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	k := &killing{t: t, dir: t.TempDir()}
	k.prepare()
	for range rounds {
		if k.round(); t.Failed() {
			return
		}
	}
	slices.Sort(k.opened)
	t.Logf("killed %d times in %d answered writes; ready after %v, 95%% within %v, at most %v",
		rounds, k.answered.Load(), k.opened[len(k.opened)/2], k.opened[len(k.opened)*95/100], k.opened[len(k.opened)-1])
}

// killing is a gateway that is killed, and those who write to it.
type killing struct {
	t        *testing.T
	dir      string
	writers  []*writer
	opened   []time.Duration
	answered atomic.Int64 // writes
}

// prepare makes an API for each writer.
func (k *killing) prepare() {
	p := startProcess(k.t, k.dir, 0)
	defer p.end()
	client := newSDK(k.t, p.Admin)
	for range 3 {
		k.writers = append(k.writers, newWriter(k.t, client))
	}
}

// round starts the gateway, looks at what it has, and kills it.
func (k *killing) round() {
	if rand.IntN(8) == 0 { // while it starts, or heals what the last kill left
		startProcess(k.t, k.dir, 1+rand.N(400*time.Millisecond)).wait()
		return
	}
	p := startProcess(k.t, k.dir, 0)
	defer p.end()
	k.opened = append(k.opened, p.opened)
	for _, w := range k.writers {
		w.compare(newSDK(k.t, p.Admin))
		w.checkServed(p.Public[0])
	}
	var left atomic.Int64
	left.Store(1 + rand.Int64N(40))
	var writing sync.WaitGroup
	for _, w := range k.writers {
		client := newSDK(k.t, p.Admin)
		writing.Go(func() {
			for w.write(client) {
				k.answered.Add(1)
				if left.Add(-1) == 0 {
					time.AfterFunc(rand.N(5*time.Millisecond), p.kill)
				}
			}
		})
	}
	writing.Wait()
	p.end()
	if strings.Contains(p.log.String(), "level=ERROR") {
		k.t.Errorf("the log has errors:\n%s", &p.log)
	}
}

// base is what tells that a resource is the same during the whole test.
const base = "base"

// newWriter makes an API whose stage "auto" answers messages with a template
// that changes.
func newWriter(t *testing.T, client *sdk.Client) *writer {
	t.Helper()
	w := &writer{t: t, known: make(map[item]string)}
	w.api = *must(t, client.CreateApi, &sdk.CreateApiInput{
		Name: new(base), ProtocolType: "WEBSOCKET", RouteSelectionExpression: new("$request.body.action"),
	}).ApiId
	w.integration = *must(t, client.CreateIntegration, &sdk.CreateIntegrationInput{
		ApiId: &w.api, IntegrationType: "MOCK", Description: new(base), RequestTemplates: map[string]string{"$default": `{"statusCode": 200}`},
		TemplateSelectionExpression: new("$default"),
	}).IntegrationId
	must(t, client.CreateIntegrationResponse, &sdk.CreateIntegrationResponseInput{
		ApiId: &w.api, IntegrationId: &w.integration, IntegrationResponseKey: new("$default"),
		ResponseTemplates: map[string]string{"$default": "first"}, TemplateSelectionExpression: new("$default"),
	})
	route := must(t, client.CreateRoute, &sdk.CreateRouteInput{
		ApiId: &w.api, RouteKey: new("$default"), OperationName: new(base), Target: new("integrations/" + w.integration),
	})
	must(t, client.CreateRouteResponse, &sdk.CreateRouteResponseInput{ApiId: &w.api, RouteId: route.RouteId, RouteResponseKey: new("$default")})
	must(t, client.CreateStage, &sdk.CreateStageInput{ApiId: &w.api, StageName: new("auto"), AutoDeploy: new(true), Description: new(base)})
	w.known = w.list(client)
	return w
}

// write does a change, and says whether it was answered. One that was not was
// cut off by the kill, and may be done or not.
func (w *writer) write(client *sdk.Client) bool {
	w.number++
	do := w.next(client)
	out, err := do(w.t.Context())
	var refused smithy.APIError
	switch {
	case errors.As(err, &refused):
		w.t.Errorf("%+v: %v", *w.tried, err)
		return false
	case err != nil:
		return false
	}
	if w.tried.removes {
		delete(w.known, w.tried.item)
	} else {
		text := canonical(w.t, out)
		w.known[item{w.tried.kind, idOf(w.t, w.tried.kind, text)}] = text
	}
	w.tried = nil
	return true
}

// compare holds what the gateway has against what it answered, and goes on from
// there.
func (w *writer) compare(client *sdk.Client) {
	w.t.Helper()
	found := w.list(client)
	for i, want := range w.known {
		got, exists := found[i]
		pending := w.tried != nil && w.tried.item == i
		switch {
		case got == want:
		case pending && w.tried.removes && !exists:
		case pending && exists && numberOf(got) == w.tried.number:
		default:
			w.t.Errorf("%v is %q; answered was %q; tried was %+v", i, got, want, w.tried)
		}
	}
	created := 0
	for i, got := range found {
		number := numberOf(got)
		if number < 0 {
			w.t.Errorf("%v is there by halves: %s", i, got)
		}
		if _, known := w.known[i]; known {
			continue
		}
		created++
		if w.tried == nil || w.tried.item != (item{kind: i.kind}) || number != w.tried.number || created > 1 {
			w.t.Errorf("%v was never answered nor tried: %s; tried was %+v", i, got, w.tried)
		}
	}
	w.known, w.tried = found, nil
}

// checkServed waits until the stage "auto" serves the API as it is now.
func (w *writer) checkServed(public string) {
	w.t.Helper()
	var want string
	for i, text := range w.known {
		if i.kind == "response" {
			want = templateOf(w.t, text)
		}
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), gatewaytest.Timeout)
	defer cancel()
	url := strings.Replace(public, "http", "ws", 1) + "/auto"
	options := &websocket.DialOptions{HTTPClient: gatewaytest.HTTPClient, Host: w.api + ".execute-api.us-east-1.amazonaws.com"}
	conn, _, err := websocket.Dial(ctx, url, options)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	gatewaytest.Eventually(w.t, func() error {
		if got := gatewaytest.Ask(w.t, conn, "{}"); got != want {
			return fmt.Errorf("the stage answers %q, the API has %q", got, want)
		}
		return nil
	})
}
