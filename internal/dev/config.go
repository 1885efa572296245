package dev

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/backends"
	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/setting"
	"github.com/stagedoor/stagedoor/internal/usage"
)

// ConnectionLimits bound each connection.
type ConnectionLimits = usage.ConnectionLimits

// Config says what Run runs. The zero value, with a Template, works.
type Config struct {
	// Template is a SAM or CloudFormation template, a stagedoor.yaml with apis in
	// it, or the folder that holds one of them as template.yaml, template.yml,
	// template.json or stagedoor.yaml. Or it is the URL of an HTTP backend that
	// gets every event.
	Template string
	// Listen is the public address, host:port, of WebSocket connections and
	// @connections; "" stands for 127.0.0.1:8080. Port 0 picks a free one.
	Listen string
	// Admin is the address of health checks and the Lambda Invoke API; ""
	// stands for 127.0.0.1:8081.
	Admin string
	// Parameters are values for the template's Parameters.
	Parameters map[string]string
	// Imports are values of Fn::ImportValue, by the names of the exports.
	Imports map[string]string
	// Endpoints are URLs of AWS services, by the service's name as in
	// AWS_ENDPOINT_URL_{SERVICE}, for functions and integrations to use instead
	// of AWS. One for "dynamodb" takes the place of the built-in DynamoDB; one
	// for "lambda" is called for functions that the template does not define.
	Endpoints map[string]string
	// FunctionEndpoints are URLs at which functions are called by Lambda's
	// Invoke operation, by the function's name or its logical id in the template.
	// Functions that the template does not define may be among them. With the
	// operation's whole path in the URL, the name there is called.
	FunctionEndpoints map[string]string
	// Handlers are functions that are Go code of this process, by the function's
	// name or its logical id in the template.
	Handlers backends.Handlers
	// VPCLinks are addresses, host:port or URL, of the load balancers behind VPC
	// links, by the link's id. HTTP integrations through a link connect there,
	// whatever host their URI names.
	VPCLinks map[string]string
	// CAFile holds certificates, in PEM, of authorities that HTTP backends are
	// trusted by beside the system's.
	CAFile string
	// Hosts are names by which the ports are reached, beside addresses, localhost
	// and custom domains. Requests to @connections and the Invoke API by other
	// names are refused: a web page may have sent them.
	Hosts []string
	// Region and AccountID appear in ARNs; "" stands for AWS_REGION, else
	// us-east-1, and for 123456789012.
	Region, AccountID string
	// Limits changes what bounds each connection where no tag of its API or stage
	// does. It is handed the limits of a stagedoor.yaml, or else AWS's with a ping
	// every 30 seconds. Nil changes nothing.
	Limits func(*ConnectionLimits)
	// CacheDir holds built functions, SDKs and the local certificate
	// authority; "" stands for "stagedoor" in the user's cache folder.
	CacheDir string
	// AccessLog takes the access logs of all stages, a line in each call, which must not
	// wait. Nil takes none.
	AccessLog io.Writer
	// ExecutionLog takes the execution logs of all stages in the same way; nil drops them.
	ExecutionLog io.Writer
	// Reporter is told what happens. Nil is told nothing.
	Reporter Reporter

	limits      ConnectionLimits                     // before Limits changes them
	endpoints   map[string]*url.URL                  // those of a stagedoor.yaml, and Endpoints
	functions   map[string]awsservice.InvokeEndpoint // FunctionEndpoints
	links       map[string]setting.Address           // VPCLinks
	authorities *x509.CertPool                       // with those of CAFile; nil: the system's
}

// pretendedAccount stands in ARNs where no account is given. Nothing at AWS
// belongs to it.
const pretendedAccount = "123456789012"

// with fills in what a stagedoor.yaml says beside its APIs, as far as it means
// something here. What is set already stays. file is nil for other sources.
func (c Config) with(file *config.Config) Config {
	c.limits = usage.DefaultConnection
	if file == nil {
		return c
	}
	c.limits = file.Limits.Each
	c.Region = cmp.Or(c.Region, file.Region)
	c.AccountID = cmp.Or(c.AccountID, file.Account)
	c.CAFile = cmp.Or(c.CAFile, file.Backends.CA)
	c.endpoints = file.Endpoints
	return c
}

// withDefaults fills in what is empty and checks the rest.
func (c Config) withDefaults() (Config, error) {
	if c.Listen == "" {
		c.Listen = "127.0.0.1:8080"
	}
	if c.Admin == "" {
		c.Admin = "127.0.0.1:8081"
	}
	if c.Region == "" {
		c.Region = firstOf(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"), "us-east-1")
	}
	if c.AccountID == "" {
		c.AccountID = pretendedAccount
	}
	if c.CacheDir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			base = os.TempDir()
		}
		c.CacheDir = filepath.Join(base, "stagedoor")
	}
	if c.Reporter == nil {
		c.Reporter = noReporter{}
	}
	var err error
	if c.authorities, err = backends.Authorities(c.CAFile); err != nil {
		return c, err
	}
	return c.withEndpoints()
}

// withEndpoints reads the URLs and addresses.
func (c Config) withEndpoints() (Config, error) {
	given := c.endpoints
	c.endpoints = make(map[string]*url.URL, len(given)+len(c.Endpoints))
	maps.Copy(c.endpoints, given)
	for _, service := range slices.Sorted(maps.Keys(c.Endpoints)) {
		endpoint, err := awsservice.ParseEndpoint(c.Endpoints[service])
		if err != nil {
			return c, fmt.Errorf("the endpoint of %s: %w", service, err)
		}
		c.endpoints[service] = endpoint
	}
	c.functions = make(map[string]awsservice.InvokeEndpoint, len(c.FunctionEndpoints))
	for _, name := range slices.Sorted(maps.Keys(c.FunctionEndpoints)) {
		endpoint, err := awsservice.ParseInvokeEndpoint(c.FunctionEndpoints[name])
		if err != nil {
			return c, fmt.Errorf("the endpoint of function %s: %w", name, err)
		}
		c.functions[name] = endpoint
	}
	c.links = make(map[string]setting.Address, len(c.VPCLinks))
	for _, id := range slices.Sorted(maps.Keys(c.VPCLinks)) {
		address, err := setting.ParseAddress(c.VPCLinks[id])
		if err != nil {
			return c, fmt.Errorf("VPC link %s: %w", id, err)
		}
		c.links[id] = address
	}
	return c, nil
}

// endpointVariable is the environment variable by which the AWS SDKs find the
// endpoint of a service.
func endpointVariable(service string) string {
	return "AWS_ENDPOINT_URL_" + strings.ToUpper(strings.NewReplacer("-", "_", " ", "_").Replace(service))
}

// dynamoDBElsewhere reports whether the functions are to use a DynamoDB that is
// not the built-in one.
func (c Config) dynamoDBElsewhere() bool {
	return c.endpoints["dynamodb"] != nil || os.Getenv("AWS_ENDPOINT_URL") != "" || os.Getenv(endpointVariable("dynamodb")) != ""
}

func firstOf(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
