package rollout

import (
	"errors"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/store"
)

// linkList remembers the VPC links that it was given last, and knows what is
// wrong with one.
type linkList struct{ *node }

func (l linkList) Replace(links []*apigw.VpcLink) []error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.linkNames = nil
	var problems []error
	for _, link := range links {
		l.linkNames = append(l.linkNames, link.Name)
		if link.Name == "wrong" {
			problems = append(problems, errors.New("it is wrong"))
		}
	}
	return problems
}

// A change of a VPC link is awaited like any other, and compiles the stages that
// there are again.
func TestLinks(t *testing.T) {
	t.Parallel()
	n := start(t, store.NewMemory())
	putAPI(t, n.configuration, mockAPI("api"), "d1")
	n.await(t, putStage(t, n.configuration, "api", "dev", "d1", nil))
	link := func(id, name string) {
		n.await(t, put(t, n.configuration.VpcLinks, &apigw.VpcLink{VpcLinkId: id, Name: name}, id))
	}
	n.mu.Lock()
	before := n.deploys
	n.mu.Unlock()
	link("b", "rooms")
	link("a", "wrong")
	link("a", "wrong")
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.linkNames) != 2 || n.linkNames[0] != "wrong" || n.deploys < before+2 {
		t.Errorf("links %v, %d deployments after %d", n.linkNames, n.deploys, before)
	}
	if len(n.problems) != 1 || n.problems[0] != "/ VPC links: it is wrong" {
		t.Errorf("problems %q", n.problems)
	}
}
