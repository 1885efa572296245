package config

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/iampolicy"
	"github.com/stagedoor/stagedoor/internal/identity"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
	"github.com/stagedoor/stagedoor/internal/setting"
)

var (
	region   = lazyregexp.New(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)
	account  = lazyregexp.New(`^[0-9]{12}$`)
	service  = lazyregexp.New(`^[a-z][a-z0-9.-]*$`)
	link     = lazyregexp.New(`^[A-Za-z0-9_-]+$`)
	bucket   = lazyregexp.New(`^[A-Za-z0-9_-]+$`)
	variable = lazyregexp.New(`^[A-Za-z_][A-Za-z0-9_]*$`)
	email    = lazyregexp.New(`^[^@\s]+@[^@\s]+$`)
	app      = lazyregexp.New(`^[!-~]{1,48}$`)
	host     = lazyregexp.New(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

func checkRegion(text string) error {
	if !region.MatchString(text) {
		return fmt.Errorf("%q is not the name of a region, such as eu-central-1", text)
	}
	return nil
}

func checkAccount(text string) error {
	if !account.MatchString(text) {
		return fmt.Errorf("%q is not an account id of 12 digits", text)
	}
	return nil
}

// parseListen reads the address that a port listens on.
func parseListen(text string) (string, error) { return text, checkAddress(text) }

// checkAddress checks what a listener listens on.
func checkAddress(text string) error {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return fmt.Errorf("%q is not an address such as :8080, 127.0.0.1:8080 or [::1]:8080", text)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%q: the port is not a number between 0 and 65535", text)
	}
	return nil
}

// checkURL checks an http or https URL of a host, perhaps with a path.
func checkURL(text string) error {
	u, err := setting.URL(text)
	if err != nil {
		return err
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("the URL has more than a host and a path")
	}
	return nil
}

// parseURL reads an http or https URL of a host, perhaps with a path.
func parseURL(text string) (*url.URL, error) {
	if err := checkURL(text); err != nil {
		return nil, err
	}
	return url.Parse(text)
}

// parseRatio reads a share of a whole.
func parseRatio(text string) (*float64, error) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 || n > 1 || math.IsNaN(n) {
		return nil, fmt.Errorf("%q is not a number from 0 to 1", text)
	}
	return &n, nil
}

// parseEndpoint reads the URL of an AWS service.
func parseEndpoint(text string) (*url.URL, error) {
	if err := checkURL(text); err != nil {
		return nil, err
	}
	return awsservice.ParseEndpoint(text)
}

// parseFunction reads the URL of a function's Invoke operation.
func parseFunction(text string) (awsservice.InvokeEndpoint, error) {
	if err := checkURL(text); err != nil {
		return awsservice.InvokeEndpoint{}, err
	}
	return awsservice.ParseInvokeEndpoint(text)
}

// parseCertifiable reads a name that an authority certifies by ACME, or the word
// for those of the control plane.
func parseCertifiable(text string) (string, error) {
	switch {
	case text == acmeConfigured:
		return text, nil
	case strings.HasPrefix(text, "*."):
		return "", fmt.Errorf("%q: a wildcard needs a certificate of tls.certificates", text)
	case len(text) > 253 || !host.MatchString(text):
		return "", fmt.Errorf("%q is neither a host name in lower case nor the word %s", text, acmeConfigured)
	}
	return text, nil
}

func checkEmail(text string) error {
	if !email.MatchString(text) {
		return fmt.Errorf("%q is not an email address", text)
	}
	return nil
}

// checkNATS checks the URLs of NATS servers.
func checkNATS(text string) error {
	for server := range strings.SplitSeq(text, ",") {
		u, err := url.Parse(strings.TrimSpace(server))
		if err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" && u.Scheme != "ws" && u.Scheme != "wss" {
			return errors.New("is not a URL of NATS, such as nats://nats.example:4222 or tls://nats.example:4222")
		}
		if u.User != nil {
			return errors.New("holds a secret; name it by user and passwordEnv, or by another key of nats")
		}
	}
	return nil
}

func checkBucket(text string) error {
	if !bucket.MatchString(text) {
		return fmt.Errorf("%q is not the name of a bucket: letters, digits, - and _", text)
	}
	return nil
}

// checkApp checks the APP-NAME of syslog messages (RFC 5424, section 6.2.5).
func checkApp(text string) error {
	if !app.MatchString(text) {
		return fmt.Errorf("%q is not the name of an application: 1 to 48 characters of ASCII without spaces", text)
	}
	return nil
}

// checkVariable checks the name of a variable of the environment.
func checkVariable(text string) error {
	if !variable.MatchString(text) {
		return errors.New("is not the name of a variable of the environment")
	}
	return nil
}

// checkUser checks the name of an IAM user.
func checkUser(text string) error {
	if !identity.IsUserName(text) {
		return fmt.Errorf("%q is not the name of a user: 1 to 64 letters, digits and _+=,.@-", text)
	}
	return nil
}

func checkAccessKeyID(text string) error {
	if !identity.IsAccessKeyID(text) {
		return fmt.Errorf("%q is not an access key id: 3 to 128 letters, digits, _ and -", text)
	}
	return nil
}

// checkPolicy checks an IAM policy.
func checkPolicy(document string) error {
	_, err := iampolicy.Parse([]byte(document), iampolicy.Identity)
	return err
}

func checkLink(text string) error {
	if !link.MatchString(text) {
		return fmt.Errorf("%q is not the id of a VPC link", text)
	}
	return nil
}

// parseTarget reads the address of a VPC link, or a URL in its place.
func parseTarget(text string) (setting.Address, error) {
	address, err := setting.ParseAddress(text)
	if checkURL(text) != nil && (err != nil || checkAddress(text) != nil) {
		return "", fmt.Errorf("%q is neither an address, host:port, nor an http or https URL", text)
	}
	return address, err
}

func checkService(text string) error {
	if !service.MatchString(text) {
		return fmt.Errorf("%q is not the name of an AWS service, such as dynamodb", text)
	}
	return nil
}

// checkFunction returns an error for what is neither a name nor a whole ARN, without
// a qualifier.
func checkFunction(text string) error {
	const longest = 140 // characters of a name
	f, ok := apigw.ParseFunction(text)
	if !ok || f.Qualifier != "" || f.Account != "" && f.Region == "" || len(f.Name) > longest {
		return fmt.Errorf("%q is not the name or ARN of a function", text)
	}
	return nil
}
