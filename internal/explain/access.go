package explain

import (
	"maps"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/gateway"
	"github.com/stagedoor/stagedoor/internal/plan"
	"github.com/stagedoor/stagedoor/internal/trace"
)

// access says what the stage asks of the client, in the order in which it is asked, and
// how far that came. trusted is set where a token was believed.
func (x *Explanation) access(steps []trace.Step, trusted bool, v *gateway.Verdict) {
	if x.input.Connect {
		x.origin(v)
		x.authorization(steps, trusted)
	}
	if x.route() != nil && x.route().KeyRequired {
		x.Access = append(x.Access, keyCheck(steps))
	}
	if x.input.Connect {
		x.parameters(v)
	}
	if len(x.input.Context) > 0 && x.stage.Access.Authorizer == nil {
		x.Notes = append(x.Notes, "The stage has no authorizer; --context is what one would return.")
	}
}

// route returns the compiled route of the event, nil where there is none.
func (x *Explanation) route() *plan.Route { return x.stage.Route(x.Route.Key) }

func (x *Explanation) origin(v *gateway.Verdict) {
	if x.stage.Access.Origins == nil {
		return
	}
	var lines []string
	for _, f := range x.input.Header {
		if strings.EqualFold(f.Name, "Origin") {
			lines = append(lines, f.Value)
		}
	}
	c := Check{Kind: "origin", Needs: x.originTag(), Passed: new(x.stage.Access.Origins.Allows(lines))}
	if !*c.Passed && v.Failed != nil {
		c.Error = v.Failed.Reason
	}
	x.Access = append(x.Access, c)
}

// originTag is the tag that says which origins may connect.
func (x *Explanation) originTag() string {
	if value, own := x.subject.Stage.Tags[plan.OriginsTag]; own {
		return value
	}
	return x.subject.API.Tags[plan.OriginsTag]
}

func (x *Explanation) authorization(steps []trace.Step, trusted bool) {
	access := &x.stage.Access
	switch {
	case access.Authorizer != nil:
		c := Check{Kind: "authorizer", Needs: access.Kind, Name: access.Name}
		for _, step := range steps {
			if step, is := step.(trace.Access); is {
				c.Passed, c.Who, c.Error = new(step.Error == ""), step.Identity, step.Error
			}
		}
		switch {
		case trusted:
			c.Note = "the token is taken as valid: its issuer is not asked"
		case c.Passed != nil && *c.Passed:
			c.Note = "the function is taken to allow it"
		}
		x.Access = append(x.Access, c)
	case access.Signed:
		x.Access = append(x.Access, Check{
			Kind: "signature", Needs: "AWS_IAM", Passed: new(true), Note: "the handshake is taken as signed by who may connect",
		})
	}
}

// keyCheck is the check of the API key.
func keyCheck(steps []trace.Step) Check {
	c := Check{Kind: "apiKey", Needs: "an API key"}
	for _, step := range steps {
		if step, is := step.(trace.Key); is {
			c.Passed, c.Name, c.Error = new(step.Error == ""), step.ID, step.Error
		}
	}
	return c
}

// parameters are those that the handshake must have.
func (x *Explanation) parameters(v *gateway.Verdict) {
	r := x.subject.route("$connect")
	if r == nil {
		return
	}
	var needed []string
	for _, name := range slices.Sorted(maps.Keys(r.RequestParameters)) {
		if r.RequestParameters[name].Required {
			needed = append(needed, strings.TrimPrefix(name, "route.request."))
		}
	}
	if needed == nil {
		return
	}
	c := Check{Kind: "parameters", Needs: strings.Join(needed, ", ")}
	switch {
	case v.Failed != nil && v.Failed.Kind == failure.Parameters:
		c.Passed, c.Error = new(false), "missing: "+v.Failed.Reason
	case v.Failed == nil || !v.Failed.IsRefusal():
		c.Passed = new(true)
	}
	x.Access = append(x.Access, c)
}
