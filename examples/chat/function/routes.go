package main

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"
)

// connect notes a new connection. It is in no room yet: until $connect has
// answered, nothing can be sent to it.
func (v *visit) connect(ctx context.Context, name string) error {
	if name == "" {
		name = "guest-" + strings.ToLower(v.id[:min(4, len(v.id))])
	}
	name, err := label("name", name, maxName)
	if err != nil {
		return err
	}
	return v.Members.Add(ctx, Member{ConnectionID: v.id, Name: name})
}

// join brings the connection into a room, out of the one it was in.
func (v *visit) join(ctx context.Context, r request) (*event, error) {
	room, err := label("room", r.Room, maxRoom)
	if err != nil {
		return nil, err
	}
	before, err := v.Members.Get(ctx, v.id)
	if err != nil {
		return nil, err
	}
	now := Member{ConnectionID: v.id, Name: before.Name, Room: room}
	if r.Name != "" {
		if now.Name, err = label("name", r.Name, maxName); err != nil {
			return nil, err
		}
	}
	if err := v.Members.Update(ctx, now); err != nil {
		return nil, err
	}
	others, err := v.others(ctx, room)
	if err != nil {
		return nil, err
	}
	present := names(append(others, now))
	if before != now {
		if err := v.left(ctx, before); err != nil {
			return nil, err
		}
		v.tell(ctx, others, &event{Type: "entered", Room: room, Name: now.Name, Members: present})
	}
	return &event{Type: "joined", Room: room, Name: now.Name, Members: present}, nil
}

// message says something to the room. The others get it pushed, the sender as
// the answer.
func (v *visit) message(ctx context.Context, r request) (*event, error) {
	text := strings.TrimSpace(r.Text)
	if text == "" {
		return nil, userError("The text is missing.")
	}
	if utf8.RuneCountInString(text) > maxText {
		return nil, userError(fmt.Sprintf("The text is longer than %d characters.", maxText))
	}
	member, err := v.inRoom(ctx)
	if err != nil {
		return nil, err
	}
	others, err := v.others(ctx, member.Room)
	if err != nil {
		return nil, err
	}
	said := &event{Type: "message", Room: member.Room, Name: member.Name, Text: text, Time: v.time}
	v.tell(ctx, others, said)
	return said, nil
}

// who lists the members of the room.
func (v *visit) who(ctx context.Context) (*event, error) {
	member, err := v.inRoom(ctx)
	if err != nil {
		return nil, err
	}
	others, err := v.others(ctx, member.Room)
	if err != nil {
		return nil, err
	}
	return &event{Type: "members", Room: member.Room, Members: names(append(others, member))}, nil
}

// inRoom returns the connection, which must be in a room.
func (v *visit) inRoom(ctx context.Context) (Member, error) {
	member, err := v.Members.Get(ctx, v.id)
	if err == nil && member.Room == "" {
		err = userError(`Join a room first: {"action":"join","room":"lobby"}.`)
	}
	return member, err
}
