package awsservice

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
)

const testRole = "arn:aws:iam::123456789012:role/path/gateway"

// Spec D.1 (5): a role, or the caller's own credentials.
func TestCheckCredentials(t *testing.T) {
	t.Parallel()
	for arn, reason := range map[string]string{
		"":       "",
		testRole: "",
		"arn:aws-cn:iam::123456789012:role/gateway": "",
		"arn:aws:iam::*:user/*":                     "the caller's credentials are not available",
		"arn:aws-cn:iam::*:user/*":                  "the caller's credentials are not available",
		"arn:aws:iam::123456789012:user/somebody":   "is not the ARN of a role",
		"arn:aws:iam::1234:role/gateway":            "is not the ARN of a role",
		"gateway":                                   "is not the ARN of a role",
	} {
		err := CheckCredentials(arn)
		if (err == nil) != (reason == "") || (err != nil && !strings.Contains(err.Error(), reason)) {
			t.Errorf("%q: error %v, want %q", arn, err, reason)
		}
	}
}

// assumeRole answers STS's AssumeRole with credentials of the same secret that
// end after a while, and everything else with {}.
func assumeRole(lifetime time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Host, "sts.") {
			_, _ = io.WriteString(w, "{}")
			return
		}
		fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<AssumedRoleUser><Arn>a</Arn><AssumedRoleId>i</AssumedRoleId></AssumedRoleUser>
<Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>%s</SecretAccessKey><SessionToken>token</SessionToken><Expiration>%s</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>`, secret, time.Now().Add(lifetime).UTC().Format(time.RFC3339))
	}
}

// count sorts requests into those to STS and the others.
func (a *amazon) count() (sts, others []received) {
	for _, r := range a.all() {
		if strings.HasPrefix(r.Host, "sts.") {
			sts = append(sts, r)
		} else {
			others = append(others, r)
		}
	}
	return sts, others
}

func TestRolesAreAssumedOnce(t *testing.T) {
	t.Parallel()
	a := newAmazon(t, assumeRole(time.Hour))
	c := a.client(nil)
	r := &Request{URI: mustParse(t, arn("dynamodb:action/PutItem")), Role: testRole}
	var calls sync.WaitGroup
	for range 5 {
		calls.Go(func() {
			if _, err := c.Do(t.Context(), r); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	sts, others := a.count()
	if len(sts) != 1 || len(others) != 5 {
		t.Fatalf("%d requests to STS and %d others, want 1 and 5", len(sts), len(others))
	}
	form, _ := url.ParseQuery(string(sts[0].body))
	if sts[0].Host != "sts.us-east-1.amazonaws.com" || form.Get("Action") != "AssumeRole" || form.Get("RoleArn") != testRole || form.Get("RoleSessionName") != sessionName {
		t.Errorf("STS was asked at %s with %v", sts[0].Host, form)
	}
	for _, r := range others {
		if r.Header.Get("X-Amz-Security-Token") != "token" || !strings.Contains(r.Header.Get("Authorization"), "Credential=ASIAROLE/") {
			t.Errorf("a call was not made in the role: %v", r.Header)
		}
	}
	// Another region's STS gives the credentials for calls to that region.
	r.URI.Region = "eu-west-1"
	call(t, c, r)
	if sts, _ = a.count(); len(sts) != 2 || sts[1].Host != "sts.eu-west-1.amazonaws.com" {
		t.Errorf("%d requests to STS", len(sts))
	}
}

func TestRolesAreRenewed(t *testing.T) {
	t.Parallel()
	a := newAmazon(t, assumeRole(renewal/4)) // always about to end
	c := a.client(nil)
	for range 2 {
		call(t, c, &Request{URI: mustParse(t, arn("dynamodb:action/PutItem")), Role: testRole})
	}
	if sts, _ := a.count(); len(sts) != 2 {
		t.Errorf("%d requests to STS, want 2", len(sts))
	}
}

func TestRolesThatCannotBeAssumed(t *testing.T) {
	t.Parallel()
	a := newAmazon(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>`)
	})
	wantConfigurationError(t, a.client(nil), &Request{URI: mustParse(t, arn("sqs:path/q")), Role: testRole}, "not you")
	if _, others := a.count(); len(others) > 0 {
		t.Error("the service was called without the role")
	}
}

func TestRolesAreIgnoredOnDemand(t *testing.T) {
	t.Parallel()
	a := newAmazon(t, assumeRole(time.Hour))
	call(t, a.client(func(o *Options) { o.IgnoreRoles = true }), &Request{URI: mustParse(t, arn("sqs:path/q")), Role: testRole})
	if sts, others := a.count(); len(sts) != 0 || len(others) != 1 {
		t.Errorf("%d requests to STS and %d others", len(sts), len(others))
	}
}

func TestSessionTokensAreSigned(t *testing.T) {
	t.Parallel()
	a := newAmazon(t, nil)
	c := a.client(func(o *Options) { o.Credentials = credentials.NewStaticCredentialsProvider(keyID, secret, "session") })
	call(t, c, &Request{URI: mustParse(t, arn("sqs:path/q"))})
	if r := a.last(); r.Header.Get("X-Amz-Security-Token") != "session" || r.Header.Get("X-Amz-Date") != "20260301T123045Z" {
		t.Errorf("header %v", r.Header)
	}
}

// bare is an environment in which no credentials can be found. Tests with it
// are not parallel, because the default chain reads the process's own.
func bare(t *testing.T) {
	t.Helper()
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_ACCESS_KEY": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SECRET_KEY": "", "AWS_SESSION_TOKEN": "",
		"AWS_PROFILE": "", "AWS_DEFAULT_PROFILE": "", "AWS_WEB_IDENTITY_TOKEN_FILE": "",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "",
		"AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}

func TestNoCredentials(t *testing.T) {
	bare(t)
	a := newAmazon(t, nil)
	c := a.client(func(o *Options) { o.Credentials = nil })
	wantConfigurationError(t, c, &Request{URI: mustParse(t, arn("sqs:path/q"))}, "there are no AWS credentials: set AWS_ACCESS_KEY_ID")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Do(ctx, &Request{URI: mustParse(t, arn("sqs:path/q"))}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
	if n := len(a.all()); n > 0 {
		t.Errorf("%d requests without credentials", n)
	}
}

func TestDefaultChain(t *testing.T) {
	bare(t)
	t.Setenv("AWS_ACCESS_KEY_ID", keyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	a := newAmazon(t, nil) // checks the signature
	call(t, a.client(func(o *Options) { o.Credentials = nil }), &Request{URI: mustParse(t, arn("sqs:path/q"))})
}
