package metrics

import (
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/stagedoor/stagedoor/internal/failure"
	"github.com/stagedoor/stagedoor/internal/telemetry"
	"github.com/stagedoor/stagedoor/internal/usage"
)

// statuses counts HTTP statuses. Backends choose some of them, so that there is a place
// for each that there can be, and one for all that can't: 599.
type statuses [600]atomic.Uint64

func (s *statuses) add(status int) {
	if status < 100 || status >= len(s) {
		status = len(s) - 1
	}
	s[status].Add(1)
}

// totals returns how many handshakes led to a connection, and how many did not.
func (s *statuses) totals() (accepted, refused uint64) {
	for status := range s {
		if status == http.StatusSwitchingProtocols {
			accepted = s[status].Load()
		} else {
			refused += s[status].Load()
		}
	}
	return accepted, refused
}

// each calls do with every status that was counted, and with 101 in any case.
func (s *statuses) each(do func(status string, count uint64)) {
	for status := range s {
		if n := s[status].Load(); n > 0 || status == http.StatusSwitchingProtocols {
			do(strconv.Itoa(status), n)
		}
	}
}

const firstCode, lastCode = 1000, 1015 // of RFC 6455, section 7.4.1

// Indexes of closes beyond those codes.
const (
	library = lastCode - firstCode + 1 + iota
	application
	other
	allCodes
)

// closes counts close codes: those of RFC 6455 one by one, those that clients may choose
// by their range, and all others together.
type closes [allCodes]atomic.Uint64

func (c *closes) add(code int) {
	at := other
	switch {
	case code >= firstCode && code <= lastCode:
		at = code - firstCode
	case code >= 3000 && code <= 3999:
		at = library
	case code >= 4000 && code <= 4999:
		at = application
	}
	c[at].Add(1)
}

func (c *closes) total() (sum uint64) {
	for i := range c {
		sum += c[i].Load()
	}
	return sum
}

// each calls do with every code that was counted, and with 1000 in any case.
func (c *closes) each(do func(code string, count uint64)) {
	for i := range c {
		n := c[i].Load()
		if n == 0 && i != 0 {
			continue
		}
		switch i {
		case library:
			do("3xxx", n)
		case application:
			do("4xxx", n)
		case other:
			do("other", n)
		default:
			do(strconv.Itoa(firstCode+i), n)
		}
	}
}

// pushResults are the values of the label result.
var pushResults = [...]string{"delivered", "gone", "queue_full", "throttled", "denied", "too_large", "invalid", "failed"}

// pushResult is the index of what became of a push among pushResults.
func pushResult(r *telemetry.Record) int {
	switch {
	case r.Status == http.StatusOK:
		return 0
	case r.Status == http.StatusGone:
		return 1
	case r.Status == http.StatusTooManyRequests && r.Refused == nil:
		return 2
	case r.Status == http.StatusTooManyRequests:
		return 3
	case r.Status == http.StatusForbidden || r.Status == http.StatusUnauthorized:
		return 4
	case r.Status == http.StatusRequestEntityTooLarge:
		return 5
	case r.Status < http.StatusInternalServerError:
		return 6
	}
	return 7
}

// throttleLevels are the values of the label level: the gateway, one connection, a
// route or stage, an API key, what is in flight to a backend, and open connections.
var throttleLevels = [...]string{"account", "connection", "route", "key", "backend", "open"}

// throttleLevel is the index of the limit that an event was over among throttleLevels;
// -1 where it was over none.
func throttleLevel(r *telemetry.Record) int {
	switch r.Failed {
	case nil:
		if r.Event != telemetry.EventConnect && r.Refused != nil && r.Status == http.StatusTooManyRequests {
			return 0 // a call of @connections
		}
		return -1
	case usage.ErrAccountRate, usage.ErrConnectRate:
		return 0
	case usage.ErrConnectionRate:
		return 1
	case usage.ErrRouteRate:
		return 2
	case usage.ErrKeyRate, usage.ErrKeyRouteRate:
		return 3
	case usage.ErrBackendBusy:
		return 4
	case usage.ErrOpenTotal, usage.ErrOpenOfAPI, usage.ErrOpenOfSource:
		return 5
	}
	if r.Failed.Kind == failure.Quota {
		return 3
	}
	return -1
}
