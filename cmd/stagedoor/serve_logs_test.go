//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/store"
)

// logging makes a data folder with an API that echoes, whose stage has execution logs, and
// access logs for Firehose.
func logging(t *testing.T) string {
	t.Helper()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	t.Cleanup(backend.Close)
	folder := filled(t, backend.URL)
	opened, err := store.Open(t.Context(), store.Options{Dir: folder})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	stages := store.NewConfiguration(opened, nil).Stages
	stage, revision, err := stages.Get(t.Context(), "testapi123", "prod")
	if err != nil {
		t.Fatal(err)
	}
	stage.DefaultRouteSettings = &apigw.RouteSettings{LoggingLevel: "INFO"}
	stage.AccessLogSettings = &apigw.AccessLogSettings{
		DestinationArn: "arn:aws:firehose:eu-central-1:123456789012:deliverystream/amazon-apigateway-chat",
		Format:         `{"type":"$context.eventType","id":"$context.requestId"}`,
	}
	if _, err := stages.Put(t.Context(), stage, revision); err != nil {
		t.Fatal(err)
	}
	return folder
}

// Whoever rotates a log renames it and sends SIGHUP; the file of the old name is there
// then, and gets the lines from now on. None is lost.
func TestServeLogFileIsRotated(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "execution.log")
	p := start(t, func(c *exec.Cmd) { c.Env = append(c.Env, "STAGEDOOR_LOGS_EXECUTION_FILE="+path) }, "--open", "--data", logging(t))
	conn := p.dial("/prod")
	has := func(file string, messages int) {
		t.Helper()
		gatewaytest.Eventually(t, func() error {
			text, err := os.ReadFile(file)
			if got := strings.Count(string(text), "with response status code [200]"); got != messages {
				return fmt.Errorf("%s has %d messages (%w):\n%s", file, got, err, text)
			}
			return nil
		})
	}
	gatewaytest.Ask(t, conn, "first")
	has(path, 1)
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	p.log.await(t, "the configuration was read again")
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	for range 10 {
		gatewaytest.Ask(t, conn, "second")
	}
	has(path, 10)
	has(path+".1", 1)
}

// Standard output whose reader has gone ends no gateway: the lines are dropped.
func TestServeOutlivesReader(t *testing.T) {
	t.Parallel()
	stdout, end, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdout.Close()
	p := &program{t: t, log: &logFile{}, exited: make(chan error, 1)}
	p.command = exec.Command(os.Args[0], "serve", "--json", "--open", "--data", logging(t))
	p.command.Env = append(os.Environ(), asProgram+"=1", "STAGEDOOR_LISTEN=127.0.0.1:0", "STAGEDOOR_ADMIN_LISTEN=127.0.0.1:0", "STAGEDOOR_LOGS_EXECUTION_STDOUT=true")
	p.command.Stdout, p.command.Stderr = end, p.log
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	end.Close()
	go func() { p.exited <- p.command.Wait() }()
	t.Cleanup(func() {
		_ = p.command.Process.Kill()
		p.wait()
	})
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), p) != nil {
		t.Fatalf("no ready line: %q; the log:\n%s", lines.Text(), p.log)
	}
	conn := p.dial("/prod")
	gatewaytest.Ask(t, conn, "first")
	if !lines.Scan() || !strings.Contains(lines.Text(), "Z (") {
		t.Errorf("the line %q", lines.Text())
	}
	stdout.Close()
	gatewaytest.Ask(t, conn, "second")
	p.log.await(t, "broken pipe")
	gatewaytest.Ask(t, conn, "third")
	p.signal(syscall.SIGTERM)
	if err := p.wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	p.log.await(t, "log lines were dropped")
}

// awsLogs is an endpoint of CloudWatch Logs and Firehose that fails at first: it throttles,
// then it does not work, then it hangs.
type awsLogs struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex // guards what follows
	calls   map[string]int
	streams map[string]bool
	lines   map[string]string // by log group or delivery stream
}

