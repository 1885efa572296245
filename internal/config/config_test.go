package config

import (
	"errors"
	"flag"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/forwarded"
	"github.com/stagedoor/stagedoor/internal/mistake"
	"github.com/stagedoor/stagedoor/internal/servertls"
	"github.com/stagedoor/stagedoor/internal/setting"
	"github.com/stagedoor/stagedoor/internal/usage"
)

var update = flag.Bool("update", false, "write what the mistakes are now into testdata")

// values compares what was read with ==.
var values = cmp.Options{comparer[APIEndpoint](), comparer[netip.Prefix](), comparer[servertls.Policy]()}

func comparer[T comparable]() cmp.Option { return cmp.Comparer(func(a, b T) bool { return a == b }) }

const divider = "----------\n"

// fileOf writes a configuration into a folder of its own.
func fileOf(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "stagedoor.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Every mistake is told at once, with its line.
func TestMistakes(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/mistakes/*.txt")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range cases {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			golden, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			input, want, _ := strings.Cut(string(golden), divider)
			file := fileOf(t, input)
			_, _, err = Load(Options{File: file})
			var problems mistake.List
			if !errors.As(err, &problems) {
				t.Fatalf("the error is %v", err)
			}
			got := strings.ReplaceAll(problems.Error(), file, "stagedoor.yaml") + "\n"
			if *update {
				if err := os.WriteFile(name, []byte(input+divider+got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("mistakes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "# nothing\n", "log:\n  # level: debug\nendpoints:\n"} {
		got, warnings, err := Load(Options{File: fileOf(t, text), Environ: []string{"AWS_REGION=eu-west-1", "STATE_DIRECTORY=/state:/more"}})
		if err != nil || warnings != nil {
			t.Fatal(err, warnings)
		}
		want := &Config{
			Region: "eu-west-1", Account: "123456789012", Node: 1, Data: "/state", Listen: []string{":8080"},
			Admin:    Admin{Listen: "127.0.0.1:8081"},
			NATS:     NATS{Bucket: "stagedoor", Timeout: 5 * time.Second},
			Backup:   Backup{Keep: 5},
			Log:      Log{Format: "text", Level: slog.LevelInfo, Events: "failed", Summary: time.Minute},
			Metrics:  Metrics{Enabled: true},
			Limits:   Limits{HeaderBytes: 32768, HeaderLines: 128, URLBytes: 8192, Handshakes: 16384, HandshakesPerSource: 1024, Each: usage.DefaultConnection},
			Timeouts: Timeouts{Header: 10 * time.Second, Body: 30 * time.Second, Write: 30 * time.Second, Idle: time.Minute},
			Shutdown: Shutdown{Timeout: 25 * time.Second},
			Backends: Backends{Connections: 1024, Waiting: 16384},
		}
		if len(got.Endpoints) == 0 {
			got.Endpoints = nil
		}
		if diff := cmp.Diff(want, got, values); diff != "" {
			t.Errorf("configuration (-want +got):\n%s", diff)
		}
	}
}

// The word aws for requests stands for AWS's limit of connects as well, unless that is
// written somewhere; numbers stand for themselves.
func TestAccountRates(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		file               string
		environ            []string
		requests, connects usage.Rate
	}{
		{file: ""},
		{"limits: {requests: none}", nil, usage.Rate{}, usage.Rate{}},
		{"limits: {requests: aws}", nil, usage.Rate{PerSecond: 10_000, Burst: 5_000}, usage.Rate{PerSecond: 500, Burst: 500}},
		{"limits: {connects: aws}", nil, usage.Rate{}, usage.AWSConnects},
		{"limits: {connects: none, requests: aws}", nil, usage.AWSRequests, usage.Rate{}},
		{"limits: {requests: aws, connects: 9/3}", nil, usage.AWSRequests, usage.Rate{PerSecond: 9, Burst: 3}},
		{"limits: {requests: 10000/5000}", nil, usage.AWSRequests, usage.Rate{}},
		{"", []string{"STAGEDOOR_LIMITS_REQUESTS=aws"}, usage.AWSRequests, usage.AWSConnects},
		{"limits: {requests: aws}", []string{"STAGEDOOR_LIMITS_CONNECTS=7"}, usage.AWSRequests, usage.Rate{PerSecond: 7}},
		{"limits: {requests: aws}", []string{"STAGEDOOR_LIMITS_REQUESTS=7"}, usage.Rate{PerSecond: 7}, usage.Rate{}},
	} {
		got, _, err := Load(Options{File: fileOf(t, test.file), Environ: test.environ})
		if err != nil {
			t.Fatal(err)
		}
		if got.Limits.Requests != test.requests || got.Limits.Connects != test.connects {
			t.Errorf("%s %q: %v, %v", test.file, test.environ, got.Limits.Requests, got.Limits.Connects)
		}
	}
}

// Flags win over the environment, that over the file, and the file over the
// defaults.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	file := fileOf(t, `
region: eu-central-1
account: 000000000012
data: state
listen: [":1", "[::1]:2"]
log: {level: debug, format: json, summary: 0}
nats: {nkey: keys/nkey, replicas: 3}
proxies: {trusted: 10.0.0.0/8, proxyProtocol: true}
limits: {headerBytes: 64KiB, urlBytes: 4096B, headerLines: 50, requests: none, connects: 0.5/20, connections: 7, idle: 1h30m, lifetime: none, message: 1MiB, ping: 1m}
quotas: {apis: 5}
`)
	got, warnings, err := Load(Options{
		File: file,
		Environ: []string{
			"STAGEDOOR_LOG_LEVEL=warn", "STAGEDOOR_LOG_FORMAT=text", "STAGEDOOR_LISTEN=:3, :4", "STAGEDOOR_NATS_REPLICAS=5",
			"STAGEDOOR_ADMIN_LISTEN=", "STAGEDOOR_LIMITS_FRAME=none", "STAGEDOOR_TIMEOUTS_HEADER=2s", "STAGEDOOR_NATS_TLS_CA=ca.pem",
			"STAGEDOOR_PROXIES_TRUSTED=192.0.2.1", "STAGEDOOR_PROXIES_PROXY_PROTOCOL=false",
			"STAGEDOOR_LOG_LEVL=x", "STAGEDOOR_PORT=tcp://10.0.0.1:80", "STAGEDOOR_SERVICE_HOST=10.0.0.1", "LOG_LEVEL=debug",
		},
		Flags:     map[string]string{"log.format": "json", "listen": "127.0.0.1:0"},
		FlagNames: map[string]string{"log.format": "--json", "listen": "--listen"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"STAGEDOOR_LOG_LEVL sets nothing; did you mean STAGEDOOR_LOG_LEVEL?"}; !cmp.Equal(warnings, want) {
		t.Errorf("warnings %q, want %q", warnings, want)
	}
	want := &Config{
		Region: "eu-central-1", Account: "000000000012", Node: 1, Data: filepath.Join(filepath.Dir(file), "state"),
		Listen:   []string{"127.0.0.1:0"},
		Admin:    Admin{Listen: "127.0.0.1:8081"},
		NATS:     NATS{Bucket: "stagedoor", Timeout: 5 * time.Second, Replicas: 5, NKey: filepath.Join(filepath.Dir(file), "keys/nkey"), TLS: NATSTLS{CA: "ca.pem"}},
		Backup:   Backup{Keep: 5},
		Log:      Log{Format: "json", Level: slog.LevelWarn, Events: "failed"},
		Metrics:  Metrics{Enabled: true},
		Proxies:  Proxies{Trusted: forwarded.Networks{netip.MustParsePrefix("192.0.2.1/32")}},
		Limits:   Limits{HeaderBytes: 65536, HeaderLines: 50, URLBytes: 4096, Handshakes: 16384, HandshakesPerSource: 1024, Connects: usage.Rate{PerSecond: 0.5, Burst: 20}, Connections: 7, Each: usage.ConnectionLimits{Idle: 90 * time.Minute, Ping: time.Minute, Message: 1 << 20}},
		Quotas:   Quotas{APIs: 5},
		Timeouts: Timeouts{Header: 2 * time.Second, Body: 30 * time.Second, Write: 30 * time.Second, Idle: time.Minute},
		Shutdown: Shutdown{Timeout: 25 * time.Second},
		Backends: Backends{Connections: 1024, Waiting: 16384},
	}
	if diff := cmp.Diff(want, got, values); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

// A mistake in the environment or a flag is told by its name, behind those of
// the file.
func TestMistakesElsewhere(t *testing.T) {
	t.Parallel()
	_, _, err := Load(Options{
		File:      fileOf(t, "nats: {user: me}\nlog: {level: 3}\n"),
		Environ:   []string{"STAGEDOOR_LOG_FORMAT=yaml", "STAGEDOOR_NATS_TOKEN_FILE=x"},
		Flags:     map[string]string{"listen": ":80,80"},
		FlagNames: map[string]string{"listen": "--listen"},
	})
	var problems mistake.List
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	var got []string
	for _, p := range problems {
		p.File = filepath.Base(p.File)
		got = append(got, p.Error())
	}
	want := []string{
		`stagedoor.yaml:2: log.level: "3" is none of debug, error, info, warn`,
		`--listen: "80" is not an address such as :8080, 127.0.0.1:8080 or [::1]:8080`,
		"STAGEDOOR_NATS_TOKEN_FILE: nats.tokenFile: cannot be used together with user",
		`STAGEDOOR_LOG_FORMAT: "yaml" is none of json, text`,
	}
	if got[0] != want[0] {
		t.Errorf("the first mistake is %q, want that of the file", got[0])
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	if _, _, err := Load(Options{File: "/does/not/exist.yaml"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that does not exist: %v", err)
	}
	if _, _, err := Load(Options{File: fileOf(t, strings.Repeat("# much\n", maxFile/4))}); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("a file that is too large: %v", err)
	}
	if _, _, err := Load(Options{}); err != nil {
		t.Errorf("no file: %v", err)
	}
}

func TestVariable(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"listen": "STAGEDOOR_LISTEN", "log.level": "STAGEDOOR_LOG_LEVEL", "nats.passwordEnv": "STAGEDOOR_NATS_PASSWORD_ENV",
	} {
		if got := Variable(key); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
	seen := map[string]string{}
	for _, k := range (&Config{}).values() {
		if other := seen[Variable(k.path)]; other != "" {
			t.Errorf("%s and %s have one variable", k.path, other)
		}
		seen[Variable(k.path)] = k.path
	}
}

// What stands behind a key is read once: nobody has to read it again.
func TestValuesAreRead(t *testing.T) {
	t.Parallel()
	c, _, err := Load(Options{File: fileOf(t, `
apiEndpoint: wss://{apiId}.example.com
proxies: {trusted: [10.1.2.3/8, "::1"]}
endpoints: {dynamodb: http://db:8000/x/}
vpcLinks: {a1: balancer:81, b2: https://internal.example.com/ignored}
functions: {one: http://one:9000, two: http://two:9000/2015-03-31/functions/function/invocations}
tls: {policy: modern, acme: {domains: [a.example.com, configured]}}
admin: {tls: {cert: a.pem, key: a.pem, policy: TLS_1_2}}
`)})
	if err != nil {
		t.Fatal(err)
	}
	trusted := forwarded.Networks{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	if diff := cmp.Diff(trusted, c.Proxies.Trusted, values); diff != "" {
		t.Errorf("networks (-want +got):\n%s", diff)
	}
	if got := c.APIEndpoint.URL("a1"); got != "wss://a1.example.com" {
		t.Errorf("the URL of an API is %s", got)
	}
	if diff := cmp.Diff(map[string]*url.URL{"dynamodb": {Scheme: "http", Host: "db:8000", Path: "/x"}}, c.Endpoints); diff != "" {
		t.Errorf("endpoints (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]setting.Address{"a1": "balancer:81", "b2": "internal.example.com:443"}, c.VPCLinks); diff != "" {
		t.Errorf("VPC links (-want +got):\n%s", diff)
	}
	functions := map[string]awsservice.InvokeEndpoint{
		"one": {Lambda: &url.URL{Scheme: "http", Host: "one:9000"}},
		"two": {Lambda: &url.URL{Scheme: "http", Host: "two:9000"}, Name: "function"},
	}
	if diff := cmp.Diff(functions, c.Functions); diff != "" {
		t.Errorf("functions (-want +got):\n%s", diff)
	}
	modern, err := servertls.ParsePolicy("modern")
	if err != nil || c.TLS.Policy != modern || c.Admin.TLS.Policy != (servertls.Policy{}) {
		t.Errorf("policies %v and %v, %v", c.TLS.Policy, c.Admin.TLS.Policy, err)
	}
	if names, configured := c.TLS.ACME.Wanted(); !cmp.Equal(names, []string{"a.example.com"}) || !configured {
		t.Errorf("ACME for %q, configured: %t", names, configured)
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	load := func(text string) *Config {
		c, _, err := Load(Options{File: fileOf(t, text)})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	before := load("listen: :80\nlog: {level: info}\nfunctions: {a: http://x}\ndata: /d\n")
	after := load("listen: [':80', ':81']\nlog: {level: debug, events: all}\nfunctions: {a: http://y}\ndata: /d\n")
	want := []Change{{"listen", false}, {"log.level", true}, {"log.events", true}, {"functions", true}}
	if diff := cmp.Diff(want, before.Changes(after)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	before.TakeLive(after)
	if diff := cmp.Diff(want[:1], before.Changes(after)); diff != "" {
		t.Errorf("changes that are left (-want +got):\n%s", diff)
	}
	if changes := after.Changes(after); changes != nil {
		t.Errorf("changes of nothing: %v", changes)
	}
}

// Whatever a file holds, reading it ends, with a configuration or with
// mistakes.
func FuzzLoad(f *testing.F) {
	cases, err := filepath.Glob("testdata/mistakes/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range cases {
		golden, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		input, _, _ := strings.Cut(string(golden), divider)
		f.Add(input)
	}
	f.Add("a: &a [*a]\nlisten: *a\nlog: &b {level: *b}\nadmin: *b")
	f.Fuzz(func(t *testing.T, text string) {
		c := &Config{}
		r := &report{places: map[string]place{}}
		(&decoder{report: r, file: "f"}).decode([]byte(text), c.keys())
		c.validate(r)
		if err := r.err(); err != nil && err.Error() == "" {
			t.Error("a mistake without a word")
		}
	})
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	file := fileOf(t, `
credentials:
  - user: deploy
    accessKeyId: AKIADEPLOY
    secretAccessKeyFile: keys/deploy
    expires: 2027-01-31T12:00:00+01:00
    policies:
      - Version: 2012-10-17
        Statement:
          - Effect: Allow
            Action: ["apigateway:*"]
            Resource: "*"
            Condition: {NumericLessThan: {"aws:epochtime": 4e9}, Bool: {"aws:SecureTransport": true}}
  - {user: none, accessKeyId: AKIANONE, secretAccessKeyEnv: NONE}
tls:
  certificates: [{cert: a.pem, key: /keys/a.pem}]
  required: yes
`)
	if _, _, err := Load(Options{File: file}); err == nil || !strings.Contains(err.Error(), "tls.required") {
		t.Errorf("yes is not a truth value of YAML 1.2: %v", err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), "yes", "True", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	got, _, err := Load(Options{File: file})
	if err != nil {
		t.Fatal(err)
	}
	want := []Credential{
		{
			User: "deploy", AccessKeyID: "AKIADEPLOY", Secret: Secret{File: filepath.Join(filepath.Dir(file), "keys/deploy")},
			Expires: time.Date(2027, 1, 31, 11, 0, 0, 0, time.UTC),
			Policies: []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["apigateway:*"],"Resource":"*",` +
				`"Condition":{"NumericLessThan":{"aws:epochtime":4e9},"Bool":{"aws:SecureTransport":true}}}]}`},
		},
		{User: "none", AccessKeyID: "AKIANONE", Secret: Secret{Env: "NONE"}},
	}
	if diff := cmp.Diff(want, got.Credentials); diff != "" {
		t.Errorf("credentials (-want +got):\n%s", diff)
	}
	wantTLS := TLS{Certificates: []Certificate{{filepath.Join(filepath.Dir(file), "a.pem"), "/keys/a.pem"}}, Required: true}
	if diff := cmp.Diff(wantTLS, got.TLS, values); diff != "" {
		t.Errorf("TLS (-want +got):\n%s", diff)
	}
}
