package awsservice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

var roleARN = lazyregexp.New(`^arn:(aws|aws-cn|aws-us-gov):iam::[0-9]{12}:role/\S+$`)

// CheckCredentials returns an error for a CredentialsArn of an integration that
// cannot be used. It may be empty, which stands for the gateway's own credentials.
func CheckCredentials(arn string) error {
	switch {
	case arn == "" || roleARN.MatchString(arn):
		return nil
	case strings.HasSuffix(arn, ":iam::*:user/*"):
		return fmt.Errorf("CredentialsArn %q: the caller's credentials are not available in this version of Stagedoor; name a role", arn)
	}
	return fmt.Errorf("CredentialsArn %q is not the ARN of a role", arn)
}

// sign makes the signed request of a call.
func (c *Client) sign(ctx context.Context, r *Request) (*http.Request, error) {
	s := r.URI.service()
	request, body, err := c.build(ctx, r, s)
	if err != nil {
		return nil, err
	}
	signed, err := c.retrieve(ctx, r)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if s.hashed {
		request.Header["X-Amz-Content-Sha256"] = []string{hash}
	}
	options := func(o *v4.SignerOptions) { o.DisableURIPathEscaping = s.pathAsIs }
	if err := c.signer.SignHTTP(ctx, signed, request, hash, s.signing, r.URI.Region, c.now(), options); err != nil {
		return nil, fmt.Errorf("signing a request for %s: %w", r.URI.name(), err)
	}
	return request, nil
}

// retrieve returns the credentials that sign a call.
func (c *Client) retrieve(ctx context.Context, r *Request) (aws.Credentials, error) {
	provider, whose := c.own, ""
	if c.open != nil && c.overrides(&r.URI) {
		provider = c.open
	} else if r.Role != "" && !c.ignoreRoles {
		if err := CheckCredentials(r.Role); err != nil {
			return aws.Credentials{}, &ConfigurationError{err.Error()}
		}
		provider, whose = c.role(assumed{r.Role, r.URI.Region}), "assuming "+r.Role+": "
	}
	found, err := provider.Retrieve(ctx)
	switch {
	case ctx.Err() != nil:
		return aws.Credentials{}, ctx.Err()
	case err != nil:
		return aws.Credentials{}, &ConfigurationError{whose + err.Error()}
	}
	return found, nil
}

// assumed is a role, and the region of the STS that its credentials come from.
type assumed struct{ arn, region string }

const (
	// sessionName is the name of the sessions of roles, which CloudTrail shows.
	sessionName = "stagedoor"
	// renewal is how long before their end the credentials of a role are renewed.
	renewal = 2 * time.Minute
)

// role returns the provider of a role's credentials, which keeps and renews them.
// There is one for each role that integrations name.
func (c *Client) role(role assumed) aws.CredentialsProvider {
	c.mu.Lock()
	defer c.mu.Unlock()
	provider := c.roles[role]
	if provider == nil {
		provider = aws.NewCredentialsCache(&stsRole{c, role}, func(o *aws.CredentialsCacheOptions) {
			o.ExpiryWindow = renewal
			o.ExpiryWindowJitterFrac = 0.5
		})
		c.roles[role] = provider
	}
	return provider
}

// stsRole is a role whose credentials come from STS.
type stsRole struct {
	*Client
	assumed
}

// Retrieve implements aws.CredentialsProvider.
func (r *stsRole) Retrieve(ctx context.Context) (aws.Credentials, error) {
	u := PathURI(r.region, "sts", "/")
	endpoint, err := r.endpoint(&u, u.service())
	if err != nil {
		return aws.Credentials{}, err
	}
	client := sts.New(sts.Options{
		Region:       r.region,
		Credentials:  r.own,
		BaseEndpoint: aws.String(endpoint.String()),
		HTTPClient:   &http.Client{Transport: r.transport},
	})
	return stscreds.NewAssumeRoleProvider(client, r.arn, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = sessionName
	}).Retrieve(ctx)
}

// openChain provides credentials for services that do not check signatures: those
// that are configured, since emulators tell accounts apart by them, or else made-up
// ones. It fails only where the context has ended.
type openChain struct {
	given aws.CredentialsProvider // may be nil
}

// Retrieve implements aws.CredentialsProvider.
func (o *openChain) Retrieve(ctx context.Context) (aws.Credentials, error) {
	provider := o.given
	if provider == nil {
		// The instance is not asked for its role: where the machine is not an
		// instance, that takes seconds.
		loaded, err := config.LoadDefaultConfig(ctx, config.WithEC2IMDSClientEnableState(imds.ClientDisabled))
		if err == nil {
			provider = loaded.Credentials
		}
	}
	if provider != nil {
		if found, err := provider.Retrieve(ctx); err == nil {
			return found, nil
		}
	}
	return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test", Source: "made up"}, ctx.Err()
}

// defaultChain provides the credentials that the AWS SDKs find. It reads the files
// for that when it is first asked.
type defaultChain struct {
	load func() (aws.Config, error)
}

func newDefaultChain() *defaultChain {
	return &defaultChain{sync.OnceValues(func() (aws.Config, error) {
		// The error has what went wrong; the SDK would print it beside our log.
		return config.LoadDefaultConfig(context.Background(), config.WithLogger(logging.Nop{}))
	})}
}

// Retrieve implements aws.CredentialsProvider.
func (d *defaultChain) Retrieve(ctx context.Context) (aws.Credentials, error) {
	loaded, err := d.load()
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("the configuration for AWS: %w", err)
	}
	found, err := loaded.Credentials.Retrieve(ctx)
	if err != nil {
		return found, fmt.Errorf("there are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile, or run with a role: %w", err)
	}
	return found, nil
}
