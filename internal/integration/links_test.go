package integration

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/httpclient"
	"github.com/stagedoor/stagedoor/internal/setting"
)

// A link leads where the operator says, by its id or name, else where its tag
// says; and it can be moved.
func TestLinks(t *testing.T) {
	t.Parallel()
	hosts := make(map[string]string)
	for _, name := range []string{"one", "two"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) }))
		t.Cleanup(server.Close)
		hosts[name] = server.URL
	}
	links := NewLinks(map[string]setting.Address{"byid": addressOf(t, hosts["one"]), "rooms": addressOf(t, hosts["two"])}, httpclient.Options{})
	t.Cleanup(links.Close)
	tagged := func(id, name, address string) *apigw.VpcLink {
		return &apigw.VpcLink{VpcLinkId: id, Name: name, Tags: map[string]string{AddressTag: address}}
	}
	problems := links.Replace([]*apigw.VpcLink{
		tagged("byid", "a", hosts["two"]), tagged("byname", "rooms", hosts["one"]), tagged("bytag", "b", hosts["one"]),
		tagged("unset", "c", ""), tagged("wrong", "d", "tcp://balancer"),
	})
	if len(problems) != 1 || problems[0].Error() != `VPC link wrong: "tcp://balancer" is not an address, host:port` {
		t.Errorf("problems %v", problems)
	}
	builder := &Builder{LinkOf: links.Client}
	leads := func(id string) string {
		backend, err := builder.Build(&apigw.Integration{
			IntegrationType: apigw.IntegrationHTTPProxy, IntegrationMethod: "POST", IntegrationUri: "http://rooms.internal/",
			ConnectionType: "VPC_LINK", ConnectionId: id,
		}, Place{})
		if err != nil {
			return err.Error()
		}
		response, failed := backend.Invoke(t.Context(), &event.Event{Connection: &event.Connection{Endpoint: new(event.Endpoint)}, Type: event.Message})
		if failed != nil {
			return failed.Error()
		}
		return string(response.Body)
	}
	nowhere := func(id string) string {
		return fmt.Sprintf("the VPC link %q has no address here; give it one: --vpc-link %s=HOST:PORT, vpcLinks.%s in the configuration, or its tag stagedoor:address", id, id, id)
	}
	for id, want := range map[string]string{
		"byid": "one", "byname": "two", "bytag": "one", "unset": nowhere("unset"), "wrong": nowhere("wrong"), "unknown": nowhere("unknown"),
	} {
		if got := leads(id); got != want {
			t.Errorf("%s leads to %s, want %s", id, got, want)
		}
	}
	kept := links.Client("byid")
	links.Replace([]*apigw.VpcLink{tagged("byid", "a", ""), tagged("bytag", "b", hosts["two"])})
	if links.Client("byid") != kept || leads("bytag") != "two" || links.Client("byname") != nil {
		t.Errorf("%s, %v", leads("bytag"), links.Client("byname"))
	}
}

func addressOf(t *testing.T, url string) setting.Address {
	t.Helper()
	address, err := setting.ParseAddress(url)
	if err != nil {
		t.Fatal(err)
	}
	return address
}
