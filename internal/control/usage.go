package control

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/stagedoor/stagedoor/internal/apigw"
	"github.com/stagedoor/stagedoor/internal/apigw/wirev1"
	"github.com/stagedoor/stagedoor/internal/store"
	"github.com/stagedoor/stagedoor/internal/usage"
)

func (s *server) usageOperations() []handler {
	return []handler{
		operation(wirev1.GetUsage, s.getUsage),
		operation(wirev1.UpdateUsage, s.updateUsage),
	}
}

// maxUsageDays is the largest number of days in an answer of GetUsage.
const maxUsageDays = 90

// getUsage returns, for every key of a plan and every day, how many requests
// were made and how many of the quota remained. Under a plan without a quota
// nothing is counted, and its keys are left out.
func (s *server) getUsage(ctx context.Context, in *wirev1.GetUsageRequest) (*wirev1.Usage, error) {
	days, err := daysBetween(*in.StartDate, *in.EndDate)
	if err != nil {
		return nil, err
	}
	plan, _, err := s.loadPlan(ctx, in.UsagePlanId)
	if err != nil {
		return nil, err
	}
	out := &wirev1.Usage{UsagePlanId: &plan.Id, StartDate: in.StartDate, EndDate: in.EndDate, Items: make(map[string][][]int)}
	if plan.Quota == nil {
		return out, nil
	}
	counts, err := s.Store.Usage.List(ctx, plan.Id)
	if err != nil {
		return nil, err
	}
	used := make(map[string]*apigw.Usage, len(counts))
	for _, count := range values(counts) {
		used[count.KeyId] = count
	}
	ids := slices.DeleteFunc(slices.Clone(plan.KeyIds), func(id string) bool { return in.KeyId != nil && id != *in.KeyId })
	ids, next, err := pageV1(ids, func(id string) string { return id }, func(id string) string { return id }, in.Limit, in.Position)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		out.Items[id] = usageByDay(plan.Quota, used[id], days)
	}
	out.Position = next
	return out, nil
}

// daysBetween returns the days from one to another, both included.
func daysBetween(start, end string) ([]time.Time, error) {
	first, err := time.Parse(time.DateOnly, start)
	if err != nil {
		return nil, apigw.BadRequest("Invalid startDate specified: " + start + ". The format must be YYYY-MM-DD")
	}
	last, err := time.Parse(time.DateOnly, end)
	if err != nil {
		return nil, apigw.BadRequest("Invalid endDate specified: " + end + ". The format must be YYYY-MM-DD")
	}
	var days []time.Time
	for day := first; !day.After(last); day = day.AddDate(0, 0, 1) {
		if days = append(days, day); len(days) > maxUsageDays {
			break
		}
	}
	if len(days) == 0 || len(days) > maxUsageDays {
		return nil, apigw.BadRequest("Invalid date range specified: endDate must be from 0 to 89 days after startDate")
	}
	return days, nil
}

// usageByDay returns for each day two numbers: the requests of that day, and
// what then remained of the period's quota.
func usageByDay(quota *apigw.Quota, used *apigw.Usage, days []time.Time) [][]int {
	if used == nil {
		used = &apigw.Usage{}
	}
	counts := make([][]int, len(days))
	for i, day := range days {
		date := day.Format(time.DateOnly)
		left := quota.Limit - int(usage.Used(used, usage.PeriodStart(*quota, day), date))
		counts[i] = []int{int(used.Used[date]), max(0, left)}
	}
	return counts
}

// updateUsage sets what remains of a key's quota in the current period.
func (s *server) updateUsage(ctx context.Context, in *wirev1.UpdateUsageRequest) (*wirev1.Usage, error) {
	plan, _, err := s.loadPlan(ctx, in.UsagePlanId)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(plan.KeyIds, in.KeyId) {
		return nil, errNoPlanKey
	}
	if plan.Quota == nil {
		return nil, apigw.BadRequest("Usage Plan " + plan.Id + " has no quota")
	}
	now := s.now()
	today := now.Format(time.DateOnly)
	count, err := s.changeUsage(ctx, plan.Id, in.KeyId, func(count *apigw.Usage) error {
		start := usage.PeriodStart(*plan.Quota, now)
		grant := func(n int) {
			if count.Granted == nil {
				count.Granted = make(map[string]int64)
			}
			count.Granted[start] += int64(n) - (int64(plan.Quota.Limit) - usage.Used(count, start, today))
		}
		return patches{"replace": {"/remaining": toNumber("remaining", parseRemaining, grant)}}.apply(in.PatchOperations)
	})
	if err != nil {
		return nil, err
	}
	return &wirev1.Usage{
		UsagePlanId: &plan.Id, StartDate: &today, EndDate: &today,
		Items: map[string][][]int{in.KeyId: usageByDay(plan.Quota, count, []time.Time{now})},
	}, nil
}

func parseRemaining(text string) (int, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err == nil && n < 0 {
		err = errors.New("it is negative")
	}
	return int(n), err
}

// changeUsage changes the counts of a key of a plan. Nodes write these all the
// time, so it tries again where another write came first.
func (s *server) changeUsage(ctx context.Context, planID, keyID string, change func(*apigw.Usage) error) (*apigw.Usage, error) {
	for {
		count, revision, err := s.Store.Usage.Get(ctx, planID, keyID)
		if errors.Is(err, store.ErrNotFound) {
			count, err = &apigw.Usage{UsagePlanId: planID, KeyId: keyID}, nil
		}
		if err != nil {
			return nil, err
		}
		if err := change(count); err != nil {
			return nil, err
		}
		if _, err = s.Store.Usage.Put(ctx, count, revision); !errors.Is(err, store.ErrConflict) || ctx.Err() != nil {
			return count, err
		}
	}
}
