package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// toJSON returns a YAML value as JSON, with its members in their order. A date becomes
// a string: the Version of an IAM policy is one.
func toJSON(n *yaml.Node) ([]byte, error) {
	w := &jsonWriter{}
	err := w.value(n, 0)
	return w.out, err
}

type jsonWriter struct {
	out   []byte
	nodes int
}

var errTooLarge = errors.New("the document is nested too deep or too large")

func (w *jsonWriter) value(n *yaml.Node, depth int) error {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if w.nodes++; depth > maxDepth || w.nodes > maxNodes {
		return errTooLarge
	}
	switch n.Kind {
	case yaml.MappingNode:
		return w.object(n, depth)
	case yaml.SequenceNode:
		return w.array(n, depth)
	default:
		return w.scalar(n)
	}
}

func (w *jsonWriter) object(n *yaml.Node, depth int) error {
	w.out = append(w.out, '{')
	for i := 0; i+1 < len(n.Content); i += 2 {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		if n.Content[i].Kind != yaml.ScalarNode {
			return fmt.Errorf("line %d: a key must be a word", n.Content[i].Line)
		}
		w.text(n.Content[i].Value)
		w.out = append(w.out, ':')
		if err := w.value(n.Content[i+1], depth+1); err != nil {
			return err
		}
	}
	w.out = append(w.out, '}')
	return nil
}

func (w *jsonWriter) array(n *yaml.Node, depth int) error {
	w.out = append(w.out, '[')
	for i, item := range n.Content {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		if err := w.value(item, depth+1); err != nil {
			return err
		}
	}
	w.out = append(w.out, ']')
	return nil
}

func (w *jsonWriter) scalar(n *yaml.Node) error {
	switch n.Tag {
	case "!!null":
		w.out = append(w.out, "null"...)
	case "!!bool":
		var b bool
		if err := n.Decode(&b); err != nil {
			return err
		}
		w.out = strconv.AppendBool(w.out, b)
	case "!!int", "!!float":
		if !json.Valid([]byte(n.Value)) { // 0x10, .5, .inf
			return fmt.Errorf("line %d: %s is not a number of JSON", n.Line, n.Value)
		}
		w.out = append(w.out, n.Value...)
	default:
		w.text(n.Value)
	}
	return nil
}

func (w *jsonWriter) text(s string) {
	text, _ := json.Marshal(s) // strings always marshal
	w.out = append(w.out, text...)
}
