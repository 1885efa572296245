package iampolicy

import (
	"slices"
	"strings"
)

// principals are Principal or NotPrincipal.
type principals struct {
	everyone bool
	negated  bool
	ids      map[string][]string // by kind
}

// include reports whether a statement is about a principal.
func (p *principals) include(who Principal) bool {
	found := p.everyone || slices.ContainsFunc(p.ids[who.Kind], func(id string) bool {
		return id == who.ID || who.Kind == "AWS" && who.Account != "" && accountOf(id) == who.Account
	})
	return found != p.negated
}

// accountOf returns the account if a principal's id stands for a whole account,
// else "".
func accountOf(id string) string {
	if isAccount(id) {
		return id
	}
	parts := strings.Split(id, ":")
	if len(parts) == arnParts && parts[0] == "arn" && parts[2] == "iam" && parts[5] == "root" {
		return parts[4]
	}
	return ""
}

func isAccount(id string) bool {
	return len(id) == 12 && strings.Trim(id, "0123456789") == ""
}

func (p *parser) principals(s *statement, members map[string]node) error {
	plain, hasPlain := members["Principal"]
	negated, hasNegated := members["NotPrincipal"]
	switch {
	case p.kind == Identity && (hasPlain || hasNegated):
		return mistake("a policy of an identity has no Principal")
	case p.kind == Identity:
		return nil
	case hasPlain == hasNegated:
		return mistake("it must have either Principal or NotPrincipal")
	case hasNegated && s.effect == Allow:
		return mistake(".NotPrincipal: it can only deny")
	}
	n, place := plain, ".Principal"
	if hasNegated {
		n, place = negated, ".NotPrincipal"
	}
	s.principals = &principals{negated: hasNegated, ids: make(map[string][]string)}
	if n.kind == text {
		if n.scalar != "*" {
			return mistake("%s: %s is neither \"*\" nor an object", place, quote(n.scalar))
		}
		s.principals.everyone = true
		return nil
	}
	kinds, err := n.object("AWS", "Service", "Federated", "CanonicalUser")
	if err != nil {
		return at(place, err)
	}
	if len(kinds) == 0 {
		return mistake("%s: it is empty", place)
	}
	for kind, value := range kinds {
		if err := s.principals.add(kind, value, place); err != nil {
			return err
		}
	}
	return nil
}

// add takes the principals of a kind.
func (p *principals) add(kind string, value node, place string) error {
	place += "." + kind
	ids, err := value.texts()
	if err != nil {
		return at(place, err)
	}
	for _, id := range ids {
		switch {
		case kind == "AWS" && id == "*":
			p.everyone = true
		case strings.ContainsAny(id, "*?"):
			return mistake("%s: %s has a wildcard; only \"*\" as a whole may stand for everyone", place, quote(id))
		case kind == "AWS" && !isAccount(id) && !strings.HasPrefix(id, "arn:"):
			return mistake("%s: %s is neither an account nor an ARN", place, quote(id))
		}
	}
	p.ids[kind] = ids
	return nil
}
