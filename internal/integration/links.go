package integration

import (
	"fmt"
	"sync"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/httpclient"
	"github.com/stagedoor/stagedoor/internal/setting"
)

// AddressTag is the tag of a VPC link with the address, host:port or URL, that it
// leads to.
const AddressTag = "stagedoor:address"

// Links are the VPC links of the control plane, with the clients that call backends
// through them. They are safe for concurrent use.
type Links struct {
	options   httpclient.Options         // of all clients; each sets its Address
	addresses map[string]setting.Address // the operator's, by a link's id or name

	mu   sync.Mutex
	byID map[string]openLink // guarded by mu
}

// openLink is a link that leads somewhere.
type openLink struct {
	address setting.Address
	client  *httpclient.Client
}

// NewLinks makes Links without a link. The addresses, by the ids or names of links,
// are the operator's: they take the place of those in tags. Clients are made with
// the options, but for the address.
func NewLinks(addresses map[string]setting.Address, o httpclient.Options) *Links {
	return &Links{options: o, addresses: addresses, byID: make(map[string]openLink)}
}

// Replace replaces all links. A link without an address, or with one that is wrong,
// leads nowhere; the errors name the wrong ones. A link whose address is the same
// as before keeps its client, and with it the connections.
func (l *Links) Replace(links []*apigw.VpcLink) []error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var problems []error
	next := make(map[string]openLink, len(links))
	for _, link := range links {
		address, err := l.addressOf(link)
		if err != nil {
			problems = append(problems, fmt.Errorf("VPC link %s: %w", link.VpcLinkId, err))
		}
		if address == "" {
			continue
		}
		open := l.byID[link.VpcLinkId]
		if open.address != address {
			o := l.options
			o.Address = string(address)
			open = openLink{address, httpclient.New(o)}
		}
		next[link.VpcLinkId] = open
	}
	for id, open := range l.byID {
		if next[id] != open {
			open.client.Close()
		}
	}
	l.byID = next
	return problems
}

// addressOf returns where a link leads: the operator's address, or that of its tag;
// "" where there is neither. The error is for a tag that is not an address.
func (l *Links) addressOf(link *apigw.VpcLink) (setting.Address, error) {
	for _, name := range []string{link.VpcLinkId, link.Name} {
		if address := l.addresses[name]; address != "" {
			return address, nil
		}
	}
	if tag := link.Tags[AddressTag]; tag != "" {
		return setting.ParseAddress(tag)
	}
	return "", nil
}

// Client returns the client of a link, nil where the link leads nowhere.
func (l *Links) Client(id string) *httpclient.Client {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byID[id].client
}

// Close closes the clients of all links. Nothing is called through them any more.
func (l *Links) Close() { l.Replace(nil) }
