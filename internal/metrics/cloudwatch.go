package metrics

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// CloudWatch sends what API Gateway counts to CloudWatch, under the names that it has
// there: namespace AWS/ApiGateway, dimensions ApiId; ApiId and Stage; ApiId, Stage and
// Route. It belongs to one goroutine.
type CloudWatch struct {
	metrics *Metrics
	send    func(ctx context.Context, form []byte) error
	log     *slog.Logger
	failing bool
	sent    map[Labels]sums // what was counted when the last numbers were sent
}

// sums are the numbers of some series.
type sums struct {
	events, connects, messages                       uint64
	clientErrors, executionErrors, integrationErrors uint64
	latency                                          counts
}

// cloudWatchInterval is the time between two calls of CloudWatch.
const cloudWatchInterval = time.Minute

// NewCloudWatch makes what sends the numbers. send makes one call of PutMetricData with a
// form.
func (m *Metrics) NewCloudWatch(send func(ctx context.Context, form []byte) error, log *slog.Logger) *CloudWatch {
	return &CloudWatch{metrics: m, send: send, log: log, sent: map[Labels]sums{}}
}

// Run sends what was counted, every minute and at the end of ctx.
func (c *CloudWatch) Run(ctx context.Context) {
	ticker := time.NewTicker(cloudWatchInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			c.flush(ctx, time.Now())
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			c.flush(last, time.Now())
			return
		}
	}
}

// A call takes no more numbers and bytes than this, by CloudWatch's quotas.
const (
	mostData  = 1000
	mostBytes = 1_000_000
)

// flush sends what was counted since the last time. What cannot be sent is lost, and told
// once.
func (c *CloudWatch) flush(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, cloudWatchInterval/2)
	defer cancel()
	for form := range forms(c.data(), now) {
		err := c.send(ctx, form)
		switch {
		case err != nil && !c.failing:
			c.log.Warn("metrics cannot be sent to CloudWatch; those of later minutes are tried", "error", err)
		case err == nil && c.failing:
			c.log.Info("metrics are sent to CloudWatch again")
		}
		c.failing = err != nil
	}
}

// datum is a number of CloudWatch.
type datum struct {
	name, unit string
	of         Labels // an empty Stage or Route is no dimension
	values     []float64
	counts     []uint64
}

// data returns what was counted since the last time, by dimensions.
func (c *CloudWatch) data() (list []datum) {
	totals, sent := map[Labels]sums{}, map[Labels]sums{}
	for _, s := range c.metrics.stages.all() {
		now := s.read()
		sent[s.Labels] = now
		changed := now.minus(c.sent[s.Labels])
		dimensions := []Labels{{APIID: s.APIID}, {APIID: s.APIID, Stage: s.Stage}}
		if s.Route != "" {
			dimensions = append(dimensions, Labels{APIID: s.APIID, Stage: s.Stage, Route: s.Route})
		}
		for _, l := range dimensions {
			totals[l] = totals[l].plus(changed)
		}
	}
	c.sent = sent
	for _, l := range slices.SortedFunc(maps.Keys(totals), func(a, b Labels) int {
		return cmp.Or(cmp.Compare(a.APIID, b.APIID), cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Route, b.Route))
	}) {
		list = append(list, totals[l].data(l)...)
	}
	return list
}

// data are the numbers as CloudWatch has them: one sample for each event, for errors also
// where there is none.
func (s sums) data(l Labels) (list []datum) {
	add := func(name, unit string, values []float64, counts []uint64) {
		list = append(list, datum{name, unit, l, values, counts})
	}
	for _, n := range []struct {
		name  string
		count uint64
	}{{"ConnectCount", s.connects}, {"MessageCount", s.messages}} {
		if n.count > 0 {
			add(n.name, "Count", []float64{1}, []uint64{n.count})
		}
	}
	for _, n := range []struct {
		name  string
		count uint64
	}{{"ClientError", s.clientErrors}, {"ExecutionError", s.executionErrors}, {"IntegrationError", s.integrationErrors}} {
		switch none := s.events - min(n.count, s.events); {
		case s.events == 0:
		case n.count == 0:
			add(n.name, "Count", []float64{0}, []uint64{none})
		case none == 0:
			add(n.name, "Count", []float64{1}, []uint64{n.count})
		default:
			add(n.name, "Count", []float64{0, 1}, []uint64{none, n.count})
		}
	}
	if values, counts := s.latency.samples(); len(values) > 0 {
		add("IntegrationLatency", "Milliseconds", values, counts)
	}
	return list
}

