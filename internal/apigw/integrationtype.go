package apigw

// Integration types, as Integration.IntegrationType has them.
const (
	IntegrationAWS       = "AWS"
	IntegrationAWSProxy  = "AWS_PROXY"
	IntegrationHTTP      = "HTTP"
	IntegrationHTTPProxy = "HTTP_PROXY"
	IntegrationMock      = "MOCK"
)

// IntegrationType is what all integrations of one type have in common.
type IntegrationType struct {
	Name  string
	Calls IntegrationBackend
	// Proxy: events are sent as they are, and answers too; of the mappings only
	// request parameters count.
	Proxy bool
	// ResponseSelection is the expression that selects an integration response, as
	// the control plane shows it; "" for proxies.
	ResponseSelection string
}

// IntegrationBackend is what the integrations of a type call.
type IntegrationBackend int

// What integrations call.
const (
	NoBackend   IntegrationBackend = iota + 1 // nothing: the gateway answers itself
	AWSBackend                                // an AWS service, functions among them
	HTTPBackend                               // a URL, perhaps through a VPC link
)

const selectByStatus = "${integration.response.statuscode}"

// IntegrationTypes are all types that WebSocket APIs have.
var IntegrationTypes = []IntegrationType{
	{Name: IntegrationAWS, Calls: AWSBackend, ResponseSelection: "${integration.response.body.errorMessage}"},
	{Name: IntegrationAWSProxy, Calls: AWSBackend, Proxy: true},
	{Name: IntegrationHTTP, Calls: HTTPBackend, ResponseSelection: selectByStatus},
	{Name: IntegrationHTTPProxy, Calls: HTTPBackend, Proxy: true},
	{Name: IntegrationMock, Calls: NoBackend, ResponseSelection: selectByStatus},
}

// IntegrationTypeNames returns the names of all types.
func IntegrationTypeNames() []string {
	names := make([]string, len(IntegrationTypes))
	for i, t := range IntegrationTypes {
		names[i] = t.Name
	}
	return names
}

// IntegrationTypeOf returns the type of a name; found is false where there is none.
func IntegrationTypeOf(name string) (t IntegrationType, found bool) {
	for _, t := range IntegrationTypes {
		if t.Name == name {
			return t, true
		}
	}
	return IntegrationType{}, false
}

// Type returns what is true of the integration's type; the zero value where its
// IntegrationType is no type.
func (i *Integration) Type() IntegrationType {
	t, _ := IntegrationTypeOf(i.IntegrationType)
	return t
}
