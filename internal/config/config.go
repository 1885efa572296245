// Package config reads the configuration of a gateway: a YAML file, read
// strictly and with all its mistakes told at once, variables of the
// environment, and flags. It knows what a value must look like and nothing of
// what is done with it; package server hands the values on.
//
// The keys are in keys.go, what their values look like in value.go, the walk
// through the file in decode.go.
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
	"github.com/stagedoor/stagedoor/internal/servertls"
	"github.com/stagedoor/stagedoor/internal/setting"
	"github.com/stagedoor/stagedoor/internal/shortfile"
	"github.com/stagedoor/stagedoor/internal/usage"
)

// Config is a configuration that was read, with defaults for what nobody set.
// docs/configuration.md says what each key means.
type Config struct {
	Region  string // in ARNs, host names and signatures
	Account string // 12 digits, in ARNs
	Node    int    // tells this gateway from others that share its configuration; NodeAuto: one that is free
	Data    string // the folder of the embedded store

	Listen []string // public addresses, host:port
	Admin  Admin
	TLS    TLS
	NATS   NATS
	Backup Backup

	Credentials []Credential

	APIEndpoint APIEndpoint // where clients reach an API

	Log      Log
	Proxies  Proxies
	Limits   Limits
	Timeouts Timeouts
	Shutdown Shutdown
	Health   Health
	Quotas   Quotas

	Backends  Backends
	Endpoints map[string]*url.URL                  // of AWS services, by their names
	VPCLinks  map[string]setting.Address           // of the targets of VPC links, by the links' ids or names
	Functions map[string]awsservice.InvokeEndpoint // by the functions' names or ARNs

	// APIs are those of the file itself; nil where it has no key apis.
	APIs *shortfile.File
}

// NodeAuto stands for a number that no other gateway of the NATS servers has. It is
// the default where there are such servers; a gateway alone is number 1.
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

// TLS is that of the public listeners. Without certificates they speak plain
// HTTP alone, otherwise both, unless plain HTTP is refused.
type TLS struct {
	Certificates []Certificate
	ACME         ACME
	Policy       servertls.Policy
	Required     bool
}

// Speaks tells whether there are certificates, or will be.
func (t *TLS) Speaks() bool { return len(t.Certificates) > 0 || len(t.ACME.Domains) > 0 }

// ACME says which certificates an authority gives by the ACME protocol, and
// which authority. Without domains there are none.
type ACME struct {
	Domains   []string // host names; one may be the word configured
	Email     string
	Directory string // URL; "" stands for Let's Encrypt
	CA        string // a PEM file of who vouches for the directory; "" for the system's
	KeyID     string // of an external account, with its MAC key
	MACKey    Secret
}

// acmeConfigured stands among the domains for the custom domain names of the
// control plane.
const acmeConfigured = "configured"

// Wanted gives the host names among the domains, and whether the custom domain names
// of the control plane get certificates as well.
func (a *ACME) Wanted() (names []string, configured bool) {
	names = slices.DeleteFunc(slices.Clone(a.Domains), func(name string) bool { return name == acmeConfigured })
	return names, len(names) < len(a.Domains)
}

// Certificate is a certificate with its chain, and its key: PEM files.
type Certificate struct{ Cert, Key string }

// Credential is an access key of the configuration.
type Credential struct {
	User        string
	AccessKeyID string
	Secret      Secret
	Policies    []string // IAM policy documents in JSON
	Expires     time.Time
}

// NATS are the servers that keep the configuration of the APIs. Without a URL
// it is kept in the folder Data.
type NATS struct {
	URL         string // of one server or more, commas between
	Credentials string // a file of credentials
	NKey        string // a file with the seed of an NKey
	User        string
	Password    Secret
	Token       Secret
	TLS         NATSTLS
	Bucket      string
	Replicas    int           // 0: as the bucket has them, 1 for a new one
	Timeout     time.Duration // of one call
}

