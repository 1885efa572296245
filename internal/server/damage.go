package server

import (
	"fmt"

	"github.com/stagedoor/stagedoor/internal/store"
)

// onDamage is what a gateway does with a store that is damaged.
func (s *Server) onDamage() store.OnDamage {
	if s.options.Repair {
		return store.Repair
	}
	return store.ServeWhole
}

// tellDamage names what the store lost, in the log and in /readyz.
func (s *Server) tellDamage(d *store.Damage) {
	s.state.setOpened(d != nil, shortList(d.Keys()))
	if d == nil {
		return
	}
	for _, l := range d.Losses {
		s.log.Error("a record of the configuration is damaged: it is neither served nor written", "key", l.Key, "reason", l.Reason)
	}
	s.log.Error("the configuration store is damaged; what is whole is served", "records", len(d.Losses), "unknown", d.Unknown, "places", d.Places, "folder", d.Dir, "repair", d.Advice())
}

// shownDamage is how many keys /readyz names.
const shownDamage = 100

// shortList gives a list that is not too long.
func shortList(keys []string) []string {
	if len(keys) <= shownDamage {
		return keys
	}
	return append(keys[:shownDamage:shownDamage], fmt.Sprintf("and %d more", len(keys)-shownDamage))
}
