package deploy

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
)

// defaultRegion is the region of a gateway whose configuration names none.
const defaultRegion = "us-east-1"

// Identity has the credentials that requests to a gateway are signed with, and
// the gateway's region.
type Identity struct {
	Region      string
	Credentials aws.CredentialsProvider // nil when there are none
}

// FindIdentity looks for credentials and a region where the AWS SDKs do: in the
// environment, in shared files, with a profile if one is named. The metadata
// service of EC2 is not asked, because a gateway does not know the roles of
// instances.
func FindIdentity(ctx context.Context, profile, region string) (Identity, error) {
	options := []func(*config.LoadOptions) error{config.WithEC2IMDSClientEnableState(imds.ClientDisabled)}
	if profile != "" {
		options = append(options, config.WithSharedConfigProfile(profile))
	}
	loaded, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return Identity{}, fmt.Errorf("the settings of AWS: %w", err)
	}
	found := Identity{Region: region, Credentials: loaded.Credentials}
	if found.Region == "" {
		found.Region = loaded.Region
	}
	if found.Region == "" {
		found.Region = defaultRegion
	}
	if _, err := loaded.Credentials.Retrieve(ctx); err != nil {
		if profile != "" {
			return Identity{}, fmt.Errorf("the credentials of the profile %s: %w", profile, err)
		}
		found.Credentials = nil
	}
	return found, ctx.Err()
}
