package main

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// request is what a client sends. Action is the route key; the other members
// depend on it.
type request struct {
	Action string `json:"action"`
	Room   string `json:"room"` // join
	Name   string `json:"name"` // join; optional, to change the name
	Text   string `json:"text"` // message
}

// event is what a client receives, as the answer to a request or because
// something happened in its room.
type event struct {
	Type    string    `json:"type"` // joined, entered, left, message, members or error
	Room    string    `json:"room,omitempty"`
	Name    string    `json:"name,omitempty"`    // who joined, entered, left or spoke
	Members []string  `json:"members,omitempty"` // the names of all who are in the room now
	Text    string    `json:"text,omitempty"`
	Time    time.Time `json:"time,omitzero"`
}

// userError is a mistake of the client. Its text is the answer.
type userError string

func (e userError) Error() string { return string(e) }

// Limits, in characters.
const (
	maxName = 32
	maxRoom = 32
	maxText = 2000
)

// label checks a name that people give to themselves or to a room.
func label(what, text string, limit int) (string, error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return "", userError(fmt.Sprintf("The %s is missing.", what))
	case utf8.RuneCountInString(text) > limit:
		return "", userError(fmt.Sprintf("The %s is longer than %d characters.", what, limit))
	case strings.ContainsFunc(text, unicode.IsControl):
		return "", userError(fmt.Sprintf("The %s contains control characters.", what))
	}
	return text, nil
}
