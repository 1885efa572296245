package accesslog

import (
	"errors"
	"fmt"
	"slices"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

// MaxFormat is the length of the longest format, in bytes.
const MaxFormat = 3 << 10

var (
	arn         = lazyregexp.New(`^arn:`)
	destination = lazyregexp.New(`^arn:[^:]+:(logs:[^:]*:[^:]*:log-group:[A-Za-z0-9_./#-]{1,512}(:\*)?|firehose:[^:]*:[^:]*:deliverystream/amazon-apigateway-.+)$`)
)

// Check returns why API Gateway refuses the settings, in its own words; nil where it
// takes them (sections H.2 and K.1).
func Check(s *apigw.AccessLogSettings) error {
	if s.DestinationArn == "" || s.Format == "" {
		return errors.New("Access Log value missing. Expected destinationArn and format.") //nolint:staticcheck // AWS's text
	}
	if err := CheckDestination(s.DestinationArn); err != nil {
		return err
	}
	return CheckFormat(s.Format)
}

// CheckDestination returns what is wrong with a DestinationArn.
func CheckDestination(text string) error {
	switch {
	case !arn.MatchString(text):
		return errors.New("Invalid ARN specified in the request. ARNs must start with 'arn:': " + text)
	case !destination.MatchString(text):
		return errors.New("Invalid ARN specified in the request. The ARN must be a valid CloudWatch Logs log group or Kinesis Data Firehose delivery stream ARN. " +
			"The name of a delivery stream begins with amazon-apigateway-: " + text)
	}
	return nil
}

// errorsFound begins what API Gateway says of a format.
const errorsFound = "The following errors are found in Access Log Format: "

// CheckFormat returns what is wrong with a Format.
func CheckFormat(text string) error {
	if len(text) > MaxFormat {
		return errors.New(errorsFound + fmt.Sprintf("Access Log format must have at most %d bytes, not %d", MaxFormat, len(text)))
	}
	if !slices.ContainsFunc(pieces(text), func(p piece) bool { return p.name == "requestId" || p.name == "extendedRequestId" }) {
		return errors.New(errorsFound + "Access Log format must include either $context.requestId or $context.extendedRequestId : '" + text + "'")
	}
	return nil
}
