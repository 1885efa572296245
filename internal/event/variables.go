package event

import (
	"iter"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/jsonvalue"
)

// Groups are the parts of $context whose variables have a name of two steps, such
// as identity.sourceIp.
var Groups = [...]string{"authenticate", "authorize", "authorizer", "error", "identity", "integration", "waf"}

// variables are all of $context, by their whole names: those that API Gateway
// documents for mapping templates and for access logs (sections E.1 and K.1), and
// those of its events. Each is worked out when somebody asks for it.
//
// A variable is worked out without memory of its own, but for the texts that are made
// of others.
var variables = map[string]Variable{
	"apiId":                func(e *Event) Value { return text(e.Connection.APIID) },
	"connectedAt":          func(e *Event) Value { return number(e.Connection.ConnectedAt) },
	"connectionId":         func(e *Event) Value { return text(e.Connection.ID) },
	"disconnectReason":     (*Event).disconnectReason,
	"disconnectStatusCode": (*Event).disconnectStatusCode,
	"domainName":           func(e *Event) Value { return text(e.Connection.DomainName) },
	"eventType":            func(e *Event) Value { return text(string(e.Type)) },
	"extendedRequestId":    (*Event).extendedRequestID,
	"integrationLatency":   (*Event).integrationLatency,
	"integrationStatus":    func(e *Event) Value { return number(int64(e.Integration.Status)) },
	"messageDirection":     func(*Event) Value { return text("IN") },
	"messageId":            func(e *Event) Value { return text(e.MessageID()) },
	"requestId":            func(e *Event) Value { return text(e.RequestID) },
	"requestTime":          func(e *Event) Value { return Value{Kind: Time, Number: e.Time.UnixMilli()} },
	"requestTimeEpoch":     func(e *Event) Value { return Value{Kind: Number, Number: e.Time.UnixMilli()} },
	"routeKey":             func(e *Event) Value { return text(e.RouteKey) },
	"stage":                func(e *Event) Value { return text(e.Connection.Stage) },
	"status":               (*Event).status,

	"authenticate.error":   none,
	"authenticate.latency": none,
	"authenticate.status":  none,

	"authorize.error":   none,
	"authorize.latency": none,
	"authorize.status":  none,

	// Beside these, all that an authorizer returned has a name in this group.
	"authorizer.error":              returned("error"),
	"authorizer.integrationLatency": (*Event).authorizerLatency,
	"authorizer.integrationStatus":  returned("integrationStatus"),
	"authorizer.latency":            unless(returned("latency"), (*Event).authorizerLatency),
	"authorizer.principalId":        returned("principalId"),
	"authorizer.requestId":          returned("requestId"),
	"authorizer.status":             returned("status"),

	"error.message":               (*Event).errorMessage,
	"error.messageString":         (*Event).errorMessageString,
	"error.responseType":          (*Event).errorResponseType,
	"error.validationErrorString": (*Event).validationError,

	"identity.accessKey":                     identity("accessKey"),
	"identity.accountId":                     identity("accountId"),
	"identity.apiKey":                        identity("apiKey"),
	"identity.apiKeyId":                      identity("apiKeyId"),
	"identity.caller":                        identity("caller"),
	"identity.cognitoAuthenticationProvider": none,
	"identity.cognitoAuthenticationType":     none,
	"identity.cognitoIdentityId":             none,
	"identity.cognitoIdentityPoolId":         none,
	"identity.principalOrgId":                none,
	"identity.sourceIp":                      func(e *Event) Value { return text(e.Connection.SourceIP) },
	"identity.user":                          identity("user"),
	"identity.userAgent":                     func(e *Event) Value { return text(e.Connection.UserAgent) },
	"identity.userArn":                       identity("userArn"),

	"integration.error":             func(e *Event) Value { return text(e.Integration.Error) },
	"integration.integrationStatus": func(e *Event) Value { return number(int64(e.Integration.Status)) },
	"integration.latency":           (*Event).integrationLatency,
	"integration.requestId":         func(e *Event) Value { return text(e.Integration.RequestID) },
	"integration.status":            func(e *Event) Value { return number(int64(e.Integration.Status)) },

	"waf.error":   none,
	"waf.latency": none,
	"waf.status":  none,
}

