// Package iampolicy parses and evaluates IAM policy documents: whether the
// policies of a user, or of an authorizer's answer, allow an action on a
// resource. A document is parsed once, strictly, and evaluated often.
//
// The language is that of AWS's IAM guide, versions 2012-10-17 and 2008-10-17.
// The package does not depend on any service: actions, resources and condition
// keys are the caller's.
package iampolicy

import (
	"slices"
	"strings"
)

// Effect is the outcome of an evaluation. The zero value does not allow
// anything.
type Effect int

// The outcomes.
const (
	// ImplicitDeny: no statement allows it.
	ImplicitDeny Effect = iota
	// Allow: a statement allows it, and none denies it.
	Allow
	// ExplicitDeny: a statement denies it, whatever others allow.
	ExplicitDeny
)

func (e Effect) String() string {
	switch e {
	case Allow:
		return "allow"
	case ExplicitDeny:
		return "explicit deny"
	default:
		return "implicit deny"
	}
}

// Context has the values of condition keys and policy variables.
type Context interface {
	// Values returns the values of a key, whose name is in lower case, such as
	// "aws:sourceip". It returns none for a key that the request does not have.
	Values(key string) []string
}

// Principal is who makes a request, for policies of resources.
type Principal struct {
	// Kind is "AWS", "Service", "Federated" or "CanonicalUser"; "" stands for
	// an anonymous caller.
	Kind string
	// ID is the ARN of an AWS principal, or the name of another one.
	ID string
	// Account is the account id of an AWS principal.
	Account string
}

// Request is what is to be decided.
type Request struct {
	Action   string
	Resource string
	// Principal matters to policies of resources only.
	Principal Principal
	// Context may be nil: the request has no keys then.
	Context Context
}

// values returns the values of a condition key, without empty ones.
func (r *Request) values(key string) []string {
	if r.Context == nil {
		return nil
	}
	values := r.Context.Values(key)
	if slices.Contains(values, "") {
		values = slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
	}
	return values
}

// Decision is an outcome, and the statement that led to it.
type Decision struct {
	Effect Effect
	// Document is the index of the document that allowed or denied, and
	// Statement that of its statement; both are -1 where none did.
	Document, Statement int
	// Sid is the statement's, if it has one.
	Sid string
}

// MaxSubject is the length of the longest action, resource or value of a
// condition key that is compared, in bytes. A request with a longer one is
// never allowed.
const MaxSubject = 8 << 10

// Evaluate decides a request by documents of one kind. The first statement that
// denies it decides, else the first that allows it; else it is not allowed.
func Evaluate(documents []*Document, r *Request) Decision {
	decision := Decision{Effect: ImplicitDeny, Document: -1, Statement: -1}
	if len(r.Action) > MaxSubject || len(r.Resource) > MaxSubject {
		return decision
	}
	e := evaluation{Request: r, action: strings.ToLower(r.Action)}
	for d, document := range documents {
		for i := range document.statements {
			s := &document.statements[i]
			if decision.Effect == Allow && s.effect == Allow || !s.applies(&e) {
				continue
			}
			decision = Decision{s.effect, d, i, s.sid}
			if s.effect == ExplicitDeny {
				return decision
			}
		}
	}
	return decision
}

// evaluation is a request on its way through the statements.
type evaluation struct {
	*Request
	action string // in lower case
}

// Document is a parsed policy. It is immutable.
type Document struct {
	id         string
	statements []statement
}

// ID is the document's Id element, "" without one.
func (d *Document) ID() string { return d.id }

// statement is one rule. Elements that the document does not have are empty.
type statement struct {
	sid        string
	effect     Effect // Allow or ExplicitDeny
	principals *principals
	actions    list // patterns in lower case
	resources  list
	conditions []condition
}

// list is Action or NotAction, Resource or NotResource.
type list struct {
	patterns []pattern
	negated  bool
}

// applies reports whether a statement applies to the request.
func (s *statement) applies(e *evaluation) bool {
	if s.principals != nil && !s.principals.include(e.Principal) ||
		!s.actions.include(e, e.action, s.effect) || !s.resources.include(e, e.Resource, s.effect) {
		return false
	}
	for i := range s.conditions {
		if !s.conditions[i].holds(e, s.effect) {
			return false
		}
	}
	return true
}

// include reports whether the subject is in the list. A variable without a
// value never makes more allowed: in a negated list, a statement that allows
// doesn't apply because of it, and one that denies does.
func (l *list) include(e *evaluation, subject string, effect Effect) bool {
	unresolved := false
	for i := range l.patterns {
		switch l.patterns[i].matches(e, subject) {
		case matched:
			return !l.negated
		case noValue:
			unresolved = true
		case different, unusable:
		}
	}
	return l.negated && (!unresolved || effect == ExplicitDeny)
}
