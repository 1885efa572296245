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
// A variable is a string or an int64, and nil where the event has none.
var variables = map[string]func(*Event) any{
	"apiId":                func(e *Event) any { return e.Connection.APIID },
	"connectedAt":          func(e *Event) any { return e.Connection.ConnectedAt },
	"connectionId":         func(e *Event) any { return e.Connection.ID },
	"disconnectReason":     (*Event).disconnectReason,
	"disconnectStatusCode": (*Event).disconnectStatusCode,
	"domainName":           func(e *Event) any { return e.Connection.DomainName },
	"eventType":            func(e *Event) any { return string(e.Type) },
	"extendedRequestId":    func(e *Event) any { return e.RequestID },
	"integrationLatency":   (*Event).integrationLatency,
	"integrationStatus":    func(e *Event) any { return number(e.Integration.Status) },
	"messageDirection":     func(*Event) any { return "IN" },
	"messageId":            func(e *Event) any { return present(e.MessageID()) },
	"requestId":            func(e *Event) any { return e.RequestID },
	"requestTime":          func(e *Event) any { return e.Time.UTC().Format(requestTimeFormat) },
	"requestTimeEpoch":     func(e *Event) any { return e.Time.UnixMilli() },
	"routeKey":             func(e *Event) any { return present(e.RouteKey) },
	"stage":                func(e *Event) any { return e.Connection.Stage },
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
	"identity.sourceIp":                      func(e *Event) any { return e.Connection.SourceIP },
	"identity.user":                          identity("user"),
	"identity.userAgent":                     func(e *Event) any { return present(e.Connection.UserAgent) },
	"identity.userArn":                       identity("userArn"),

	"integration.error":             func(e *Event) any { return present(e.Integration.Error) },
	"integration.integrationStatus": func(e *Event) any { return number(e.Integration.Status) },
	"integration.latency":           (*Event).integrationLatency,
	"integration.requestId":         func(e *Event) any { return present(e.Integration.RequestID) },
	"integration.status":            func(e *Event) any { return number(e.Integration.Status) },

	"waf.error":   none,
	"waf.latency": none,
	"waf.status":  none,
}

// Variable returns a $context variable by its whole name, such as "connectionId",
// "identity.sourceIp" or "authorizer.principalId": a string or an int64; nil when
// the event has none.
func (e *Event) Variable(name string) any {
	if value, known := variables[name]; known {
		return value(e)
	}
	if property, ok := strings.CutPrefix(name, "authorizer."); ok {
		return e.returned(property)
	}
	return nil
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
func none(*Event) any { return nil }

// present is a text, or nil where there is none.
func present(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// number is a figure, or nil where there is none.
func number(n int) any {
	if n == 0 {
		return nil
	}
	return int64(n)
}

// status is what the event ended with, or will as far as is known.
func (e *Event) status() any {
	switch {
	case e.Failed != nil:
		return int64(e.Failed.Status())
	case e.Status != 0:
		return int64(e.Status)
	}
	return number(e.Integration.Status)
}

func (e *Event) disconnectReason() any {
	if e.Type != Disconnect {
		return nil
	}
	return e.CloseReason
}

func (e *Event) disconnectStatusCode() any {
	if e.Type != Disconnect {
		return nil
	}
	return int64(e.CloseCode)
}

func (e *Event) integrationLatency() any {
	if e.Integration.Status == 0 {
		return nil
	}
	return e.Integration.Latency.Milliseconds()
}

// identity is what is known of the client beside its address and its program.
func identity(name string) func(*Event) any {
	return func(e *Event) any {
		if e.Connection.Client == nil {
			return nil
		}
		for _, p := range e.Connection.Client.Identity {
			if p.Name == name {
				return present(p.Value)
			}
		}
		return nil
	}
}

// returned is what an authorizer returned under a name.
func returned(name string) func(*Event) any {
	return func(e *Event) any { return e.returned(name) }
}

func (e *Event) returned(name string) any {
	for n, value := range e.Authorizer() {
		if n == name {
			return value
		}
	}
	return nil
}

// unless is another variable where the first has no value.
func unless(first, other func(*Event) any) func(*Event) any {
	return func(e *Event) any {
		if value := first(e); value != nil {
			return value
		}
		return other(e)
	}
}

// authorizerLatency is how long a Lambda authorizer took. Only $connect has it.
func (e *Event) authorizerLatency() any {
	if c := e.Connection.Client; c != nil && c.Latency > 0 && e.Type == Connect {
		return c.Latency.Milliseconds()
	}
	return nil
}

func (e *Event) errorMessage() any {
	if e.Failed == nil {
		return nil
	}
	return e.Failed.Message()
}

func (e *Event) errorMessageString() any {
	if e.Failed == nil {
		return nil
	}
	return string(jsonvalue.AppendQuoted(nil, e.Failed.Message()))
}

func (e *Event) errorResponseType() any {
	if e.Failed == nil {
		return nil
	}
	return e.Failed.ResponseType()
}

func (e *Event) validationError() any {
	if e.Failed == nil || e.Failed.Kind != failure.Body {
		return nil
	}
	return e.Failed.Reason
}
