package identity

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/iampolicy"
)

// known tells whom a Directory takes a signer for; "" for nobody.
func known(t *testing.T, d *Directory, id, secret string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://host/prod", nil)
	if err != nil {
		t.Fatal(err)
	}
	sign(t, r, "", signing{id: id, secret: secret, service: ServiceExecuteAPI})
	who, refusal := d.Authenticate(r, nil, ServiceExecuteAPI)
	if refusal != nil {
		return ""
	}
	return who.User
}

func TestReplace(t *testing.T) {
	t.Parallel()
	d := newDirectory(t, credential("ONE"), credential("TWO"))
	if known(t, d, "ONE", secret) != "user-of-ONE" || known(t, d, "TWO", secret) == "" || d.Len() != 2 {
		t.Error("the first credentials are not known")
	}
	renewed := credential("ONE")
	renewed.Secret = "another secret, long enough"
	if err := d.Replace(Configuration, []Credential{renewed, credential("THREE")}); err != nil {
		t.Fatal(err)
	}
	if known(t, d, "ONE", secret) != "" || known(t, d, "TWO", secret) != "" {
		t.Error("what was replaced is still known")
	}
	if known(t, d, "ONE", string(renewed.Secret)) == "" || known(t, d, "THREE", secret) == "" {
		t.Error("what replaced it is not known")
	}
}

// TestReplaceIsWhole: mistakes are told all at once, and change nothing.
func TestReplaceIsWhole(t *testing.T) {
	t.Parallel()
	d := newDirectory(t, credential("ONE"))
	if err := d.Put(Store, credential("STORED")); err != nil {
		t.Fatal(err)
	}
	weak, nameless := credential("WEAK"), credential("NAMELESS", `{"Statement":[]}`)
	weak.Secret = "too short"
	nameless.User = "two words"
	err := d.Replace(Configuration, []Credential{
		credential("NEW"), credential("NEW"), weak, nameless, credential("spaced id"), credential("STORED"),
	})
	for _, want := range []string{
		`access key "NEW" is there twice`,
		`access key "WEAK": the secret access key is shorter than 16 characters`,
		`access key "NAMELESS": the user's name "two words" is not`,
		`policy 1: malformed policy document: Statement: there is none`,
		`access key "spaced id": `,
		`access key "STORED" is in the store and in the configuration`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
	if known(t, d, "ONE", secret) == "" || known(t, d, "NEW", secret) != "" || known(t, d, "STORED", secret) == "" {
		t.Error("something changed")
	}
}

func TestPutAndRemove(t *testing.T) {
	t.Parallel()
	d := newDirectory(t, credential("CONFIGURED"))
	if err := d.Put(Store, credential("STORED")); err != nil {
		t.Fatal(err)
	}
	if known(t, d, "STORED", secret) == "" || known(t, d, "CONFIGURED", secret) == "" {
		t.Error("not both sources are known")
	}
	if err := d.Put(Store, credential("CONFIGURED")); err == nil {
		t.Error("two sources have one access key")
	}
	d.Remove(Store, "CONFIGURED")
	if known(t, d, "CONFIGURED", secret) == "" {
		t.Error("a source removed what is another's")
	}
	if err := d.Put(Store, credential("STORED", "no policy")); err == nil {
		t.Error("a malformed policy was taken")
	}
	if known(t, d, "STORED", secret) != "" {
		t.Error("what could not be replaced is still known")
	}
	if err := d.Put(Store, credential("STORED")); err != nil {
		t.Fatal(err)
	}
	d.Remove(Store, "STORED")
	if known(t, d, "STORED", secret) != "" {
		t.Error("what was removed is still known")
	}
}

// TestRotation: while credentials are replaced over and over, a key that is
// always among them is always known, and its policies are of one moment.
func TestRotation(t *testing.T) {
	t.Parallel()
	sets := make([][]Credential, 2)
	for i, action := range []string{"a:even", "a:odd"} {
		lasting := credential("LASTING", `{"Statement":{"Effect":"Allow","Action":"`+action+`","Resource":"*"}}`)
		sets[i] = []Credential{lasting, credential("OTHER-" + action[2:])}
	}
	d := newDirectory(t, sets[0]...)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://host/prod", nil)
	if err != nil {
		t.Fatal(err)
	}
	sign(t, r, "", signing{id: "LASTING", secret: secret, service: ServiceExecuteAPI})

	var wait sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		wait.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				id, err := d.Authenticate(r, nil, ServiceExecuteAPI)
				if err != nil {
					t.Error(err)
					return
				}
				even, odd := d.Authorize(id, "a:even", "*", Circumstances{}), d.Authorize(id, "a:odd", "*", Circumstances{})
				if even.Effect == odd.Effect {
					t.Errorf("the policies are of no single moment: %v and %v", even.Effect, odd.Effect)
					return
				}
			}
		})
	}
	for i := range 500 {
		if err := d.Replace(Configuration, sets[i%2]); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	wait.Wait()
}

