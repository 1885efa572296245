package apigw

import "time"

// Deployment is an immutable snapshot of an API. Stages point at one.
type Deployment struct {
	DeploymentId string
	API          *API   // the snapshot; never changed after creation
	Description  string `json:",omitempty"`
	AutoDeployed bool   `json:",omitempty"`
	CreatedDate  time.Time
}

// Stage is a named reference to a deployment, with variables and settings of
// its own. It is the first segment of the path that clients connect to.
type Stage struct {
	ApiId                string
	StageName            string
	DeploymentId         string
	AutoDeploy           *bool             `json:",omitempty"` // nil: never set, which means false; see AutoDeploys
	Description          string            `json:",omitempty"`
	ClientCertificateId  string            `json:",omitempty"`
	StageVariables       map[string]string `json:",omitempty"`
	Tags                 map[string]string `json:",omitempty"`
	DefaultRouteSettings *RouteSettings    `json:",omitempty"`
	RouteSettings        map[string]*RouteSettings
	AccessLogSettings    *AccessLogSettings `json:",omitempty"`
	CreatedDate          time.Time
	LastUpdatedDate      time.Time

	// AutomaticDeployments are the newest of those that AutoDeploy made for the
	// stage, oldest first: older ones are gone, and these go with the stage.
	AutomaticDeployments []string `json:",omitempty"`
}

// AutoDeploys reports whether every change of the API is deployed on the stage.
func (s *Stage) AutoDeploys() bool { return s.AutoDeploy != nil && *s.AutoDeploy }

// RouteSettings are throttling and logging of one route, or of all. A member
// that is nil or empty was not set.
type RouteSettings struct {
	DataTraceEnabled       *bool   `json:",omitempty"`
	DetailedMetricsEnabled *bool   `json:",omitempty"`
	LoggingLevel           string  `json:",omitempty"` // OFF, ERROR or INFO
	ThrottlingBurstLimit   int     `json:",omitempty"`
	ThrottlingRateLimit    float64 `json:",omitempty"`
}

// AccessLogSettings say where access logs go and what a line looks like.
type AccessLogSettings struct {
	DestinationArn string
	Format         string
}

// WarningDefaultStage is the warning for a stage that is named $default, as
// stages of HTTP APIs may be.
const WarningDefaultStage = "API Gateway may refuse a stage named $default for a WebSocket API; here clients connect at /$default"
