package server

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
)

// A function posts back to https://{domainName}/{stage}, as it does at AWS, and
// reaches this gateway by the endpoint that the configuration says, in either of
// its forms and whatever host the client made up. TLS is left out here.
func TestServePostBack(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		endpoint, dialHost string
	}{
		"path":                {"ws://ADDRESS/_aws/execute-api/{apiId}", ""},
		"host":                {"ws://{apiId}.execute-api.localhost:PORT", ""},
		"a host of no domain": {"ws://{apiId}.execute-api.localhost:PORT/", "testapi123.execute-api.attacker.example"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			address := port.Addr().String()
			_, number, _ := strings.Cut(address, ":")
			chat := &key{"AKIACHAT", "the secret key of the chat"}
			posted := make(chan struct{}, 1) // the answer to the push, which may come after the push itself
			function := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var event struct {
					Body           string
					RequestContext struct{ DomainName, Stage, ConnectionID string }
				}
				text, _ := io.ReadAll(r.Body)
				if err := json.Unmarshal(text, &event); err != nil {
					t.Error(err)
				}
				c := event.RequestContext
				back := "http://" + c.DomainName + "/" + c.Stage + "/@connections/" + c.ConnectionID
				if status, body := call(t, toHost, chat, "execute-api", "POST", back, "back: "+event.Body); status != 200 {
					t.Errorf("POST %s: %d %s", back, status, body)
				}
				posted <- struct{}{}
				_, _ = io.WriteString(w, `{"statusCode":200}`)
			}))
			t.Cleanup(function.Close)
			s := newSite(t)
			s.fill(&apigw.Integration{
				IntegrationType: apigw.IntegrationAWSProxy, IntegrationMethod: "POST",
				IntegrationUri: "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:123456789012:function:chat/invocations",
			})
			s.write("chat", chat.secret)
			s.configure(`
apiEndpoint: ` + strings.NewReplacer("ADDRESS", address, "PORT", number).Replace(tt.endpoint) + `
functions: {chat: ` + function.URL + `/2015-03-31/functions/function/invocations}
credentials:
  - user: chat
    accessKeyId: AKIACHAT
    secretAccessKeyFile: chat
    policies: [{Version: 2012-10-17, Statement: [{Effect: Allow, Action: "execute-api:ManageConnections", Resource: "*"}]}]
`)
			g := s.start(Config{Listeners: map[string][]net.Listener{"public": {port}}})
			conn := g.dialAs(tt.dialHost)
			if got := gatewaytest.Ask(t, conn, `{"a":1}`); got != `back: {"a":1}` {
				t.Errorf("got %s", got)
			}
			select {
			case <-posted:
			case <-time.After(gatewaytest.Timeout):
				t.Error("the push is not answered")
			}
		})
	}
}

// toHost is a client for whom every host is this machine. It keeps no
// connections, as gatewaytest.HTTPClient.
var toHost = &http.Client{Timeout: gatewaytest.Timeout, Transport: &http.Transport{
	DisableKeepAlives: true,
	DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	},
}}
