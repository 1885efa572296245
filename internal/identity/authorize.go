package identity

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/iampolicy"
)

// The actions of IAM that the gateway checks.
const (
	ActionInvoke            = "execute-api:Invoke"
	ActionManageConnections = "execute-api:ManageConnections"
)

// Circumstances are the condition keys of a request that do not come from its
// signer. An empty member is a key that the request does not have.
type Circumstances struct {
	SourceIP        string // aws:SourceIp: the client's address without a port
	SecureTransport bool   // aws:SecureTransport: it came over TLS
	UserAgent       string // aws:UserAgent
	Referer         string // aws:Referer
	// More are further keys, in lower case.
	More map[string][]string
}

// CircumstancesOf returns the circumstances of a request. The caller gives the
// client's address, because it depends on which proxies are trusted.
func CircumstancesOf(r *http.Request, sourceIP string) Circumstances {
	return Circumstances{SourceIP: sourceIP, SecureTransport: r.TLS != nil, UserAgent: r.UserAgent(), Referer: r.Referer()}
}

// Decision is whether an identity may do an action on a resource.
type Decision struct {
	iampolicy.Decision
	identity         *Identity
	action, resource string
}

// Err returns nil if it is allowed, else AWS's AccessDeniedException (section
// F.4).
func (d *Decision) Err() *apigw.Error {
	if d.Effect == iampolicy.Allow {
		return nil
	}
	reason := "because no identity-based policy allows the " + d.action + " action"
	if d.Effect == iampolicy.ExplicitDeny {
		reason = "with an explicit deny in an identity-based policy"
	}
	return apigw.AccessDenied("User: " + d.identity.ARN + " is not authorized to perform: " + d.action +
		" on resource: " + maskAccount(d.resource) + " " + reason)
}

// Authorize decides by an identity's policies whether it may do an action,
// such as ActionInvoke, on the resource with an ARN.
func (d *Directory) Authorize(id *Identity, action, resource string, c Circumstances) Decision {
	request := iampolicy.Request{
		Action: action, Resource: resource,
		Principal: iampolicy.Principal{Kind: "AWS", ID: id.ARN, Account: id.AccountID},
		Context:   &situation{id, c, d.region, d.now()},
	}
	return Decision{iampolicy.Evaluate(id.policies, &request), id, action, resource}
}

// Permission is what a request needs: the service that it is signed for, and
// an action of IAM on the resource with an ARN.
type Permission struct{ Service, Action, Resource string }

// Check authenticates a request, by its signature or by a bearer token, and
// decides whether its signer has a permission. A handshake has to be signed,
// because its Authorization header is the application's. The error is one of
// Authenticate's, or AWS's AccessDeniedException. The identity is nil only if the
// request could not be authenticated; a refused one is there for the audit log.
func (d *Directory) Check(r *http.Request, body []byte, p Permission, c Circumstances) (*Identity, *apigw.Error) {
	var id *Identity
	var err *apigw.Error
	if token, given := bearer(r); given && p.Action != ActionInvoke {
		id, err = d.authenticateToken(token)
	} else {
		id, err = d.Authenticate(r, body, p.Service)
	}
	if err != nil {
		return nil, err
	}
	decision := d.Authorize(id, p.Action, p.Resource, c)
	return id, decision.Err()
}

// ConnectPermission is what a handshake needs for a stage whose $connect has
// AWS_IAM.
func (d *Directory) ConnectPermission(apiID, stage string) Permission {
	return Permission{ServiceExecuteAPI, ActionInvoke, apigw.ExecuteARN(d.region, d.account, apiID, stage+"/$connect")}
}

// ManagePermission is what a request to a stage's @connections needs.
func (d *Directory) ManagePermission(apiID, stage, method string) Permission {
	return Permission{ServiceExecuteAPI, ActionManageConnections, ConnectionResource(d.region, d.account, apiID, stage, method)}
}

// ConnectionResource is the ARN of a stage's @connections for a method. It has
// no connection's id (section F.5).
func ConnectionResource(region, account, apiID, stage, method string) string {
	return apigw.ExecuteARN(region, account, apiID, stage+"/"+method+"/@connections/{connectionId}")
}

// ConnectionsOf is a pattern that matches the ARNs of all @connections of an
// API.
func ConnectionsOf(region, account, apiID string) string {
	return ConnectionResource(region, account, apiID, "*", "*")
}

// situation is an iampolicy.Context.
type situation struct {
	identity *Identity
	Circumstances
	region string
	now    time.Time
}

// Values implements iampolicy.Context.
func (s *situation) Values(key string) []string {
	switch key {
	case "aws:username":
		return []string{s.identity.User}
	case "aws:userid":
		return []string{s.identity.UserID}
	case "aws:principalarn":
		return []string{s.identity.ARN}
	case "aws:principalaccount":
		return []string{s.identity.AccountID}
	case "aws:principaltype":
		return []string{"User"}
	case "aws:requestedregion":
		return []string{s.region}
	case "aws:currenttime":
		return []string{s.now.UTC().Format(time.RFC3339)}
	case "aws:epochtime":
		return []string{strconv.FormatInt(s.now.Unix(), 10)}
	case "aws:securetransport":
		return []string{strconv.FormatBool(s.SecureTransport)}
	case "aws:sourceip":
		return present(s.SourceIP)
	case "aws:useragent":
		return present(s.UserAgent)
	case "aws:referer":
		return present(s.Referer)
	}
	return s.More[key]
}

func present(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// maskAccount hides the account of an ARN except for its last four digits, as
// AWS does in texts of refusals.
func maskAccount(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || len(parts[4]) <= 4 {
		return arn
	}
	account := parts[4]
	parts[4] = strings.Repeat("*", len(account)-4) + account[len(account)-4:]
	return strings.Join(parts, ":")
}
