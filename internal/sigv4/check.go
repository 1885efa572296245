package sigv4

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// checkTime checks that the signature is current.
func (c *claim) checkTime(now time.Time) error {
	var valid bool
	if c.time, valid = parseTime(c.rawTime); !valid {
		return incomplete("Date must be in ISO-8601 'basic format'. Got " + quote(c.rawTime) +
			". See http://en.wikipedia.org/wiki/ISO_8601")
	}
	life := MaxSkew
	if c.expires != "" {
		seconds, err := strconv.ParseUint(c.expires, 10, 32)
		if err != nil || seconds == 0 || strconv.FormatUint(seconds, 10) != c.expires {
			return incomplete("X-Amz-Expires must be a positive number of seconds. Got " + quote(c.expires) + ".")
		}
		if life = time.Duration(seconds) * time.Second; life > MaxExpires {
			return incomplete("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds")
		}
	}
	if earliest := now.Add(-life); c.time.Before(earliest) {
		return invalid("Signature expired: " + c.rawTime + " is now earlier than " + earliest.Format(timeFormat) +
			" (" + now.Format(timeFormat) + " - " + inWords(life) + ")")
	}
	if latest := now.Add(MaxSkew); c.time.After(latest) {
		return invalid("Signature not yet current: " + c.rawTime + " is still later than " + latest.Format(timeFormat) +
			" (" + now.Format(timeFormat) + " + " + inWords(MaxSkew) + ")")
	}
	return nil
}

// parseTime reads a time in timeFormat, every digit of it.
func parseTime(text string) (t time.Time, valid bool) {
	if len(text) != len(timeFormat) || text[8] != 'T' || text[15] != 'Z' {
		return time.Time{}, false
	}
	number := func(from, to int) (n int) {
		for i := from; i < to; i++ {
			n = 10*n + int(text[i]-'0')
		}
		return n
	}
	for i := range len(text) {
		if i != 8 && i != 15 && (text[i] < '0' || text[i] > '9') {
			return time.Time{}, false
		}
	}
	year, month, day := number(0, 4), number(4, 6), number(6, 8)
	hour, minute, second := number(9, 11), number(11, 13), number(13, 15)
	t = time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	y, m, d := t.Date() // another day than that one where there is no such day
	return t, y == year && int(m) == month && d == day && hour < 24 && minute < 60 && second < 60
}

func inWords(d time.Duration) string {
	if d%time.Minute == 0 {
		return strconv.FormatInt(int64(d/time.Minute), 10) + " min."
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + " sec."
}

// checkForm checks the parts that are the same for every service.
func (c *claim) checkForm() error {
	c.headerNames = strings.Split(strings.ToLower(c.headerList), ";")
	slices.Sort(c.headerNames)
	c.headerNames = slices.Compact(c.headerNames)
	if !slices.Contains(c.headerNames, "host") {
		return invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	if c.algorithm != algorithm {
		return incomplete("Unsupported AWS 'algorithm': " + quote(c.algorithm) + " (only AWS4-HMAC-SHA256 for now). ")
	}
	parts := strings.Split(c.credential, "/")
	if len(parts) != 5 {
		return incomplete("Credential must have exactly 5 slash-delimited elements, " +
			"e.g. keyid/date/region/service/term, got " + quote(c.credential))
	}
	c.accessKeyID, c.scopeDate, c.scopeRegion, c.scopeService, c.scopeEnd = parts[0], parts[1], parts[2], parts[3], parts[4]
	return nil
}

// checkScope checks that the signature is for this region, service and day.
func (c *claim) checkScope(region, service string) error {
	var wrong strings.Builder
	if c.scopeRegion != region {
		wrong.WriteString("Credential should be scoped to a valid region. ")
	}
	if c.scopeService != service {
		wrong.WriteString("Credential should be scoped to correct service: '" + service + "'. ")
	}
	if c.scopeEnd != terminator {
		wrong.WriteString("Credential should be scoped with a valid terminator: '" + terminator + "', not " + quote(c.scopeEnd) + ". ")
	}
	if day := c.rawTime[:len(dateFormat)]; c.scopeDate != day { // rawTime is in timeFormat
		wrong.WriteString("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: " +
			quote(c.scopeDate) + " != '" + day + "', from '" + c.rawTime + "'. ")
	}
	if wrong.Len() == 0 {
		return nil
	}
	if c.scopeRegion != region {
		// This is added to AWS's text, because a client cannot know the
		// gateway's region.
		wrong.WriteString("The region of this gateway is '" + region + "', not " + quote(c.scopeRegion) + ".")
	}
	return invalid(wrong.String())
}

func (c *claim) scope() string {
	return c.scopeDate + "/" + c.scopeRegion + "/" + c.scopeService + "/" + c.scopeEnd
}
