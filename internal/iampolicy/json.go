package iampolicy

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
)

// nodeKind is the kind of a JSON value.
type nodeKind int

const (
	null nodeKind = iota
	object
	array
	text
	other // a number, true or false
)

// node is a JSON value. No object in it has a name twice.
type node struct {
	kind    nodeKind
	members []member
	items   []node
	scalar  string // of text and other
}

type member struct {
	name  string
	value node
}

// maxDepth is the deepest nesting that is read. No valid policy is nested as
// deep.
const maxDepth = 8

// readJSON reads one value, and nothing after it.
func readJSON(document []byte) (node, error) {
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.UseNumber()
	root, err := readNode(decoder, maxDepth)
	if err == nil {
		if _, end := decoder.Token(); !errors.Is(end, io.EOF) {
			err = mistake("there is more after the end of the document")
		}
	}
	if err != nil && !errors.Is(err, ErrPolicy) {
		err = mistake("it is not JSON: %v", err)
	}
	return root, err
}

func readNode(decoder *json.Decoder, depth int) (node, error) {
	token, err := decoder.Token()
	if err != nil {
		return node{}, err
	}
	if depth == 0 {
		return node{}, mistake("its values are nested too deeply")
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '[' {
			return readArray(decoder, depth)
		}
		return readObject(decoder, depth)
	case string:
		return node{kind: text, scalar: token}, nil
	case json.Number:
		return node{kind: other, scalar: token.String()}, nil
	case bool:
		if token {
			return node{kind: other, scalar: "true"}, nil
		}
		return node{kind: other, scalar: "false"}, nil
	}
	return node{}, nil
}

func readArray(decoder *json.Decoder, depth int) (node, error) {
	n := node{kind: array}
	for decoder.More() {
		item, err := readNode(decoder, depth-1)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, item)
	}
	_, err := decoder.Token()
	return n, err
}

func readObject(decoder *json.Decoder, depth int) (node, error) {
	n := node{kind: object}
	names := make(map[string]bool)
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return node{}, err
		}
		name, _ := token.(string) // the decoder allows nothing else
		if names[name] {
			return node{}, mistake("%s is there twice", quote(name))
		}
		names[name] = true
		value, err := readNode(decoder, depth-1)
		if err != nil {
			return node{}, err
		}
		n.members = append(n.members, member{name, value})
	}
	_, err := decoder.Token()
	return n, err
}

// object returns the members of an object. It returns an error if the object
// has any that are not known.
func (n node) object(known ...string) (map[string]node, error) {
	if n.kind != object {
		return nil, mistake("it must be an object")
	}
	members := make(map[string]node, len(n.members))
	for _, m := range n.members {
		if !slices.Contains(known, m.name) {
			return nil, mistake("there is no element %s; it may have %s", quote(m.name), strings.Join(known, ", "))
		}
		members[m.name] = m.value
	}
	return members, nil
}

// list returns the items of an array, or the value itself as the only item.
func (n node) list() []node {
	if n.kind == array {
		return n.items
	}
	return []node{n}
}

// text returns a string.
func (n node) text() (string, error) {
	if n.kind != text {
		return "", mistake("it must be a string")
	}
	return n.scalar, nil
}

// texts returns a string, or a list of them that is not empty.
func (n node) texts() ([]string, error) {
	return n.all("it must be a string or a list of strings", func(n node) bool { return n.kind == text })
}

// scalars is texts, but also takes numbers and booleans, as their text.
func (n node) scalars() ([]string, error) {
	return n.all("it must be a value or a list of values", func(n node) bool { return n.kind == text || n.kind == other })
}

func (n node) all(demand string, valid func(node) bool) ([]string, error) {
	items := n.list()
	if len(items) == 0 {
		return nil, mistake("the list is empty")
	}
	texts := make([]string, len(items))
	for i, item := range items {
		if !valid(item) {
			return nil, mistake("%s", demand)
		}
		texts[i] = item.scalar
	}
	return texts, nil
}
