package plan

import (
	"errors"
	"fmt"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/authorizer"
	"github.com/stagedoor/stagedoor/internal/expression"
	"github.com/stagedoor/stagedoor/internal/mapping"
	"github.com/stagedoor/stagedoor/internal/usage"
)

// Access is what a stage asks of those who connect, beside what its routes ask.
// The zero value asks nothing.
type Access struct {
	// Origins are the web pages that may connect; nil lets all.
	Origins *Origins
	// Signed is set where handshakes must be signed: $connect has the
	// authorization type AWS_IAM.
	Signed bool
	// Authorizer decides who may connect; nil lets everybody.
	Authorizer authorizer.Authorizer
	// Kind and Name are of the Authorizer, or of the signature: REQUEST, JWT or
	// AWS_IAM, and the name that the API has for it.
	Kind, Name string
	// KeepsKey is set where routes other than $connect need an API key. The
	// handshake's is kept for them.
	KeepsKey bool
	// Connections is how many connections of the API may be open; 0 stands for
	// the gateway's own limit.
	Connections int
	// MessageRate bounds each connection.
	MessageRate usage.Limit

	key *expression.Expression // where a handshake has its API key; nil: nowhere
}

// defaultKeySelection is where a handshake has its API key, unless the API
// names another place.
const defaultKeySelection = "$request.header.x-api-key"

// APIKey returns the API key of a handshake, "" where there is none. header
// returns the value of a header of the handshake, "" for one that is missing;
// usageIdentifier is the key that the authorizer returned.
func (a *Access) APIKey(header func(name string) string, usageIdentifier string) string {
	if a.key == nil {
		return ""
	}
	return string(a.key.Append(nil, expression.Input{
		RequestHeader: header, Context: func(string) string { return usageIdentifier },
	}))
}

// access adds what the API itself asks of clients to what its tags ask. With a
// setting that cannot be understood nobody may connect.
func (c *Compiler) access(a *Access, api *apigw.API, s *apigw.Stage) (problems []Defect) {
	source := api.ApiKeySelectionExpression
	if source == "" {
		source = defaultKeySelection
	}
	var err error
	if a.key, err = expression.ParseAt(expression.APIKeySelection, source); err != nil {
		problems = append(problems, Defect{"API keys", err.Error()})
	}
	for _, r := range api.Routes {
		if r.RouteKey == "$connect" {
			a.Signed = r.AuthorizationType == "AWS_IAM"
		} else if r.ApiKeyRequired {
			a.KeepsKey = true
		}
	}
	a.Kind, a.Name = decider(api)
	guard, err := c.authorizer(api, s)
	if err != nil {
		guard = authorizer.Broken(err)
		problems = append(problems, Defect{"authorization", err.Error()})
	}
	a.Authorizer = guard
	return problems
}

// decider returns the kind and the name of what decides who may connect; both are
// empty where nobody has to.
func decider(api *apigw.API) (kind, name string) {
	if _, tagged := api.Tags[authorizer.TagJWT]; tagged {
		kind = "JWT"
	}
	for _, r := range api.Routes {
		if r.RouteKey != "$connect" {
			continue
		}
		switch r.AuthorizationType {
		case "AWS_IAM", "JWT":
			kind = r.AuthorizationType
		}
		for _, a := range api.Authorizers {
			if a.AuthorizerId == r.AuthorizerId {
				return a.AuthorizerType, a.Name
			}
		}
	}
	return kind, ""
}

func (c *Compiler) authorizer(api *apigw.API, s *apigw.Stage) (authorizer.Authorizer, error) {
	if _, tagged := s.Tags[authorizer.TagJWT]; tagged {
		return nil, fmt.Errorf("the tag %s is one of APIs: it guards all stages", authorizer.TagJWT)
	}
	if c.Authorizers != nil {
		return c.Authorizers.Build(api, s)
	}
	wanted, err := new(authorizer.Builder).Build(api, s)
	if wanted != nil {
		return nil, errors.New("there are no authorizers here")
	}
	return nil, err
}

// required reads what the handshake must have for a $connect route; nil when
// that is nothing. Other routes have no parameters.
func required(r *apigw.Route) (*mapping.Required, error) {
	if r.RouteKey != "$connect" || len(r.RequestParameters) == 0 {
		return nil, nil
	}
	return mapping.CompileRequired(r.RequestParameters)
}

// misplaced returns an error for an authorization on a route other than
// $connect, where it would have no effect.
func misplaced(r *apigw.Route) error {
	if r.RouteKey != "$connect" && r.AuthorizationType != "" && r.AuthorizationType != "NONE" {
		return fmt.Errorf("authorization type %s: only $connect can have one", r.AuthorizationType)
	}
	return nil
}
