// Package config reads the configuration of a gateway from a YAML file, variables
// of the environment, and flags. It reports all mistakes at once, and returns values
// that are ready for use: networks, URLs and policies are parsed here and nowhere
// else. Package server uses them.
//
// keys.go has the table of keys. value.go has the kinds of values, check.go what
// single values must look like, decode.go the walk through the file, validate.go
// what several keys must have in common.
package config

import (
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/forwarded"
	"github.com/stagedoor/stagedoor/internal/logsink"
	"github.com/stagedoor/stagedoor/internal/servertls"
	"github.com/stagedoor/stagedoor/internal/setting"
	"github.com/stagedoor/stagedoor/internal/shortfile"
	"github.com/stagedoor/stagedoor/internal/usage"
)

// Config is a whole configuration: what was set, and defaults for the rest.
// docs/configuration.md says what each key means.
type Config struct {
	Region  string // in ARNs, host names and signatures
	Account string // 12 digits, in ARNs
	Node    int    // the gateway's number among those that share its configuration, or NodeAuto
	Data    string // the folder of the embedded store

	Listen []string // public addresses, host:port
	Admin  Admin
	TLS    TLS
	NATS   NATS
	Backup Backup

	Credentials []Credential

	APIEndpoint APIEndpoint // where clients reach an API

	Log       Log
	Logs      Logs
	Metrics   Metrics
	Telemetry Telemetry
	Proxies   Proxies
	Limits    Limits
	Timeouts  Timeouts
	Shutdown  Shutdown
	Health    Health
	Quotas    Quotas

	Backends  Backends
	Endpoints map[string]*url.URL                  // of AWS services, by their names
	VPCLinks  map[string]setting.Address           // of the targets of VPC links, by the links' ids or names
	Functions map[string]awsservice.InvokeEndpoint // by the functions' names or ARNs

	// APIs are those of the file itself; nil where it has no key apis.
	APIs *shortfile.File
}

// NodeAuto has the gateway take a number that no other gateway of the same NATS
// servers has. It is the default where NATS servers are configured. Without them
// Load returns 1 in its place.
const NodeAuto = -1

// Admin is the listener of the control plane and of health checks.
type Admin struct {
	Listen string // host:port
	TLS    AdminTLS
}

// AdminTLS is the TLS of the admin listener: PEM files, all empty for plain
// HTTP. With ClientCA a client needs a certificate of that authority.
type AdminTLS struct {
	Certificate
	ClientCA string
	Policy   servertls.Policy
}

// TLS is the TLS of the public listeners. Without certificates they speak plain
// HTTP only; with certificates both HTTP and HTTPS, unless TLS is required.
type TLS struct {
	Certificates []Certificate
	ACME         ACME
	Policy       servertls.Policy
	Records      servertls.Records
	Required     bool
}

// Speaks reports whether the public listeners speak TLS: there are certificates, or
// will be by ACME.
func (t *TLS) Speaks() bool { return len(t.Certificates) > 0 || len(t.ACME.Domains) > 0 }

// ACME says for which names certificates are obtained by the ACME protocol, and
// from which authority. Without domains none are.
type ACME struct {
	Domains   []string // host names, and perhaps the word "configured"; see Wanted
	Email     string
	Directory string // URL; "" stands for Let's Encrypt
	CA        string // a PEM file of the authorities that the directory's certificate is checked against; "" stands for the system's
	KeyID     string // of an external account; its MAC key is MACKey
	MACKey    Secret
}

// acmeConfigured stands among the domains for all custom domain names of the
// control plane.
const acmeConfigured = "configured"

// Wanted returns the host names among the domains. configured is true where the
// custom domain names of the control plane get certificates as well.
func (a *ACME) Wanted() (names []string, configured bool) {
	names = slices.DeleteFunc(slices.Clone(a.Domains), func(name string) bool { return name == acmeConfigured })
	return names, len(names) < len(a.Domains)
}

// Certificate is a certificate with its chain, and its key: PEM files.
type Certificate struct{ Cert, Key string }

// Credential is an access key and what its holder may do.
type Credential struct {
	User        string
	AccessKeyID string
	Secret      Secret
	Policies    []string  // IAM policy documents in JSON
	Expires     time.Time // the zero time stands for never
}

// NATS says how to reach the servers that keep the configuration of the APIs.
// Without a URL it is kept in the folder Data.
type NATS struct {
	URL         string // of one server, or several with commas in between
	Credentials string // a file of credentials
	NKey        string // a file with the seed of an NKey
	User        string
	Password    Secret
	Token       Secret
	TLS         NATSTLS
	Bucket      string
	Replicas    int           // of the bucket; 0 leaves them as they are, or makes a new bucket with 1
	Timeout     time.Duration // of one call
}

// Backup are the automatic backups of the embedded store.
type Backup struct {
	Keep int    // how many are kept; 0 makes none
	Dir  string // "" stands for the folder "backups" in Data
}

// NATSTLS names PEM files: the authorities that NATS servers' certificates are
// checked against ("" stands for the system's), and the gateway's own certificate
// with its key ("" stands for none).
type NATSTLS struct{ CA, Cert, Key string }

// Secret says where a secret is found: in a variable of the environment, or in a
// file. At most one of them is set.
type Secret struct{ Env, File string }

// Formats of the log.
const (
	LogText = "text"
	LogJSON = "json"
)

// Which events of the data plane are logged.
const (
	EventsNone   = "none"
	EventsFailed = "failed"
	EventsAll    = "all"
)

// Log says what is logged on standard error, and how.
type Log struct {
	Format  string // LogText or LogJSON
	Level   slog.Level
	Events  string        // EventsNone, EventsFailed or EventsAll
	Summary time.Duration // between two lines with numbers of events; 0 stands for no such lines
}