// Variable returns a $context variable by its whole name, such as "connectionId",
// "identity.sourceIp" or "authorizer.principalId": a string or an int64; nil when
// the event has none.
func (e *Event) Variable(name string) any {
	variable, found := Find(name)
	if !found {
		return nil
	}
	return variable(e).any()
}

// Find returns a variable by its whole name. It is false for a name that no event has.
// Of names in the group authorizer any may be one.
func Find(name string) (Variable, bool) {
	if variable, known := variables[name]; known {
		return variable, true
	}
	if property, ok := strings.CutPrefix(name, "authorizer."); ok && property != "" {
		return returned(property), true
	}
	return nil, false
}

// Variables goes through the whole names of the variables that every event may
// have, sorted.
func Variables() iter.Seq[string] {
	return func(yield func(string) bool) {
		names := make([]string, 0, len(variables))
		for name := range variables {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			if !yield(name) {
				return
			}
		}
	}
}

// none is a variable that API Gateway documents and this gateway never has.
func none(*Event) Value { return Value{} }

// status is what the event ended with, or will as far as is known.
func (e *Event) status() Value {
	switch {
	case e.Failed != nil:
		return number(int64(e.Failed.Status()))
	case e.Status != 0:
		return number(int64(e.Status))
	}
	return number(int64(e.Integration.Status))
}

func (e *Event) extendedRequestID() Value {
	if e.Type == ConnectionAPI {
		return text(e.messageID)
	}
	return text(e.RequestID)
}

func (e *Event) disconnectReason() Value {
	if e.Type != Disconnect {
		return Value{}
	}
	return Value{Kind: Text, Text: e.CloseReason}
}

func (e *Event) disconnectStatusCode() Value {
	if e.Type != Disconnect {
		return Value{}
	}
	return Value{Kind: Number, Number: int64(e.CloseCode)}
}

func (e *Event) integrationLatency() Value {
	if e.Integration.Status == 0 && e.Type != ConnectionAPI { // which has none, and 0 is what AWS says
		return Value{}
	}
	return Value{Kind: Number, Number: e.Integration.Latency.Milliseconds()}
}

// identity is what is known of the client beside its address and its program.
func identity(name string) Variable {
	return func(e *Event) Value {
		if e.Connection.Client == nil {
			return Value{}
		}
		for _, p := range e.Connection.Client.Identity {
			if p.Name == name {
				return text(p.Value)
			}
		}
		return Value{}
	}
}

// returned is what an authorizer returned under a name.
func returned(name string) Variable {
	return func(e *Event) Value { return e.returned(name) }
}

func (e *Event) returned(name string) Value {
	c := e.Connection.Client
	if c == nil {
		return Value{}
	}
	if name == "principalId" && c.PrincipalID != "" {
		return text(c.PrincipalID)
	}
	for _, p := range c.Context {
		if p.Name == name {
			return Value{Kind: Text, Text: p.Value}
		}
	}
	return Value{}
}

// unless is another variable where the first has no value.
func unless(first, other Variable) Variable {
	return func(e *Event) Value {
		if value := first(e); value.Kind != Nothing {
			return value
		}
		return other(e)
	}
}

// authorizerLatency is how long a Lambda authorizer took. Only $connect has it.
func (e *Event) authorizerLatency() Value {
	if c := e.Connection.Client; c != nil && c.Latency > 0 && e.Type == Connect {
		return Value{Kind: Number, Number: c.Latency.Milliseconds()}
	}
	return Value{}
}

func (e *Event) errorMessage() Value {
	if e.Failed == nil {
		return Value{}
	}
	return Value{Kind: Text, Text: e.Failed.Message()}
}

func (e *Event) errorMessageString() Value {
	if e.Failed == nil {
		return Value{}
	}
	return text(string(jsonvalue.AppendQuoted(nil, e.Failed.Message())))
}

func (e *Event) errorResponseType() Value {
	if e.Failed == nil {
		return Value{}
	}
	return text(e.Failed.ResponseType())
}

func (e *Event) validationError() Value {
	if e.Failed == nil || e.Failed.Kind != failure.Body {
		return Value{}
	}
	return Value{Kind: Text, Text: e.Failed.Reason}
}
