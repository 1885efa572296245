package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/stagedoor/stagedoor/internal/administration"
)

// CredentialsCmd is "stagedoor credentials".
type CredentialsCmd struct {
	Create CredentialsCreateCmd `cmd:"" help:"Make an access key, or a bearer token. Its secret is shown this once."`
	List   CredentialsListCmd   `cmd:"" help:"List access keys and tokens."`
	Revoke CredentialsRevokeCmd `cmd:"" help:"Remove an access key or a token."`
}

// CredentialsCreateCmd is "stagedoor credentials create".
type CredentialsCreateCmd struct {
	User    string   `arg:"" help:"Name of the user, as in arn:aws:iam::ACCOUNT:user/NAME."`
	Allow   []string `placeholder:"ACTION" help:"Action to allow on all resources, such as apigateway:*; * stands for all actions; separate several with commas."`
	Policy  []string `placeholder:"FILE" type:"path" help:"IAM policy, in JSON; may be repeated."`
	Expires string   `placeholder:"WHEN" help:"When the access key expires: a time such as 2027-01-31T00:00:00Z, or a duration from now, such as 720h. Default: never."`
	Bearer  bool     `help:"Make a bearer token for programs that cannot sign requests: it is sent as it is."`
	Export  bool     `help:"Print the key as environment variables of the AWS tools, for a shell to read."`
	JSON    bool     `help:"Print JSON."`
	storeFlags
}

// Help is the second half of "stagedoor credentials create --help".
func (CredentialsCreateCmd) Help() string {
	return `A running gateway accepts the access key at once. Without --allow and --policy
its user may not do anything.

With --bearer it makes a token: requests to @connections and to the control plane
have it in a header, "Authorization: Bearer TOKEN". Whoever sees such a request has
the token, so use TLS. The gateway keeps only the token's hash.

` + whichStore + `
A gateway requires the permission stagedoor:CreateAccessKey, with which every other
permission can be given.

Exit codes: 0 done, 1 not done, 2 wrong flags.`
}

// Run makes an access key.
func (c *CredentialsCreateCmd) Run(ctx context.Context, p *process) error {
	wanted, err := c.wanted(time.Now())
	if err != nil {
		return &usageError{err}
	}
	s, err := c.open(ctx, p, true)
	if err != nil {
		return err
	}
	defer s.close()
	made, err := s.CreateAccessKey(ctx, wanted)
	if err != nil {
		return err
	}
	if len(wanted.Policies) == 0 {
		_, _ = fmt.Fprintln(p.stderr, "Its holder may do nothing yet: --allow ACTION and --policy FILE grant permissions, for example --allow execute-api:ManageConnections for pushes.")
	}
	switch {
	case c.JSON:
		return printJSON(p.stdout, made)
	case c.Export && c.Bearer:
		_, err = fmt.Fprintf(p.stdout, "export STAGEDOOR_TOKEN=%s\n", made.Token)
		return err
	case c.Export:
		_, err = fmt.Fprintf(p.stdout, "export AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s AWS_DEFAULT_REGION=%s\n",
			made.AccessKeyID, made.SecretAccessKey, s.region)
		return err
	}
	if c.Bearer {
		_, err = fmt.Fprintf(p.stdout, "Access key id  %s\nToken          %s\nUser           %s\n\nThe token is not shown again. Requests have it in the header\n\n  Authorization: Bearer %s\n",
			made.AccessKeyID, made.Token, made.UserName, made.Token)
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "Access key id      %s\nSecret access key  %s\nUser               %s\n\nThe secret is not shown again.\n",
		made.AccessKeyID, made.SecretAccessKey, made.UserName)
	return err
}

// wanted returns the access key that the flags describe.
func (c *CredentialsCreateCmd) wanted(now time.Time) (k administration.NewAccessKey, err error) {
	if c.JSON && c.Export {
		return k, errors.New("--json and --export exclude each other")
	}
	k.UserName, k.Bearer = c.User, c.Bearer
	if len(c.Allow) > 0 {
		type statement struct {
			Effect   string
			Action   []string
			Resource string
		}
		document, _ := json.Marshal(struct { // texts always marshal
			Version   string
			Statement statement
		}{"2012-10-17", statement{"Allow", c.Allow, "*"}})
		k.Policies = append(k.Policies, document)
	}
	for _, file := range c.Policy {
		document, err := os.ReadFile(file)
		if err != nil {
			return k, fmt.Errorf("--policy: %w", err)
		}
		if !json.Valid(document) {
			return k, fmt.Errorf("--policy: %s is not JSON", file)
		}
		k.Policies = append(k.Policies, document)
	}
	if c.Expires == "" {
		return k, nil
	}
	if after, err := time.ParseDuration(c.Expires); err == nil {
		k.Expires = now.Add(after).UTC().Truncate(time.Second)
	} else if k.Expires, err = time.Parse(time.RFC3339, c.Expires); err != nil {
		return k, fmt.Errorf("--expires: %q is neither a time such as 2027-01-31T00:00:00Z nor a duration such as 720h", c.Expires)
	}
	return k, nil
}

// CredentialsListCmd is "stagedoor credentials list".
type CredentialsListCmd struct {
	JSON bool `help:"Print JSON, with the policies."`
	storeFlags
}

// Help is the second half of "stagedoor credentials list --help".
func (CredentialsListCmd) Help() string {
	return `Lists the access keys that "stagedoor credentials" made, not those of the
configuration file.

` + whichStore + `
A gateway requires the permission stagedoor:ListAccessKeys.`
}

// Run lists access keys.
func (c *CredentialsListCmd) Run(ctx context.Context, p *process) error {
	s, err := c.open(ctx, p, false)
	if err != nil {
		return err
	}
	defer s.close()
	keys, err := s.AccessKeys(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(p.stdout, keys)
	}
	out := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "ACCESS KEY ID\tKIND\tUSER\tSTATUS\tCREATED\tEXPIRES")
	for _, k := range keys {
		fmt.Fprintln(out, strings.Join([]string{k.AccessKeyID, kind(k), k.UserName, status(k, time.Now()), formatTime(k.Created), formatTime(k.Expires)}, "\t"))
	}
	return out.Flush()
}

func kind(k *administration.AccessKey) string {
	if k.Kind == administration.KindBearer {
		return "token"
	}
	return "key"
}

func status(k *administration.AccessKey, now time.Time) string {
	if !k.Expires.IsZero() && !now.Before(k.Expires) {
		return "Expired"
	}
	return k.Status
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}

// CredentialsRevokeCmd is "stagedoor credentials revoke".
type CredentialsRevokeCmd struct {
	AccessKeyID string `arg:"" name:"access-key-id" help:"Access key, or id of the token, to remove."`
	storeFlags
}

// Help is the second half of "stagedoor credentials revoke --help".
func (CredentialsRevokeCmd) Help() string {
	return `The access key cannot be used any more. Connections that are open stay open.

` + whichStore + `
A gateway requires the permission stagedoor:DeleteAccessKey.`
}

// Run removes an access key.
func (c *CredentialsRevokeCmd) Run(ctx context.Context, p *process) error {
	s, err := c.open(ctx, p, false)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.DeleteAccessKey(ctx, c.AccessKeyID); err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s is revoked\n", c.AccessKeyID)
	return err
}

func printJSON(to io.Writer, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(to, "%s\n", text)
	return err
}