// Logs say where access logs and execution logs go.
type Logs struct {
	Access    []logsink.Rule // the first that fits a DestinationArn
	Execution logsink.Place
}

// Metrics say who gets the numbers of what the gateway does.
type Metrics struct {
	Enabled bool
	Listen  string // host:port of a port of their own; "" stands for the admin port
	// Token is what those send who don't ask from this machine. Without one, nobody else
	// is answered.
	Token      Secret
	CloudWatch bool // those of stages and routes are sent to CloudWatch, too
}

// Telemetry says where OpenTelemetry's signals go, and which traces there are. What is not
// set is taken from the OTEL_* variables of the environment.
type Telemetry struct {
	OTLP OTLP
	// Ratio is the share of traces that are kept, from 0 to 1; nil where none is set.
	Ratio *float64
}

// OTLP is where signals go.
type OTLP struct {
	Endpoint *url.URL // nil: none is set
	Protocol string   // "http/protobuf", "http/json" or "grpc"; empty: none is set
	Headers  Secret   // name=value, with commas in between; of the environment
}

// Proxies are the proxies between clients and the public ports.
type Proxies struct {
	Trusted       forwarded.Networks // what they say about a client is believed
	ProxyProtocol bool               // connections from Trusted begin with a PROXY header
}

// Limits bound what clients may send and open.
type Limits struct {
	HeaderBytes int // of a request's first line and its header
	HeaderLines int
	URLBytes    int
	// Handshakes is how many connections may be open that are not WebSockets, or not
	// yet; HandshakesPerSource is how many of them one address may have.
	Handshakes, HandshakesPerSource int

	// Requests is the rate of connects, messages and @connections calls together,
	// Connects that of new connections. The zero rate is no limit.
	Requests, Connects usage.Rate
	// LikeAWS: limits.requests is the word aws. Then Connects are AWS's as well, where
	// nothing else is written.
	LikeAWS bool
	// Connections, ConnectionsPerAPI and ConnectionsPerSource are how many WebSockets
	// may be open: in total, of one API, and from one address. 0 is no limit.
	Connections, ConnectionsPerAPI, ConnectionsPerSource int
	// Memory is how much the gateway may use, in bytes; 0 stands for what its control
	// group allows.
	Memory int
	// Each are the limits of every connection. Tags of an API or a stage win over
	// them.
	Each usage.ConnectionLimits
}

// Timeouts bound how long a client may take.
type Timeouts struct {
	Header time.Duration // to send a request's header, the TLS handshake included
	Body   time.Duration // to send a request's body
	Write  time.Duration // to read the answer to a request
	Idle   time.Duration // between two HTTP requests on one connection
}

// Shutdown says how a gateway stops.
type Shutdown struct {
	Delay   time.Duration // for which new connections are still accepted while /readyz says 503
	Timeout time.Duration // for connections to close and $disconnect to run
}

// Health says where the gateway's health can be asked for. The admin port always
// answers.
type Health struct {
	Public bool // the public ports answer as well
}

// Backends say how HTTP integrations reach their backends.
type Backends struct {
	CA string // a PEM file of authorities to trust beside the system's
	// Connections is how many calls of one backend may be under way, each on a
	// socket of its own, and Waiting how many more may wait for their turn.
	Connections, Waiting int
}

// Quotas are how many there may be of each kind of resource; 0 stands for AWS's
// default.
type Quotas struct {
	APIs                 int // of the account
	Routes               int // of an API
	Integrations         int // of an API
	IntegrationResponses int // of an integration
	Models               int // of an API
	Authorizers          int // of an API
	Stages               int // of an API
	Deployments          int // of an API
	Tags                 int // of a resource
	StageVariables       int // of a stage
	DomainNames          int // of the account
	APIMappings          int // of a domain name
	VPCLinks             int // of the account
	APIKeys              int // of the account
	UsagePlans           int // of the account
}

// defaults returns the configuration of a gateway for which nothing is set. getenv
// returns a variable of the environment, "" for one that is missing.
func defaults(getenv func(string) string) *Config {
	return &Config{
		Region:  firstOf(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"), "us-east-1"),
		Account: "123456789012",
		Node:    NodeAuto,
		Data:    dataFolder(getenv),
		Listen:  []string{":8080"},
		Admin:   Admin{Listen: "127.0.0.1:8081"},
		NATS:    NATS{Bucket: "stagedoor", Timeout: 5 * time.Second},
		Backup:  Backup{Keep: 5},
		Log:     Log{Format: LogText, Level: slog.LevelInfo, Events: EventsFailed, Summary: time.Minute},
		Metrics: Metrics{Enabled: true},
		Limits: Limits{
			HeaderBytes: 32 << 10, HeaderLines: 128, URLBytes: 8 << 10,
			Handshakes: 16384, HandshakesPerSource: 1024,
			Each: usage.DefaultConnection,
		},
		Timeouts: Timeouts{Header: 10 * time.Second, Body: 30 * time.Second, Write: 30 * time.Second, Idle: time.Minute},
		Shutdown: Shutdown{Timeout: 25 * time.Second},
		Backends: Backends{Connections: 1024, Waiting: 16384},
	}
}

// dataFolder returns the folder of the embedded store: the state folder that systemd
// gives a service, /var/lib/stagedoor for root, or a folder of the user's.
func dataFolder(getenv func(string) string) string {
	if state := getenv("STATE_DIRECTORY"); state != "" {
		return filepath.SplitList(state)[0]
	}
	if os.Geteuid() == 0 {
		return "/var/lib/stagedoor"
	}
	if data := getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "stagedoor")
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".local", "share", "stagedoor")
	}
	return "stagedoor-data"
}

func firstOf(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
