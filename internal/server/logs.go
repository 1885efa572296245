package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/awsservice"
	"github.com/stagedoor/stagedoor/internal/logsink"
	"github.com/stagedoor/stagedoor/internal/turnstile"
)

// logCalls are how many calls of one AWS service the logs make at a time. Others wait for
// their turn: they are patient, and there is one for each log group or delivery stream.
var logCalls = turnstile.Bounds{Calls: 16}

// openLogs makes what access logs and execution logs are written to.
func (s *Server) openLogs() {
	services := awsservice.New(awsservice.Options{Endpoints: s.config.Endpoints, Bounds: logCalls})
	s.logs = logsink.Open(logsink.Options{
		Access: s.config.Logs.Access, Execution: s.config.Logs.Execution, Log: s.log, LogLost: s.lines.Lost,
		Region: s.config.Region, Stream: logStream(s.node.number), AWS: logServices{services}, Exporter: s.otlpLogs, Stdout: s.options.Stdout,
	})
	s.parts.Add(func(context.Context) {
		s.logs.Close()
		services.Close()
	})
}

// logStream returns the name of this gateway's stream in log groups, in the form of API
// Gateway's: 32 hexadecimal digits. They follow from the name of the machine, and from the
// gateway's number, which differs from those of others that share its APIs.
func logStream(node int) string {
	host, err := os.Hostname()
	if err != nil {
		host = "stagedoor"
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d", host, node))
	return hex.EncodeToString(sum[:16])
}

// logServices are the AWS services that logs go to. It is a logsink.AWS.
type logServices struct{ *awsservice.Client }

// Call implements logsink.AWS.
func (l logServices) Call(ctx context.Context, region, service, operation string, body []byte) (int, []byte, error) {
	answer, err := l.Do(ctx, &awsservice.Request{
		URI:     awsservice.URI{Partition: apigw.Partition(region), Region: region, Service: service, Action: operation},
		Body:    body,
		Patient: true,
	})
	if err != nil {
		return 0, nil, err
	}
	return answer.Status, answer.Body, nil
}
