package explain

import (
	"context"
	"encoding/json"

	"github.com/stagedoor/stagedoor/internal/authorizer"
	"github.com/stagedoor/stagedoor/internal/event"
	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/lambda"
	"github.com/stagedoor/stagedoor/internal/plan"
)

// principal is who an authorizer knows the client as, unless the context says otherwise.
const principal = "user"

// callAuthorizer has the function of an authorizer allow everything, with the context.
func (t *told) callAuthorizer(lambda.Invocation) (lambda.Result, error) {
	policy := struct {
		PrincipalID string            `json:"principalId"`
		Policy      any               `json:"policyDocument"`
		Context     map[string]string `json:"context"`
		Key         string            `json:"usageIdentifierKey,omitempty"`
	}{
		PrincipalID: principal, Context: map[string]string{},
		Policy: map[string]any{"Version": "2012-10-17", "Statement": []any{
			map[string]string{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"},
		}},
	}
	for _, entry := range t.context {
		switch entry.Name {
		case "principalId":
			policy.PrincipalID = entry.Value
		case "usageIdentifierKey":
			policy.Key = entry.Value
		default:
			policy.Context[entry.Name] = entry.Value
		}
	}
	payload, err := json.Marshal(policy)
	return lambda.Result{RequestID: invocationID, Payload: payload}, err
}

// trust has tokens be believed whose issuer would have to be asked for its keys. What is
// returned is set where that was done.
func (t *told) trust(stage *plan.Stage) *bool {
	trusted := new(bool)
	if stage.Access.Authorizer != nil {
		stage.Access.Authorizer = &trusting{stage.Access.Authorizer, t.context, trusted}
	}
	return trusted
}

// trusting is an authorizer that cannot ask anybody.
type trusting struct {
	authorizer.Authorizer
	context []event.Parameter
	trusted *bool
}

// Authorize implements authorizer.Authorizer.
func (a *trusting) Authorize(ctx context.Context, e authorizer.Event) (*authorizer.Grant, *failure.Error) {
	grant, refusal := a.Authorizer.Authorize(ctx, e)
	if refusal == nil || refusal.Kind != failure.Authorizer {
		return grant, refusal
	}
	*a.trusted = true
	grant = &authorizer.Grant{Principal: principal}
	for _, entry := range a.context {
		if entry.Name == "principalId" || entry.Name == "sub" {
			grant.Principal = entry.Value
		}
		if entry.Name != "principalId" {
			grant.Context = append(grant.Context, entry)
		}
	}
	return grant, nil
}