// read returns the numbers of a series until now.
func (s *Series) read() sums {
	return sums{
		s.events.Load(), s.connects.Load(), s.messages.Load(),
		s.clientErrors.Load(), s.executionErrors.Load(), s.integrationErrors.Load(), s.latency.read(),
	}
}

func (s sums) minus(o sums) sums {
	return sums{
		s.events - o.events, s.connects - o.connects, s.messages - o.messages, s.clientErrors - o.clientErrors,
		s.executionErrors - o.executionErrors, s.integrationErrors - o.integrationErrors, s.latency.minus(o.latency),
	}
}

func (s sums) plus(o sums) sums {
	latency := counts{native: map[int]int64{}}
	for _, c := range []counts{s.latency, o.latency} {
		for i, n := range c.native {
			latency.native[i] += n
		}
	}
	return sums{
		s.events + o.events, s.connects + o.connects, s.messages + o.messages, s.clientErrors + o.clientErrors,
		s.executionErrors + o.executionErrors, s.integrationErrors + o.integrationErrors, latency,
	}
}

// mostValues is how many values a number may have, by CloudWatch's quotas.
const mostValues = 150

// samples are the durations in milliseconds, as the middles of their buckets, and how many
// there were of each. Where there are too many buckets, those of the shortest are one.
func (c counts) samples() (values []float64, number []uint64) {
	for _, i := range slices.Sorted(maps.Keys(c.native)) {
		middle := (bucketBound(i-1) + bucketBound(i)) / 2
		values = append(values, float64(middle.Microseconds())/1000)
		number = append(number, uint64(c.native[i])) // never negative
	}
	for len(values) > mostValues {
		number[1] += number[0]
		values, number = values[1:], number[1:]
	}
	return values, number
}

// forms are calls of PutMetricData that have all the numbers, each within CloudWatch's quotas.
func forms(data []datum, now time.Time) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(data) > 0 {
			n := min(len(data), mostData)
			f := form(data[:n], now)
			for ; len(f) > mostBytes && n > 1; f = form(data[:n], now) {
				n = (n + 1) / 2
			}
			if !yield(f) {
				return
			}
			data = data[n:]
		}
	}
}

// form is a call of PutMetricData.
func form(data []datum, now time.Time) []byte {
	f := url.Values{"Action": {"PutMetricData"}, "Version": {"2010-08-01"}, "Namespace": {"AWS/ApiGateway"}}
	for i, d := range data {
		at := fmt.Sprintf("MetricData.member.%d.", i+1)
		f.Set(at+"MetricName", d.name)
		f.Set(at+"Unit", d.unit)
		f.Set(at+"Timestamp", now.UTC().Format(time.RFC3339))
		dimensions := 0
		for _, l := range [][2]string{{"ApiId", d.of.APIID}, {"Stage", d.of.Stage}, {"Route", d.of.Route}} {
			if l[1] != "" {
				dimensions++
				f.Set(fmt.Sprintf("%sDimensions.member.%d.Name", at, dimensions), l[0])
				f.Set(fmt.Sprintf("%sDimensions.member.%d.Value", at, dimensions), l[1])
			}
		}
		for j := range d.values {
			f.Set(fmt.Sprintf("%sValues.member.%d", at, j+1), strconv.FormatFloat(d.values[j], 'f', -1, 64))
			f.Set(fmt.Sprintf("%sCounts.member.%d", at, j+1), strconv.FormatUint(d.counts[j], 10))
		}
	}
	return []byte(f.Encode())
}
