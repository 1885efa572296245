package logsink

import "strings"

// Services that a DestinationArn may be of.
const (
	serviceLogs     = "logs"
	serviceFirehose = "firehose"
)

// destination is what an ARN names: a log group, or a delivery stream of Firehose.
type destination struct{ service, region, name string }

// parseDestination reads a DestinationArn. What is no ARN of the two has no service.
func parseDestination(arn string) destination {
	parts := strings.SplitN(withoutStreams(arn), ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return destination{}
	}
	d := destination{service: parts[2], region: parts[3]}
	var found bool
	switch d.service {
	case serviceLogs:
		d.name, found = strings.CutPrefix(parts[5], "log-group:")
	case serviceFirehose:
		d.name, found = strings.CutPrefix(parts[5], "deliverystream/")
	}
	if !found || d.name == "" {
		return destination{}
	}
	return d
}

// withoutStreams returns the ARN of a log group without the ":*" that may stand at its end
// and means all of its streams.
func withoutStreams(arn string) string { return strings.TrimSuffix(arn, ":*") }

// fits reports whether a text is what a pattern says, in which * stands for any
// characters, or none.
func fits(pattern, text string) bool {
	first, rest, more := strings.Cut(pattern, "*")
	text, ok := strings.CutPrefix(text, first)
	if !ok {
		return false
	}
	if !more {
		return text == ""
	}
	pieces := strings.Split(rest, "*")
	last := pieces[len(pieces)-1]
	for _, piece := range pieces[:len(pieces)-1] {
		at := strings.Index(text, piece)
		if at < 0 {
			return false
		}
		text = text[at+len(piece):]
	}
	return strings.HasSuffix(text, last)
}

// fits reports whether a rule is for the logs of a destination.
func (r *Rule) fits(arn string, d destination) bool {
	return r.takes(d) && (fits(r.Destination, arn) || fits(withoutStreams(r.Destination), withoutStreams(arn)))
}