func newAWSLogs(t *testing.T) *awsLogs {
	a := &awsLogs{t: t, calls: map[string]int{}, streams: map[string]bool{}, lines: map[string]string{}}
	a.Server = httptest.NewServer(a)
	t.Cleanup(func() {
		a.CloseClientConnections()
		a.Close()
	})
	return a
}

func (a *awsLogs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target, service := r.Header.Get("X-Amz-Target"), "logs"
	if strings.HasPrefix(target, "Firehose_20150804.") {
		service = "firehose"
	}
	signed := regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=AKIDLOGS/\d{8}/eu-central-1/` + service + `/aws4_request, SignedHeaders=\S+, Signature=[0-9a-f]{64}$`)
	if got := r.Header.Get("Authorization"); !signed.MatchString(got) || r.Header.Get("Content-Type") != "application/x-amz-json-1.1" || r.Method != "POST" || r.URL.Path != "/" {
		a.t.Errorf("%s %s with %q, %q", r.Method, r.URL, got, r.Header.Get("Content-Type"))
	}
	var in struct {
		LogGroupName, LogStreamName, DeliveryStreamName string

		LogEvents []struct {
			Timestamp int64
			Message   string
		}
		Records []struct{ Data []byte }
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		a.t.Error(err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls[target]++
	fail := func(status int, code string) {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"__type":%q,"message":"try again"}`, code)
	}
	switch n := a.calls[target]; {
	case n == 1:
		fail(400, "ThrottlingException")
		return
	case n == 2:
		fail(503, "ServiceUnavailableException")
		return
	case n == 3 && service == "firehose":
		a.mu.Unlock()
		<-r.Context().Done()
		a.mu.Lock()
		return
	}
	switch target {
	case "Logs_20140328.CreateLogStream":
		a.streams[in.LogGroupName] = true
	case "Logs_20140328.PutLogEvents":
		if !a.streams[in.LogGroupName] {
			fail(400, "ResourceNotFoundException")
			return
		}
		for _, e := range in.LogEvents {
			if age := time.Since(time.UnixMilli(e.Timestamp)); age < 0 || age > time.Hour {
				a.t.Errorf("an event is %v old", age)
			}
			a.lines[in.LogGroupName] += e.Message + "\n"
		}
	case "Firehose_20150804.PutRecordBatch":
		for _, record := range in.Records {
			a.lines[in.DeliveryStreamName] += string(record.Data)
		}
	default:
		a.t.Errorf("the operation %q", target)
	}
	_, _ = io.WriteString(w, `{"FailedPutCount":0}`)
}

// Access logs and execution logs go to AWS's services, or what endpoints names, however
// those fare: clients notice nothing, and no line is lost.
func TestServeLogsToAWS(t *testing.T) {
	t.Parallel()
	aws := newAWSLogs(t)
	file := filepath.Join(t.TempDir(), "stagedoor.yaml")
	configuration := fmt.Sprintf(`
region: eu-central-1
endpoints: {logs: %q, firehose: %q}
logs:
  access:
    - {destination: "*", cloudwatch: true}
    - {destination: "arn:*/amazon-apigateway-*", firehose: true}
  execution: {cloudwatch: true}
`, aws.URL, aws.URL)
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, func(c *exec.Cmd) {
		c.Env = append(c.Env, "AWS_ACCESS_KEY_ID=AKIDLOGS", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=")
	}, "--open", "--config", file, "--data", logging(t))
	conn := p.dial("/prod")
	const messages = 20
	for range messages {
		gatewaytest.Ask(t, conn, "hello")
	}
	gatewaytest.Eventually(t, func() error {
		aws.mu.Lock()
		defer aws.mu.Unlock()
		access, execution := aws.lines["amazon-apigateway-chat"], aws.lines["/aws/apigateway/testapi123/prod"]
		if strings.Count(access, `{"type":"MESSAGE","id":"`) != messages || strings.Count(access, "\n") != messages+1 ||
			strings.Count(execution, "with response status code [200]") != messages || strings.Contains(execution, "Z (") {
			return fmt.Errorf("calls: %v\naccess:\n%s\nexecution:\n%s\nthe log:\n%s", aws.calls, access, execution, p.log)
		}
		return nil
	})
	p.log.await(t, "log lines are written again")
}
