package plan

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/authorizer"
	"github.com/stagedoor/stagedoor/internal/usage"
	"github.com/stagedoor/stagedoor/internal/websocket"
)

// tagPrefix begins the tags that are settings of this gateway. AWS has no
// members for them; tags can be set with every AWS tool.
const tagPrefix = "stagedoor:"

// settings are the values that tags set.
type settings struct {
	limits *websocket.Limits
	access Access
}

// tags reads the limits of a stage's connections: those of the gateway, changed
// by the API's tags, and these by the stage's; and who may connect. A tag that
// cannot be read is a problem. It changes nothing, unless it is about who may
// connect: then nobody may.
func tags(standard usage.ConnectionLimits, api, stage map[string]string) (*websocket.Limits, Access, []Defect) {
	s := settings{limits: &websocket.Limits{
		FrameBytes:   standard.Frame,
		MessageBytes: standard.Message,
		NoBinary:     true,
		Idle:         standard.Idle,
		Lifetime:     standard.Lifetime,
		Ping:         standard.Ping,
		ControlRate:  controlRate,
		InFlight:     inFlight,
		QueueBytes:   queueBytes,
	}}
	var problems []Defect
	for _, tags := range []map[string]string{api, stage} {
		for _, tag := range slices.Sorted(maps.Keys(tags)) {
			name, ours := strings.CutPrefix(tag, tagPrefix)
			if !ours || tag == authorizer.TagJWT {
				continue
			}
			if err := s.set(name, tags[tag]); err != nil {
				problems = append(problems, Defect{"tag " + tag, err.Error()})
			}
		}
	}
	return s.limits, s.access, problems
}

// set applies one tag. Durations are Go's ("90s", "1h30m"), sizes are bytes;
// "none" lifts a limit.
func (s *settings) set(name, value string) (err error) {
	l := s.limits
	switch name {
	case strings.TrimPrefix(OriginsTag, tagPrefix):
		if s.access.Origins, err = ParseOrigins(value); err != nil {
			s.access.Origins = &Origins{required: true} // and no page is allowed: nobody connects
		}
		return err
	case "message-rate":
		rate, err := usage.ParseRate(value)
		if err == nil {
			s.access.MessageRate = rate.Limit()
		}
		return err
	case "max-connections":
		return setCount(&s.access.Connections, value)
	case "idle-timeout":
		return setDuration(&l.Idle, value)
	case "max-duration":
		return setDuration(&l.Lifetime, value)
	case "ping":
		return setDuration(&l.Ping, value)
	case "ordered":
		return setOrdered(&l.InFlight, value)
	case "max-frame":
		return setBytes(&l.FrameBytes, value)
	case "max-message":
		return setBytes(&l.MessageBytes, value)
	case "stack", "logical-id", "deployed", "managed-by": // where "stagedoor deploy" and apis in the configuration keep their state
		return nil
	}
	return fmt.Errorf("not available in this version of Stagedoor; available are allowed-origins, idle-timeout, jwt, max-connections, max-duration, max-frame, max-message, message-rate, ordered, ping")
}

func setDuration(to *time.Duration, value string) error {
	if value == "none" {
		*to = 0
		return nil
	}
	d, err := time.ParseDuration(value)
	if err != nil || d <= 0 {
		return fmt.Errorf("%q is not a duration such as 30s or 1h, nor none", value)
	}
	*to = d
	return nil
}

// setOrdered sets how many messages of a connection may be in flight. "true"
// keeps their order, by allowing one at a time.
func setOrdered(to *int, value string) error {
	switch value {
	case "true":
		*to = 1
	case "false":
		*to = inFlight
	default:
		return fmt.Errorf("%q is neither true nor false", value)
	}
	return nil
}

func setBytes(to *int, value string) error {
	if value == "none" {
		*to = 0
		return nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n <= 0 {
		return fmt.Errorf("%q is not a number of bytes, nor none", value)
	}
	*to = n
	return nil
}

func setCount(to *int, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n <= 0 {
		return fmt.Errorf("%q is not a number of connections", value)
	}
	*to = n
	return nil
}
