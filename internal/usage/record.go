package usage

import (
	"errors"
	"fmt"
	"time"
)

// Key is an API key: what a client shows to be let in under a usage plan.
// Member names are those of API Gateway's REST API.
type Key struct {
	Id              string
	Name            string `json:",omitempty"`
	Description     string `json:",omitempty"`
	Value           string // the secret; 20 to 128 characters
	Enabled         bool
	Tags            map[string]string `json:",omitempty"`
	CreatedDate     time.Time         `json:",omitzero"`
	LastUpdatedDate time.Time         `json:",omitzero"`
}

// Plan is a usage plan: which keys open which stages, how fast and how often.
type Plan struct {
	Id          string
	Name        string            `json:",omitempty"`
	Description string            `json:",omitempty"`
	ApiStages   []PlanStage       `json:",omitempty"`
	Throttle    *Throttling       `json:",omitempty"` // of each key, over all stages
	Quota       *Quota            `json:",omitempty"` // of each key, over all stages
	KeyIds      []string          `json:",omitempty"`
	Tags        map[string]string `json:",omitempty"`
}

// PlanStage is a stage that a plan's keys open.
type PlanStage struct {
	ApiId    string
	Stage    string
	Throttle map[string]*Throttling `json:",omitempty"` // of each key, by route key
}

// Throttling is a rate in requests per second, and a burst in requests.
type Throttling struct {
	RateLimit  float64 `json:",omitempty"`
	BurstLimit int     `json:",omitempty"`
}

// Periods of quotas.
const (
	PeriodDay   = "DAY"
	PeriodWeek  = "WEEK"
	PeriodMonth = "MONTH"
)

// Quota is a number of requests in a period.
type Quota struct {
	Limit int64
	// Offset is the day on which a period begins: 0 is Sunday for WEEK and the
	// first for MONTH.
	Offset int `json:",omitempty"`
	Period string
}

// Lengths of a key's value.
const (
	minKeyLength = 20
	maxKeyLength = 128
)

// Validate says what of a key is wrong. It does not quote the value.
func (k *Key) Validate() error {
	if n := len(k.Value); n < minKeyLength || n > maxKeyLength {
		return fmt.Errorf("the value of an API key has %d to %d characters, not %d", minKeyLength, maxKeyLength, n)
	}
	if k.Id == "" {
		return errors.New("an API key needs an id")
	}
	return nil
}

// Validate says what of a plan is wrong.
func (p *Plan) Validate() error {
	if p.Id == "" {
		return errors.New("a usage plan needs an id")
	}
	if err := p.Throttle.validate(); err != nil {
		return err
	}
	for _, stage := range p.ApiStages {
		if stage.ApiId == "" || stage.Stage == "" {
			return errors.New("a stage of a usage plan needs an apiId and a stage")
		}
		for route, throttle := range stage.Throttle {
			if err := throttle.validate(); err != nil {
				return fmt.Errorf("stage %s:%s, route %s: %w", stage.ApiId, stage.Stage, route, err)
			}
		}
	}
	return p.Quota.validate()
}

func (t *Throttling) validate() error {
	if t != nil && (!(t.RateLimit >= 0) || t.BurstLimit < 0) {
		return errors.New("the limits of a throttle cannot be negative")
	}
	return nil
}

func (t *Throttling) rate() Rate {
	if t == nil {
		return Rate{}
	}
	return Rate{t.RateLimit, t.BurstLimit}
}

func (q *Quota) validate() error {
	if q == nil {
		return nil
	}
	if q.Limit < 0 {
		return errors.New("the limit of a quota cannot be negative")
	}
	offsets := map[string]int{PeriodDay: 0, PeriodWeek: 6, PeriodMonth: 27}
	last, known := offsets[q.Period]
	switch {
	case !known:
		return fmt.Errorf("the period of a quota is DAY, WEEK or MONTH, not %q", q.Period)
	case q.Offset < 0 || q.Offset > last:
		return fmt.Errorf("the offset of a quota for a %s is from 0 to %d, not %d", q.Period, last, q.Offset)
	}
	return nil
}

// period is a time in which a quota holds. Periods of one kind follow each
// other.
type period struct {
	Kind  string `json:"kind"`  // what the quota says of periods
	Start int64  `json:"start"` // seconds since 1970
}

// after says whether a period is a later one of the same kind.
func (p period) after(other period) bool { return p.Kind == other.Kind && p.Start > other.Start }

// at gives the period that a time is in. Days are UTC's.
func (q *Quota) at(now time.Time) period {
	year, month, day := now.UTC().Date()
	start := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	switch q.Period {
	case PeriodWeek:
		start = start.AddDate(0, 0, -(int(start.Weekday())-q.Offset+7)%7)
	case PeriodMonth:
		if day <= q.Offset {
			month--
		}
		start = time.Date(year, month, 1+q.Offset, 0, 0, 0, 0, time.UTC)
	}
	return period{fmt.Sprintf("%s+%d", q.Period, q.Offset), start.Unix()}
}
