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

// describeGateway is an operation that AWS has not: where the clients of a gateway
// are to connect.
var describeGateway = wire.Endpoint{Name: "DescribeGateway", Method: "GET", Path: "/stagedoor/gateway", Status: 200}

// Reach puts the URLs by which clients reach the APIs of a gateway in the place of
// those of AWS's form, that an API has where the gateway's configuration says
// nothing. A gateway that does not tell leaves them as they are.
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

// Shadowed says which short URLs, /{stage}, of what a stack is to get are refused,
// and which work until then: a gateway serves them where only one API has a stage
// of that name. What the credentials do not let be read is not looked at.
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
	_ = each(positions, func(i int) error { // what fails is left out
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

// newStages are the names of the stages that are wanted of APIs that do not have
// them, each once.
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
