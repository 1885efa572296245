package deploy

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw/wire"
)

// describeGateway is an operation that AWS does not have: it returns the URLs
// that clients of a gateway connect to.
var describeGateway = wire.Endpoint{Name: "DescribeGateway", Method: "GET", Path: "/stagedoor/gateway", Status: 200}

// Reach replaces the URLs of APIs by those by which clients reach the gateway.
// Without a configured endpoint, the control plane returns URLs of AWS's form.
// It changes nothing if the gateway does not return its URLs.
func Reach(ctx context.Context, c *Client, apis []API) {
	var told struct {
		Public      []string
		APIEndpoint string
	}
	if err := c.do(ctx, &call{Endpoint: describeGateway}, &told); err != nil || len(told.Public) == 0 || told.APIEndpoint != "" {
		return
	}
	base := publicURL(told.Public[0], c.base)
	if base == "" {
		return
	}
	for i := range apis {
		apis[i].Endpoint = base + "/_aws/execute-api/" + apis[i].ID
	}
}

// publicURL is the WebSocket URL of a public port. One that listens on all
// addresses has the host by which its admin port is reached.
func publicURL(public, admin string) string {
	u, err := url.Parse(public)
	if err != nil || u.Host == "" {
		return ""
	}
	if address, err := netip.ParseAddr(u.Hostname()); err == nil && address.IsUnspecified() {
		asked, err := url.Parse(admin)
		if err != nil {
			return ""
		}
		u.Host = net.JoinHostPort(asked.Hostname(), u.Port())
	}
	return strings.Replace(u.Scheme, "http", "ws", 1) + "://" + u.Host
}

// Shadowed returns a sentence for each short URL, /{stage}, of a new stage that
// will be refused, or that works now and will be refused: a gateway serves them
// only if a single API has a stage of that name. APIs that the credentials may
// not read are left out.
func Shadowed(ctx context.Context, c *Client, want, have *State) []string {
	added := newStages(want, have)
	if len(added) == 0 {
		return nil
	}
	all, err := list[wire.Api](ctx, c, wire.GetApis.Endpoint)
	if err != nil {
		return nil
	}
	found := make([][]string, len(all)) // stages by API
	positions := make([]int, len(all))
	for i := range positions {
		positions[i] = i
	}
	_ = each(positions, func(i int) error { // an API that cannot be read is left out
		stages, err := list[wire.Stage](ctx, c, wire.GetStages.Endpoint, text(all[i].ApiId))
		for _, s := range stages {
			found[i] = append(found[i], text(s.StageName))
		}
		return err
	})
	var notes []string
	for _, name := range added {
		var owners []*wire.Api
		for i, a := range all {
			if slices.Contains(found[i], name) {
				owners = append(owners, a)
			}
		}
		switch {
		case len(owners) > 1 || len(owners) == 0 && apisWith(want, name) > 1:
			notes = append(notes, fmt.Sprintf("the short URL /%s is refused with 403, as several APIs have a stage of that name; /_aws/execute-api/{apiId}/%s and custom domain names work",
				name, name))
		case len(owners) == 1:
			notes = append(notes, fmt.Sprintf("the short URL /%s leads to the API %s (%s) now; with a second API that has a stage %s it is refused with 403, and only /_aws/execute-api/{apiId}/%s and custom domain names work",
				name, text(owners[0].Name), text(owners[0].ApiId), name, name))
		}
	}
	return notes
}

// apisWith counts the APIs that have a stage of a name.
func apisWith(s *State, stage string) (n int) {
	for _, a := range s.apis {
		for _, have := range a.stages {
			if have.name == stage {
				n++
			}
		}
	}
	return n
}

// newStages returns the names of wanted stages that their APIs do not have yet,
// each once.
func newStages(want, have *State) []string {
	there := map[string]bool{} // by API and stage
	for _, a := range have.apis {
		for _, s := range a.stages {
			there[a.logicalID+"/"+s.name] = true
		}
	}
	var names []string
	for _, a := range want.apis {
		for _, s := range a.stages {
			if !there[a.logicalID+"/"+s.name] && !slices.Contains(names, s.name) {
				names = append(names, s.name)
			}
		}
	}
	return names
}
