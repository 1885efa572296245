package main

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"slices"
	"strings"
	"sync"
)

// others returns the members of a room without the connection itself.
func (v *visit) others(ctx context.Context, room string) ([]Member, error) {
	members, err := v.Members.InRoom(ctx, room)
	return slices.DeleteFunc(members, func(m Member) bool { return m.ConnectionID == v.id }), err
}

// left tells a room that a member, who is not in it any more, has left it.
func (v *visit) left(ctx context.Context, gone Member) error {
	if gone.Room == "" {
		return nil
	}
	members, err := v.Members.InRoom(ctx, gone.Room)
	if err != nil {
		return err
	}
	members = slices.DeleteFunc(members, func(m Member) bool { return m.ConnectionID == gone.ConnectionID })
	v.tell(ctx, members, &event{Type: "left", Room: gone.Room, Name: gone.Name, Members: names(members)})
	return nil
}

// tell sends an event to members, all at once. That one of them can't be
// reached is no failure of the event; it is logged.
//
// $disconnect is not promised to come, so this is also where connections are
// found that ended without it: they are removed, and the others are told.
func (v *visit) tell(ctx context.Context, members []Member, e *event) {
	data, err := json.Marshal(e)
	if err != nil {
		log.Printf("encode %s: %v", e.Type, err)
		return
	}
	errs := make([]error, len(members))
	var sent sync.WaitGroup
	for i, m := range members {
		sent.Go(func() { errs[i] = v.Gateway.Post(ctx, v.endpoint, m.ConnectionID, data) })
	}
	sent.Wait()

	for i, m := range members {
		err := errs[i]
		if errors.Is(err, ErrGone) {
			err = v.forget(ctx, m.ConnectionID)
		}
		if err != nil {
			log.Printf("tell %s of %s: %v", m.ConnectionID, e.Type, err)
		}
	}
}

// forget removes a connection that has ended, and tells its room.
func (v *visit) forget(ctx context.Context, connectionID string) error {
	member, err := v.Members.Remove(ctx, connectionID)
	if errors.Is(err, ErrGone) {
		return nil // somebody else noticed first, and told the room
	}
	if err != nil {
		return err
	}
	return v.left(ctx, member)
}

// names returns the names of members, sorted.
func names(members []Member) []string {
	list := make([]string, len(members))
	for i, m := range members {
		list[i] = m.Name
	}
	slices.SortFunc(list, func(a, b string) int {
		return strings.Compare(strings.ToLower(a), strings.ToLower(b))
	})
	return list
}
