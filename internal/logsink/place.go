package logsink

import (
	"context"
	"errors"
)

// Place is where lines go by the configuration: one of its members is set. The zero Place
// is the gateway's own log.
type Place struct {
	File       string // a path; the file is made where it is missing
	Stdout     bool
	Syslog     Syslog
	CloudWatch bool // CloudWatch Logs
	Firehose   bool // Amazon Data Firehose
	OTLP       bool // OpenTelemetry's protocol
}

// Rule says where the access logs go whose DestinationArn fits a pattern. A rule for
// CloudWatch fits log groups only, and one for Firehose delivery streams only.
type Rule struct {
	Destination string // an ARN, in which * stands for any characters
	Place
}

// output is what a queue writes to. Its methods are called by one goroutine at a time.
type output interface {
	// send writes whole lines, as many as it takes at a time, and returns the rest, which
	// it is called with again: at once where the error is nil or one of Refused, and
	// otherwise after a while. It ends when ctx does.
	send(ctx context.Context, text []byte) (rest []byte, err error)
	// close lets go of what send has opened.
	close()
}

// refused is the error for lines that are never taken, however often they are sent.
type refused struct {
	lines int // how many of those that are no longer in the rest
	error
}

func (r *refused) Unwrap() error { return r.error }

// Refused returns an error for lines that need not be sent once more: they would be
// refused again. Other errors of an Exporter have the same lines sent later.
func Refused(err error) error { return &refused{error: err} }

// asRefused returns the error of lines that are refused, nil for any other error.
func asRefused(err error) *refused {
	var r *refused
	if errors.As(err, &r) {
		return r
	}
	return nil
}

// name is the sink's name in metrics and in the gateway's log.
func (p *Place) name() string {
	switch {
	case p.File != "":
		return "file:" + p.File
	case p.Stdout:
		return "stdout"
	case p.Syslog.Network != "":
		return "syslog:" + p.Syslog.Daemon.String()
	case p.CloudWatch:
		return "cloudwatch"
	case p.Firehose:
		return "firehose"
	case p.OTLP:
		return "otlp"
	}
	return ownLogName
}

// takes reports whether the place can take the access logs of a destination.
func (p *Place) takes(d destination) bool {
	return !(p.CloudWatch && d.service != serviceLogs || p.Firehose && d.service != serviceFirehose)
}

// isRemote reports whether the place has a queue for each log group or delivery stream.
func (p *Place) isRemote() bool { return p.CloudWatch || p.Firehose || p.OTLP }
