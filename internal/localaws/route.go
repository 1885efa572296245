package localaws

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// hostName returns the host of host[:port] in lower case, without a final dot.
func hostName(hostport string) string {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// regionalName returns the part of host before AWS's domain: "id.execute-api"
// of id.execute-api.eu-west-1.amazonaws.com.
func regionalName(host string) (string, bool) {
	for _, domain := range []string{".amazonaws.com", ".amazonaws.com.cn", ".api.aws"} {
		if rest, ok := strings.CutSuffix(host, domain); ok {
			if dot := strings.LastIndexByte(rest, '.'); dot > 0 {
				return rest[:dot], true
			}
		}
	}
	return "", false
}

func isExecuteAPI(host string) bool {
	name, ok := regionalName(host)
	return ok && strings.HasSuffix(name, ".execute-api")
}

// isDynamoDB reports whether a host is one of DynamoDB's: a regional one, or
// one that SDKs make from the account,
// 123456789012.ddb.eu-west-1.amazonaws.com.
func isDynamoDB(host string) bool {
	name, ok := regionalName(host)
	return ok && (name == "dynamodb" || name == "dynamodb-fips" || strings.HasSuffix(name, ".ddb") && strings.Count(name, ".") == 1)
}

// hostHandler returns the handler of a host that is served here, nil for any
// other host.
func (e *Endpoint) hostHandler(host string) http.Handler {
	switch {
	case isExecuteAPI(host), e.options.GatewayHost != nil && e.options.GatewayHost(host):
		return e.options.Gateway
	case isDynamoDB(host) && e.options.DynamoDB != nil:
		return e.options.DynamoDB
	}
	return nil
}

func (e *Endpoint) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodConnect {
		e.connect(w, r)
		return
	}
	proxied := r.URL.IsAbs()
	handler := e.hostHandler(hostName(r.Host))
	if handler == nil && !proxied && strings.HasPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_") {
		handler = e.options.DynamoDB
	}
	switch {
	case handler != nil && proxied:
		handler.ServeHTTP(w, originForm(r))
	case handler != nil:
		handler.ServeHTTP(w, r)
	case proxied:
		e.forwards.Add(1)
		defer e.forwards.Done()
		e.forward.ServeHTTP(w, r)
	default:
		e.notServed(w, r)
	}
}

// originForm turns a request that a proxy got into the one that the server of
// its host would have got.
func originForm(r *http.Request) *http.Request {
	direct := *r
	direct.RequestURI = r.URL.RequestURI()
	direct.URL = new(url.URL)
	*direct.URL = *r.URL
	direct.URL.Scheme, direct.URL.Host, direct.URL.User = "", "", nil
	direct.Header = r.Header.Clone()
	direct.Header.Del("Proxy-Connection")
	direct.Header.Del("Proxy-Authorization")
	return &direct
}

func (e *Endpoint) notServed(w http.ResponseWriter, r *http.Request) {
	message := fmt.Sprintf("No local service answers for host %q. Served here: {apiId}.execute-api.{region}.amazonaws.com and custom domain names", r.Host)
	if e.options.DynamoDB != nil {
		message += ", and DynamoDB."
	} else {
		message += "; calls to DynamoDB are configured to go to another endpoint."
	}
	writeMessage(w, http.StatusNotFound, message)
}

func writeMessage(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A failed write means that the client has gone.
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message})
}