// TestApply: what the store tells of an access key.
func TestApply(t *testing.T) {
	t.Parallel()
	const everything = `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	d := newDirectory(t)
	steps := []struct {
		name   string
		change func(*apigw.AccessKey) *apigw.AccessKey
		wrong  bool
		known  bool
	}{
		{"created", func(k *apigw.AccessKey) *apigw.AccessKey { return k }, false, true},
		{"inactive", func(k *apigw.AccessKey) *apigw.AccessKey { k.Status = "Inactive"; return k }, false, false},
		{"without a policy", func(k *apigw.AccessKey) *apigw.AccessKey { k.Policies = nil; return k }, false, true},
		{"malformed", func(k *apigw.AccessKey) *apigw.AccessKey { k.Policies = []string{"{}"}; return k }, true, false},
		{"right again", func(k *apigw.AccessKey) *apigw.AccessKey { return k }, false, true},
		{"removed", func(*apigw.AccessKey) *apigw.AccessKey { return nil }, false, false},
		{"removed once more", func(*apigw.AccessKey) *apigw.AccessKey { return nil }, false, false},
	}
	for _, step := range steps {
		record := step.change(&apigw.AccessKey{
			AccessKeyId: "AKIA", SecretAccessKey: secret, UserName: "ann", Status: "Active", Policies: []string{everything},
		})
		if err := d.Apply("AKIA", record); (err != nil) != step.wrong {
			t.Errorf("%s: error %v", step.name, err)
		}
		if got := known(t, d, "AKIA", secret) != ""; got != step.known {
			t.Errorf("%s: known: %t", step.name, got)
		}
	}
}

// TestExpiry: an access key ends at its moment, without anybody's doing.
func TestExpiry(t *testing.T) {
	t.Parallel()
	clock := now()
	d := New(Options{Region: region, Account: account, Now: func() time.Time { return clock }})
	c := credential("ENDING")
	c.Expires = clock.Add(time.Minute)
	if err := d.Put(Store, c); err != nil {
		t.Fatal(err)
	}
	if known(t, d, "ENDING", secret) == "" {
		t.Error("it has ended too early")
	}
	clock = c.Expires
	if known(t, d, "ENDING", secret) != "" {
		t.Error("it has not ended")
	}
}

// TestConditions: what policies see of a request.
func TestConditions(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"StringEquals":             `"aws:username":"user-of-KEY","aws:PrincipalArn":"arn:aws:iam::111122223333:user/user-of-KEY","aws:PrincipalAccount":"111122223333","aws:PrincipalType":"User","aws:RequestedRegion":"eu-west-1","aws:userid":"` + userID(account, "user-of-KEY") + `"`,
		"IpAddress":                `"aws:SourceIp":"203.0.113.0/24"`,
		"Bool":                     `"aws:SecureTransport":"true"`,
		"StringLike":               `"aws:UserAgent":"curl/*","aws:Referer":"https://example.com/*"`,
		"DateEquals":               `"aws:CurrentTime":"2026-03-01T12:30:45Z"`,
		"NumericEquals":            `"aws:EpochTime":"1772368245"`,
		"Null":                     `"aws:TokenIssueTime":"true","aws:MultiFactorAuthAge":"true"`,
		"ForAnyValue:StringEquals": `"aws:TagKeys":"b"`,
	}
	for operator, keys := range tests {
		d := newDirectory(t, credential("KEY", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"a:x","Resource":"*","Condition":{"`+operator+`":{`+keys+`}}}}`))
		id := (*d.current.Load())["KEY"].identity
		right := Circumstances{
			SourceIP: "203.0.113.9", SecureTransport: true, UserAgent: "curl/8", Referer: "https://example.com/page",
			More: map[string][]string{"aws:tagkeys": {"a", "b"}},
		}
		if got := d.Authorize(id, "a:x", "r", right); got.Effect != iampolicy.Allow {
			t.Errorf("%s: %v", operator, got.Effect)
		}
		if slices.Contains([]string{"StringEquals", "DateEquals", "NumericEquals", "Null"}, operator) {
			continue // of the user and the moment, not of the request
		}
		if got := d.Authorize(id, "a:x", "r", Circumstances{}); got.Effect != iampolicy.ImplicitDeny {
			t.Errorf("%s, without: %v", operator, got.Effect)
		}
	}
}

func TestUserIDs(t *testing.T) {
	t.Parallel()
	ann, bob := userID(account, "ann"), userID(account, "bob")
	if ann == bob || len(ann) != 21 || ann != userID(account, "ann") || ann == userID("444455556666", "ann") {
		t.Errorf("%s, %s", ann, bob)
	}
}

func TestGenerate(t *testing.T) {
	t.Parallel()
	id, key := Generate()
	other, otherKey := Generate()
	if id == other || string(key) == string(otherKey) || len(id) != 20 || len(string(key)) != 40 {
		t.Errorf("%s and %s, %d characters of secret", id, other, len(string(key)))
	}
	d := newDirectory(t, Credential{User: "ann", AccessKeyID: id, Secret: key})
	if known(t, d, id, string(key)) != "ann" || known(t, d, id, string(otherKey)) != "" {
		t.Error("it is not what it is made for")
	}
}
