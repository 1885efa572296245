package iampolicy

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxDocument is the size of the largest document, in bytes.
const MaxDocument = 20 << 10

// Kind is what a policy is attached to.
type Kind int

const (
	// Identity: the policy of a user, or of an authorizer's answer. It names no
	// principals.
	Identity Kind = iota
	// Resource: the policy of a resource. Its statements name principals.
	Resource
)

// ErrPolicy is wrapped by all errors of Parse: the document is not a valid
// policy.
var ErrPolicy = errors.New("malformed policy document")

// mistake is something wrong in the document.
func mistake(format string, values ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrPolicy}, values...)...)
}

// at puts the place before a mistake's text.
func at(place string, err error) error {
	text := strings.TrimPrefix(err.Error(), ErrPolicy.Error()+": ")
	separator := ": "
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "[") {
		separator = ""
	}
	return mistake("%s%s%s", place, separator, text)
}

func quote(text string) string {
	if len(text) > 100 {
		text = text[:100] + "…"
	}
	return fmt.Sprintf("%q", text)
}

// Parse reads a policy document. An error says where the mistake is.
func Parse(text []byte, kind Kind) (*Document, error) {
	if len(text) > MaxDocument {
		return nil, mistake("it is longer than %d bytes", MaxDocument)
	}
	if !utf8.Valid(text) {
		return nil, mistake("it is not UTF-8")
	}
	root, err := readJSON(text)
	if err != nil {
		return nil, err
	}
	p := parser{kind: kind, sids: make(map[string]bool)}
	if err := p.document(root); err != nil {
		return nil, err
	}
	return &p.Document, nil
}

// parser builds a Document.
type parser struct {
	Document
	kind   Kind
	syntax syntax
	sids   map[string]bool
}

func (p *parser) document(root node) error {
	members, err := root.object("Version", "Id", "Statement")
	if err != nil {
		return err
	}
	if version, ok := members["Version"]; ok {
		switch text, err := version.text(); {
		case err != nil:
			return at("Version", err)
		case text == "2012-10-17":
			p.syntax.variables = true
		case text != "2008-10-17":
			return mistake("Version: %s is neither 2012-10-17 nor 2008-10-17", quote(text))
		}
	}
	if id, ok := members["Id"]; ok {
		if p.id, err = id.text(); err != nil {
			return at("Id", err)
		}
	}
	list, ok := members["Statement"]
	if !ok {
		return mistake("it has no Statement")
	}
	items := list.list()
	if len(items) == 0 {
		return mistake("Statement: there is none")
	}
	for i, item := range items {
		s, err := p.statement(item)
		if err != nil {
			return at(fmt.Sprintf("Statement[%d]", i), err)
		}
		p.statements = append(p.statements, s)
	}
	return nil
}

func (p *parser) statement(n node) (statement, error) {
	members, err := n.object("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
	if err != nil {
		return statement{}, err
	}
	var s statement
	for _, step := range []func(*statement, map[string]node) error{
		p.sid, p.effect, p.principals, p.actions, p.resources, p.conditions,
	} {
		if err := step(&s, members); err != nil {
			return statement{}, err
		}
	}
	return s, nil
}

func (p *parser) sid(s *statement, members map[string]node) error {
	n, ok := members["Sid"]
	if !ok {
		return nil
	}
	var err error
	if s.sid, err = n.text(); err != nil {
		return at(".Sid", err)
	}
	if s.sid != "" && p.sids[s.sid] {
		return mistake(".Sid: %s is another statement's too", quote(s.sid))
	}
	p.sids[s.sid] = true
	return nil
}

func (p *parser) effect(s *statement, members map[string]node) error {
	n, ok := members["Effect"]
	if !ok {
		return mistake("it has no Effect")
	}
	switch text, err := n.text(); {
	case err != nil:
		return at(".Effect", err)
	case text == "Allow":
		s.effect = Allow
	case text == "Deny":
		s.effect = ExplicitDeny
	default:
		return mistake(".Effect: %s is neither Allow nor Deny", quote(text))
	}
	return nil
}

func (p *parser) actions(s *statement, members map[string]node) (err error) {
	s.actions, err = patterns(members, "Action", syntax{wildcards: true, lower: true}, func(text string) bool {
		service, action, found := strings.Cut(text, ":")
		return text == "*" || found && service != "" && action != ""
	})
	return err
}

func (p *parser) resources(s *statement, members map[string]node) (err error) {
	x := p.syntax
	x.wildcards = true
	s.resources, err = patterns(members, "Resource", x, func(text string) bool {
		return strings.HasPrefix(text, "arn:") || strings.HasPrefix(text, "*")
	})
	return err
}

// patterns reads an element that must be there either plain or negated.
func patterns(members map[string]node, name string, x syntax, valid func(string) bool) (list, error) {
	plain, hasPlain := members[name]
	negated, hasNegated := members["Not"+name]
	if hasPlain == hasNegated {
		return list{}, mistake("it must have either %s or Not%s", name, name)
	}
	l := list{negated: hasNegated}
	n := plain
	if hasNegated {
		n, name = negated, "Not"+name
	}
	texts, err := n.texts()
	if err != nil {
		return list{}, at("."+name, err)
	}
	for _, text := range texts {
		if !valid(text) {
			return list{}, mistake(".%s: %s is malformed", name, quote(text))
		}
		compiled, err := x.compile(text)
		if err != nil {
			return list{}, at("."+name, err)
		}
		l.patterns = append(l.patterns, compiled)
	}
	return l, nil
}

func (p *parser) conditions(s *statement, members map[string]node) error {
	block, ok := members["Condition"]
	if !ok {
		return nil
	}
	if block.kind != object {
		return mistake(".Condition: it must be an object")
	}
	for _, operator := range block.members {
		place := ".Condition." + operator.name
		if operator.value.kind != object {
			return mistake("%s: it must be an object", place)
		}
		for _, key := range operator.value.members {
			c, err := p.condition(operator.name, key.name, key.value)
			if err != nil {
				return at(place, err)
			}
			s.conditions = append(s.conditions, c)
		}
	}
	return nil
}

func (p *parser) condition(name, key string, values node) (condition, error) {
	c, o, err := newCondition(name, key)
	if err != nil {
		return condition{}, err
	}
	texts, err := values.scalars()
	if err != nil {
		return condition{}, at(key, err)
	}
	for _, text := range texts {
		t, err := o.compile(p.syntax, text)
		if err != nil {
			return condition{}, at(key, err)
		}
		c.tests = append(c.tests, t)
	}
	return c, nil
}
