package authorizer

import (
	"fmt"
	"strconv"
	"time"

	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/iampolicy"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// action is what a policy must allow on $connect's resource.
const action = "execute-api:Invoke"

// What clients see of a policy that does not let them in.
const (
	explicitDeny = "User is not authorized to access this resource with an explicit deny in an identity-based policy"
	noAllow      = "User is not authorized to access this resource because no identity-based policy allows the execute-api:Invoke action"
)

const (
	policyVersion = "2012-10-17"
	maxResource   = 512 // characters of each resource
)

// parsePolicy reads a function's policy.
func parsePolicy(policy *jsonvalue.Object) (*iampolicy.Document, error) {
	if version := get(policy, "Version"); version != policyVersion {
		return nil, fmt.Errorf("its Version is not %s", policyVersion)
	}
	if err := checkResources(get(policy, "Statement")); err != nil {
		return nil, err
	}
	return iampolicy.Parse(jsonvalue.Append(nil, policy), iampolicy.Identity)
}

// checkResources returns an error for a statement, or a list of them, with a
// resource that is too long.
func checkResources(statement any) error {
	switch statement := statement.(type) {
	case *jsonvalue.List:
		for _, one := range statement.Items {
			if err := checkResources(one); err != nil {
				return err
			}
		}
	case *jsonvalue.Object:
		resources := get(statement, "Resource")
		list, ok := resources.(*jsonvalue.List)
		if !ok {
			list = jsonvalue.NewList(resources)
		}
		for _, resource := range list.Items {
			if text, ok := resource.(string); ok && len(text) > maxResource {
				return fmt.Errorf("a Resource has more than %d characters", maxResource)
			}
		}
	}
	return nil
}

// evaluate returns nil where a policy allows the stage's $connect.
func (a *requestAuthorizer) evaluate(policy *iampolicy.Document, keys conditionKeys) *failure.Error {
	decision := iampolicy.Evaluate([]*iampolicy.Document{policy}, &iampolicy.Request{
		Action: action, Resource: a.methodARN, Context: keys,
	})
	switch decision.Effect {
	case iampolicy.Allow:
		return nil
	case iampolicy.ExplicitDeny:
		return denied(explicitDeny, "denies", a.methodARN)
	default:
		return denied(noAllow, "does not allow", a.methodARN)
	}
}

func denied(message, verb, methodARN string) *failure.Error {
	return &failure.Error{
		Kind: failure.Denied, Text: message,
		Reason: fmt.Sprintf("the authorizer's policy %s %s on %s", verb, action, methodARN),
	}
}

// conditionKeys are the keys that conditions of a policy can use.
type conditionKeys struct {
	event Event
	now   time.Time
}

// Values implements iampolicy.Context.
func (c conditionKeys) Values(key string) []string {
	switch key {
	case "aws:sourceip":
		return c.variable("identity.sourceIp")
	case "aws:useragent":
		return c.variable("identity.userAgent")
	case "aws:currenttime":
		return []string{c.now.UTC().Format(time.RFC3339)}
	case "aws:epochtime":
		return []string{strconv.FormatInt(c.now.Unix(), 10)}
	}
	return nil
}

func (c conditionKeys) variable(name string) []string {
	if text, ok := c.event.Variable(name).(string); ok {
		return []string{text}
	}
	return nil
}
