package usage

import (
	"errors"
	"fmt"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// Lengths of a key's value.
const (
	minKeyLength = 20
	maxKeyLength = 128
)

// checkKey says what of a key is wrong. It does not quote the value.
func checkKey(k *apigw.ApiKey) error {
	if k.Id == "" {
		return errors.New("an API key needs an id")
	}
	if n := len(k.Value); n < minKeyLength || n > maxKeyLength {
		return fmt.Errorf("the value of an API key has %d to %d characters, not %d", minKeyLength, maxKeyLength, n)
	}
	return nil
}

// CheckPlan says what of a plan is wrong, for its owner to read.
func CheckPlan(p *apigw.UsagePlan) error {
	if p.Id == "" {
		return errors.New("a usage plan needs an id")
	}
	if err := checkThrottle(p.Throttle); err != nil {
		return err
	}
	for _, stage := range p.ApiStages {
		if stage == nil || stage.ApiId == "" || stage.Stage == "" {
			return errors.New("a stage of a usage plan needs an apiId and a stage")
		}
		for route, throttle := range stage.Throttle {
			if err := checkThrottle(throttle); err != nil {
				return fmt.Errorf("stage %s:%s, route %s: %w", stage.ApiId, stage.Stage, route, err)
			}
		}
	}
	return checkQuota(p.Quota)
}

func checkThrottle(t *apigw.Throttle) error {
	if t != nil && (!(t.RateLimit >= 0) || t.BurstLimit < 0) {
		return errors.New("the limits of a throttle cannot be negative")
	}
	return nil
}

// Periods of quotas.
const (
	periodDay   = "DAY"
	periodWeek  = "WEEK"
	periodMonth = "MONTH"
)

func checkQuota(q *apigw.Quota) error {
	if q == nil {
		return nil
	}
	if q.Limit < 0 {
		return errors.New("the limit of a quota cannot be negative")
	}
	offsets := map[string]int{periodDay: 0, periodWeek: 6, periodMonth: 27}
	last, known := offsets[q.Period]
	switch {
	case !known:
		return fmt.Errorf("the period of a quota is DAY, WEEK or MONTH, not %q", q.Period)
	case q.Offset < 0 || q.Offset > last:
		return fmt.Errorf("the offset of a quota for a %s is from 0 to %d, not %d", q.Period, last, q.Offset)
	}
	return nil
}

// PeriodStart gives the first day of a quota's period that a time is in, in the
// form of apigw.Usage. Days are UTC's. An offset is the day on which a period
// begins: 0 is Sunday for WEEK, and the first for MONTH.
func PeriodStart(q apigw.Quota, now time.Time) string {
	year, month, day := now.UTC().Date()
	start := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	switch q.Period {
	case periodWeek:
		start = start.AddDate(0, 0, -(int(start.Weekday())-q.Offset+7)%7)
	case periodMonth:
		if day <= q.Offset {
			month--
		}
		start = time.Date(year, month, 1+q.Offset, 0, 0, 0, 0, time.UTC)
	}
	return start.Format(time.DateOnly)
}

// Used returns what a key used of a quota in the period that begins on a day,
// until another day, less what an operator granted beside the quota. What is later
// was counted by a clock that was ahead.
func Used(u *apigw.Usage, start, until string) int64 {
	if u == nil {
		return 0
	}
	return between(u.Used, start, until) - u.Granted[start]
}

// between adds up the counts of the days from one to another, both included.
func between(days map[string]int64, start, until string) (sum int64) {
	for day, count := range days {
		if day >= start && day <= until {
			sum += count
		}
	}
	return sum
}
