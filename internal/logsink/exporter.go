package logsink

import (
	"context"
	"errors"
	"time"
)

// Exporter takes lines to where OpenTelemetry's logs go.
type Exporter interface {
	// Export sends lines, and returns when the other side has them. It ends when ctx does.
	// After an error the same lines are given to it again, after a while, unless the error
	// is one of Refused. It is called by several goroutines at a time, once for each group.
	// The lines must not be used after it returns.
	Export(ctx context.Context, b Batch) error
}

// Batch are lines of one kind.
type Batch struct {
	Kind    string // KindAccess or KindExecution
	Group   string // the log group or delivery stream that they would go to at AWS
	Entries []Entry
}

// Kinds of logs.
const (
	KindAccess    = "access"
	KindExecution = "execution"
)

const (
	maxExported      = 1000
	maxExportedBytes = 1 << 20
	exportTimeout    = 10 * time.Second
)

// exported is an output to an Exporter.
type exported struct {
	exporter    Exporter
	kind, group string
}

// errNoExporter is the error of a place otlp in a gateway that has no endpoint for it.
var errNoExporter = errors.New("there is no endpoint: set telemetry.otlp.endpoint or OTEL_EXPORTER_OTLP_ENDPOINT")

// send implements output: it sends some of the lines.
func (x *exported) send(ctx context.Context, text []byte) ([]byte, error) {
	if x.exporter == nil {
		return text, errNoExporter
	}
	var all []Entry
	rest, size := text, 0
	for e := range entries(text) {
		if size += len(e.line); len(all) == maxExported || size > maxExportedBytes && len(all) > 0 {
			break
		}
		all = append(all, Entry{e.time, e.line})
		rest = rest[len(e.raw):]
	}
	ctx, cancel := context.WithTimeout(ctx, exportTimeout)
	defer cancel()
	err := x.exporter.Export(ctx, Batch{x.kind, x.group, all})
	switch r := asRefused(err); {
	case err == nil:
		return rest, nil
	case r != nil:
		return rest, &refused{len(all), r.error}
	}
	return text, err
}

// close implements output.
func (*exported) close() {}