// Backup are the automatic backups of the embedded store.
type Backup struct {
	Keep int    // how many there are; 0 for none
	Dir  string // "" stands for the folder "backups" in Data
}

// NATSTLS says whom the gateway trusts as a server, and who it is itself: PEM
// files, empty for the system's authorities and for no certificate.
type NATSTLS struct{ CA, Cert, Key string }

// Secret is where a secret stands: a variable of the environment, or a file. At
// most one is set.
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

// Log says what the gateway tells of itself on standard error.
type Log struct {
	Format  string // LogText or LogJSON
	Level   slog.Level
	Events  string        // EventsNone, EventsFailed or EventsAll
	Summary time.Duration // between two lines that count events; 0 for none
}

// Proxies are what stands between clients and the public port.
type Proxies struct {
	Trusted       forwarded.Networks // addresses and ranges that are believed
	ProxyProtocol bool               // connections of Trusted begin with a PROXY header
}

// Limits bound what clients may send and open.
type Limits struct {
	HeaderBytes int // of a request's line and header
	HeaderLines int
	URLBytes    int
	// Handshakes bound the connections that are no WebSockets, or not yet, in
	// total and from one source.
	Handshakes, HandshakesPerSource int

	// Requests are connects, messages and @connections calls; Connects are new
	// connections. A rate of nothing is no limit.
	Requests, Connects usage.Rate
	// Connections bound WebSockets that are open, in total, of one API and from
	// one source; 0 does not.
	Connections, ConnectionsPerAPI, ConnectionsPerSource int
	// Memory is what the gateway may take, in bytes; 0 leaves it to the control
	// group.
	Memory int
	// Each bound every connection whose API and stage have no tag for it.
	Each usage.ConnectionLimits
}

// Timeouts bound what a client may take.
type Timeouts struct {
	Header time.Duration // to send a request's header, the TLS handshake included
	Body   time.Duration // to send a request's body
	Write  time.Duration // to take an answer to a request
	Idle   time.Duration // between two HTTP requests on one connection
}

// Shutdown says how a gateway stops.
type Shutdown struct {
	Delay   time.Duration // between /readyz saying 503 and the end of accepting
	Timeout time.Duration // for connections to close and $disconnect to run
}

// Health says who is told of the gateway's health, beside the admin port.
type Health struct {
	Public bool // the public ports answer as well
}

// Backends say how HTTP integrations reach their backends.
type Backends struct {
	CA string // a PEM file of authorities to trust beside the system's
	// Connections bound the calls of one backend, and so its sockets; Waiting
	// those that wait for their turn.
	Connections, Waiting int
}

// Quotas are how many of a resource there may be; 0 stands for AWS's own.
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

// defaults are the values of what nobody set. getenv reads the environment.
func defaults(getenv func(string) string) *Config {
	return &Config{
		Region:   firstOf(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION"), "us-east-1"),
		Account:  "123456789012",
		Node:     NodeAuto,
		Data:     dataFolder(getenv),
		Listen:   []string{":8080"},
		Admin:    Admin{Listen: "127.0.0.1:8081"},
		NATS:     NATS{Bucket: "stagedoor", Timeout: 5 * time.Second},
		Backup:   Backup{Keep: 5},
		Log:      Log{Format: LogText, Level: slog.LevelInfo, Events: EventsFailed, Summary: time.Minute},
		Limits:   Limits{HeaderBytes: 32 << 10, HeaderLines: 128, URLBytes: 8 << 10, Handshakes: 16384, HandshakesPerSource: 1024, Requests: usage.AWSRequests, Connects: usage.AWSConnects, Each: usage.DefaultConnection},
		Timeouts: Timeouts{Header: 10 * time.Second, Body: 30 * time.Second, Write: 30 * time.Second, Idle: time.Minute},
		Shutdown: Shutdown{Timeout: 25 * time.Second},
		Backends: Backends{Connections: 1024, Waiting: 16384},
	}
}

// dataFolder is systemd's state folder, the system's for root, or else the
// user's.
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
