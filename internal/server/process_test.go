package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"

	"github.com/stagedoor/stagedoor/internal/config"
	"github.com/stagedoor/stagedoor/internal/gatewaytest"
	"github.com/stagedoor/stagedoor/internal/outputtest"
)

// dataVariable makes the test binary a gateway whose data are in the folder that
// it names, until it is killed.
const dataVariable = "STAGEDOOR_TEST_DATA"

func serveUntilKilled(dir string) {
	err := Run(context.Background(), Config{
		Source: config.Options{Environ: []string{"STAGEDOOR_LISTEN=127.0.0.1:0", "STAGEDOOR_ADMIN_LISTEN=127.0.0.1:0", "STAGEDOOR_DATA=" + dir}},
		Open:   true, Log: os.Stderr, Reporter: readyLine{},
	})
	fmt.Fprintln(os.Stderr, "the gateway ended:", err)
	os.Exit(1)
}

// readyLine prints where the gateway serves.
type readyLine struct{ noReporter }

func (readyLine) Ready(r Ready) { _ = json.NewEncoder(os.Stdout).Encode(r) }

// gatewayProcess is a gateway in a process of its own.
type gatewayProcess struct {
	Ready
	command *exec.Cmd
	log     outputtest.Buffer
	opened  time.Duration // from its start until it was ready
}

// startProcess starts a gateway and waits until it is ready, or was killed: that
// is after a time, if one is given. The command that starts it is os.Args[0]
// unless another is given.
func startProcess(t *testing.T, dir string, killedAfter time.Duration, command ...string) *gatewayProcess {
	t.Helper()
	command = append(command, os.Args[0])
	p := &gatewayProcess{command: exec.CommandContext(t.Context(), command[0], command[1:]...)}
	p.command.Env = append(os.Environ(), dataVariable+"="+dir)
	p.command.Stderr = &p.log
	output, err := p.command.StdoutPipe()
	began := time.Now()
	if err == nil {
		err = p.command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if killedAfter > 0 {
		time.AfterFunc(killedAfter, p.kill)
	}
	line, err := bufio.NewReader(output).ReadBytes('\n')
	p.opened = time.Since(began)
	if err == nil {
		err = json.Unmarshal(line, &p.Ready)
	}
	if err != nil && killedAfter == 0 {
		p.end()
		t.Fatalf("the gateway is not ready: %v; it printed %q, and its log is\n%s", err, line, &p.log)
	}
	return p
}

// kill ends the process at once, as kill -9 does. It may have ended.
func (p *gatewayProcess) kill() { _ = p.command.Process.Kill() }

// end kills the process and waits for its end.
func (p *gatewayProcess) end() {
	p.kill()
	p.wait()
}

// wait waits for the process's end, which is a kill.
func (p *gatewayProcess) wait() { _ = p.command.Wait() }

// newSDK makes AWS's own client of a gateway's control plane, which does nothing
// twice.
func newSDK(t *testing.T, admin string) *sdk.Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	t.Cleanup(transport.CloseIdleConnections)
	return sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: &admin, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
		HTTPClient:  &http.Client{Transport: transport, Timeout: gatewaytest.Timeout},
	})
}

// must does an operation that does not fail.
func must[In, Out any](t *testing.T, operation func(context.Context, *In, ...func(*sdk.Options)) (*Out, error), in *In) *Out {
	t.Helper()
	out, err := operation(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
