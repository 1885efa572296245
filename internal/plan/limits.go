package plan

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/websocket"
)

// tagPrefix marks settings that AWS does not have. They ride on tags, so that
// every AWS tool can set them.
const tagPrefix = "stagedoor:"

// limits reads the limits of a stage's connections: AWS's own, changed by the
// API's tags, and these by the stage's. A tag that cannot be read changes
// nothing and is a problem.
func limits(api, stage map[string]string) (*websocket.Limits, []Problem) {
	l := &websocket.Limits{
		FrameBytes:   frameBytes,
		MessageBytes: messageBytes,
		NoBinary:     true,
		Idle:         idle,
		Lifetime:     lifetime,
		InFlight:     inFlight,
		QueueBytes:   queueBytes,
	}
	var problems []Problem
	for _, tags := range []map[string]string{api, stage} {
		for _, tag := range slices.Sorted(maps.Keys(tags)) {
			name, ours := strings.CutPrefix(tag, tagPrefix)
			if !ours {
				continue
			}
			if err := set(l, name, tags[tag]); err != nil {
				problems = append(problems, Problem{"tag " + tag, err.Error()})
			}
		}
	}
	return l, problems
}

// set applies one tag. Durations are Go's ("90s", "1h30m"), sizes are bytes;
// "none" lifts a limit.
func set(l *websocket.Limits, name, value string) (err error) {
	switch name {
	case "idle-timeout":
		return setDuration(&l.Idle, value)
	case "max-duration":
		return setDuration(&l.Lifetime, value)
	case "max-frame":
		return setBytes(&l.FrameBytes, value)
	case "max-message":
		return setBytes(&l.MessageBytes, value)
	}
	return fmt.Errorf("not available in this version of Stagedoor; available are idle-timeout, max-duration, max-frame, max-message")
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
