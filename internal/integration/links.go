package integration

import (
	"fmt"
	"sync"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/httpclient"
	"github.com/stagedoor/stagedoor/internal/setting"
)

// AddressTag is the tag of a VPC link that says where it leads.
const AddressTag = "stagedoor:address"

// Links are the VPC links of the control plane, and the clients by which
// backends behind them are called. They are safe for concurrent use.
type Links struct {
	options   httpclient.Options         // but for their address
	addresses map[string]setting.Address // of the operator, by the link's id or name

	mu   sync.Mutex
	byID map[string]openLink // guarded by mu
}

type openLink struct {
	address setting.Address
	client  *httpclient.Client
}

// NewLinks makes links of which none is known yet. The addresses, by ids or
// names of links, go before those of tags: they are the operator's. Of the options
// for clients the address is each link's own.
func NewLinks(addresses map[string]setting.Address, o httpclient.Options) *Links {
	return &Links{options: o, addresses: addresses, byID: make(map[string]openLink)}
}

// Replace puts links in the place of all before. One whose address is not known,
// or is none, leads nowhere; the errors tell of the latter. Connections of links
// that lead where they led stay.
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

// addressOf gives where a link leads: as the operator says, or else its tag. It is
// "" where neither does.
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

// Close closes idle connections. Nothing is called any more.
func (l *Links) Close() { l.Replace(nil) }
