package usage

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/failure"
)

// Rate is a rate with a burst as settings have it. Where both are 0, nothing is
// set.
type Rate struct {
	PerSecond float64
	Burst     int
}

// ParseRate reads a rate as settings of Stagedoor's own are written: "100" or
// "0.5" per second, "100/20" with a burst, "none".
func ParseRate(text string) (Rate, error) {
	if text == "none" {
		return Rate{}, nil
	}
	perSecond, burst, hasBurst := strings.Cut(text, "/")
	var r Rate
	var err error
	if r.PerSecond, err = strconv.ParseFloat(perSecond, 64); err == nil && hasBurst {
		r.Burst, err = strconv.Atoi(burst)
	}
	if err != nil || !(r.PerSecond > 0) || math.IsInf(r.PerSecond, 0) || hasBurst && r.Burst < 1 {
		return Rate{}, fmt.Errorf("%q is not a rate per second such as 100 or 100/20, with a burst, nor none", text)
	}
	return r, nil
}

// AWS's quotas of an account in a region.
var (
	AWSRequests = Rate{PerSecond: 10_000, Burst: 5_000}
	AWSConnects = Rate{PerSecond: 500, Burst: 500}
)

// AccountRates are the limits of the whole gateway. A rate of nothing is no
// limit.
type AccountRates struct {
	// Requests are connects, messages and @connections calls of all APIs.
	Requests Rate
	// Connects are new connections of all APIs. They are requests as well.
	Connects Rate
}

// Account holds the limits that all APIs share. It is safe for concurrent use.
type Account struct {
	requests, connects         sharedBucket
	requestLimit, connectLimit Limit
}

// NewAccount makes full buckets with the given rates.
func NewAccount(r AccountRates) *Account {
	return &Account{requestLimit: r.Requests.Limit(), connectLimit: r.Connects.Limit()}
}

// Request counts a message or an @connections call, or refuses it with
// ErrAccountRate.
func (a *Account) Request(now time.Time) *failure.Error {
	if !a.requests.Take(a.requestLimit, now) {
		return ErrAccountRate
	}
	return nil
}

// Connect counts a handshake, or refuses it with ErrConnectRate or
// ErrAccountRate.
func (a *Account) Connect(now time.Time) *failure.Error {
	if !a.connects.Take(a.connectLimit, now) {
		return ErrConnectRate
	}
	return a.Request(now)
}

// Throttle is the limit of a route. The zero value is no limit.
type Throttle struct {
	bucket *Bucket
	limit  Limit
}

// Take counts a request, or refuses it with ErrRouteRate.
func (t Throttle) Take(now time.Time) *failure.Error {
	if t.bucket != nil && !t.bucket.Take(t.limit, now) {
		return ErrRouteRate
	}
	return nil
}

// Limit returns the limit; zero for none.
func (t Throttle) Limit() Limit { return t.limit }

// Route gives the throttle of a stage's route. Its own settings apply to it
// alone. Routes without any share those of the stage's default settings. A
// rate without a burst, and the other way about, is completed from the stage's
// default settings, then from the account's. The buckets are those that
// earlier throttles of the same route have.
func (b *Buckets) Route(s *apigw.Stage, routeKey string, account AccountRates) Throttle {
	stage := rateOf(s.DefaultRouteSettings)
	if own := rateOf(s.RouteSettings[routeKey]); own != (Rate{}) {
		return Throttle{b.get("route", s.ApiId, s.StageName, routeKey), own.limit(stage, account.Requests)}
	}
	if stage != (Rate{}) {
		return Throttle{b.get("stage", s.ApiId, s.StageName), stage.limit(account.Requests)}
	}
	return Throttle{}
}

func rateOf(settings *apigw.RouteSettings) Rate {
	if settings == nil {
		return Rate{}
	}
	return Rate{settings.ThrottlingRateLimit, settings.ThrottlingBurstLimit}
}

// Completed returns a rate with what it lacks from others, the first that has it.
// What none has is a burst of one second, or a rate of one burst in a second. The
// rate of nothing stays one.
func (r Rate) Completed(others ...Rate) Rate {
	if r == (Rate{}) {
		return r
	}
	for _, other := range others {
		if r.PerSecond == 0 {
			r.PerSecond = other.PerSecond
		}
		if r.Burst == 0 {
			r.Burst = other.Burst
		}
	}
	if r.PerSecond == 0 {
		r.PerSecond = float64(r.Burst)
	}
	if r.Burst == 0 {
		r.Burst = int(min(max(1, math.Ceil(r.PerSecond)), math.MaxInt32))
	}
	return r
}

// limit returns the limit that a rate is, completed from others.
func (r Rate) limit(others ...Rate) Limit {
	if r == (Rate{}) {
		return Limit{}
	}
	r = r.Completed(others...)
	return NewLimit(r.PerSecond, r.Burst)
}

// Limit gives the limit that a rate alone is: with a burst of one second where
// it has none. The rate of nothing is no limit.
func (r Rate) Limit() Limit { return r.limit() }
