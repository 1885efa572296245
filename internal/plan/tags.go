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

// setting is a tag that is a setting of this gateway.
type setting struct {
	name string // without the prefix
	// set puts a value into effect. Nil stands for a tag that others read:
	// package authorizer, "stagedoor deploy", the apis of a configuration.
	set func(s *settings, value string) error
	// internal: nobody but the gateway and its commands sets it.
	internal bool
}

// tagSettings are the tags of APIs and stages. Durations are Go's ("90s", "1h30m"),
// sizes are bytes; "none" lifts a limit.
var tagSettings = []setting{
	{name: strings.TrimPrefix(OriginsTag, tagPrefix), set: (*settings).setOrigins},
	{name: "idle-timeout", set: func(s *settings, value string) error { return setDuration(&s.limits.Idle, value) }},
	{name: strings.TrimPrefix(authorizer.TagJWT, tagPrefix)},
	{name: "max-connections", set: func(s *settings, value string) error { return setCount(&s.access.Connections, value) }},
	{name: "max-duration", set: func(s *settings, value string) error { return setDuration(&s.limits.Lifetime, value) }},
	{name: "max-frame", set: func(s *settings, value string) error { return setBytes(&s.limits.FrameBytes, value) }},
	{name: "max-message", set: func(s *settings, value string) error { return setBytes(&s.limits.MessageBytes, value) }},
	{name: "message-rate", set: (*settings).setMessageRate},
	{name: "ordered", set: func(s *settings, value string) error { return setOrdered(&s.limits.InFlight, value) }},
	{name: "ping", set: func(s *settings, value string) error { return setDuration(&s.limits.Ping, value) }},

	{name: "stack", internal: true},
	{name: "logical-id", internal: true},
	{name: "deployed", internal: true},
	{name: "managed-by", internal: true},
}

// tags reads the limits of a stage's connections: those of the gateway, changed
// by the API's tags, and these by the stage's; and who may connect. A tag that
// cannot be read is a defect. It changes nothing, unless it is about who may
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
	var defects []Defect
	for _, tags := range []map[string]string{api, stage} {
		for _, tag := range slices.Sorted(maps.Keys(tags)) {
			name, ours := strings.CutPrefix(tag, tagPrefix)
			if !ours {
				continue
			}
			if err := s.set(name, tags[tag]); err != nil {
				defects = append(defects, Defect{"tag " + tag, err.Error()})
			}
		}
	}
	return s.limits, s.access, defects
}

// set applies the tag of a name.
func (s *settings) set(name, value string) error {
	i := slices.IndexFunc(tagSettings, func(t setting) bool { return t.name == name })
	switch {
	case i < 0:
		return fmt.Errorf("not available in this version of Stagedoor; available are %s", strings.Join(settable(), ", "))
	case tagSettings[i].set == nil:
		return nil
	}
	return tagSettings[i].set(s, value)
}

// settable returns the names of the tags that people set.
func settable() []string {
	var names []string
	for _, t := range tagSettings {
		if !t.internal {
			names = append(names, t.name)
		}
	}
	return names
}

func (s *settings) setOrigins(value string) (err error) {
	if s.access.Origins, err = ParseOrigins(value); err != nil {
		s.access.Origins = &Origins{required: true} // and no page is allowed: nobody connects
	}
	return err
}

func (s *settings) setMessageRate(value string) error {
	rate, err := usage.ParseRate(value)
	if err == nil {
		s.access.MessageRate = rate.Limit()
	}
	return err
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
