package iampolicy

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// stringTest compares text that may have variables, but no wildcards.
type stringTest struct {
	pattern
	equal func(a, b string) bool
}

func (t stringTest) test(e *evaluation, value string) match {
	text, ok := t.expand(e)
	switch {
	case !ok:
		return noValue
	case t.equal(text, value):
		return matched
	}
	return different
}

func compileEquals(x syntax, value string) (test, error) {
	p, err := x.compile(value)
	return stringTest{p, func(a, b string) bool { return a == b }}, err
}

func compileEqualsIgnoreCase(x syntax, value string) (test, error) {
	p, err := x.compile(value)
	return stringTest{p, strings.EqualFold}, err
}

type likeTest struct{ pattern }

func (t likeTest) test(e *evaluation, value string) match { return t.matches(e, value) }

func compileLike(x syntax, value string) (test, error) {
	x.wildcards = true
	p, err := x.compile(value)
	return likeTest{p}, err
}

// arnTest compares the six parts of ARNs one by one: a wildcard doesn't match a
// colon, except in the last part, which may have colons.
type arnTest struct{ pattern }

const arnParts = 6

func (t arnTest) test(e *evaluation, value string) match {
	text, ok := t.expand(e)
	if !ok {
		return noValue
	}
	if text == string([]byte{anyRun}) {
		return matched
	}
	for range arnParts - 1 {
		part, rest, found := strings.Cut(text, ":")
		valuePart, valueRest, valueFound := strings.Cut(value, ":")
		if !found || !valueFound || !glob(part, valuePart) {
			return different
		}
		text, value = rest, valueRest
	}
	if glob(text, value) {
		return matched
	}
	return different
}

func compileARN(x syntax, value string) (test, error) {
	x.wildcards = true
	p, err := x.compile(value)
	if err == nil && value != "*" && len(p.parts) == 1 && strings.Count(value, ":") < arnParts-1 {
		err = mistake("%s is not an ARN", quote(value))
	}
	return arnTest{p}, err
}

// order is a set of outcomes of a comparison.
type order int

const (
	less order = 1 << iota
	equal
	greater
)

// has reports whether the outcome of a compare function is in the set.
func (o order) has(outcome int) bool { return o&(less<<(outcome+1)) != 0 }

type numberTest struct {
	number float64
	wanted order
}

func (t numberTest) test(_ *evaluation, value string) match {
	number, ok := parseNumber(value)
	switch {
	case !ok:
		return unusable
	case t.wanted.has(cmp.Compare(number, t.number)):
		return matched
	}
	return different
}

// parseNumber reads a decimal number. It refuses other texts that strconv
// reads, such as "NaN".
func parseNumber(text string) (float64, bool) {
	if strings.Trim(text, "0123456789.-+eE") != "" {
		return 0, false
	}
	number, err := strconv.ParseFloat(text, 64)
	return number, err == nil
}

func compileNumber(wanted order) func(syntax, string) (test, error) {
	return func(_ syntax, value string) (test, error) {
		number, ok := parseNumber(value)
		if !ok {
			return nil, mistake("%s is not a number", quote(value))
		}
		return numberTest{number, wanted}, nil
	}
}

type dateTest struct {
	date   time.Time
	wanted order
}

func (t dateTest) test(_ *evaluation, value string) match {
	date, ok := parseDate(value)
	switch {
	case !ok:
		return unusable
	case t.wanted.has(date.Compare(t.date)):
		return matched
	}
	return different
}

// parseDate reads a date of ISO 8601 in the forms that W3C names, or seconds
// since 1970.
func parseDate(text string) (time.Time, bool) {
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02", "2006-01"} {
		if date, err := time.Parse(layout, text); err == nil {
			return date, true
		}
	}
	if len(text) == len("2006") {
		date, err := time.Parse("2006", text)
		return date, err == nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(seconds, 0), err == nil
}

func compileDate(wanted order) func(syntax, string) (test, error) {
	return func(_ syntax, value string) (test, error) {
		date, ok := parseDate(value)
		if !ok {
			return nil, mistake("%s is not a date", quote(value))
		}
		return dateTest{date, wanted}, nil
	}
}

type boolTest bool

func (t boolTest) test(_ *evaluation, value string) match {
	switch truth, ok := parseBool(value); {
	case !ok:
		return unusable
	case truth == bool(t):
		return matched
	}
	return different
}

func parseBool(text string) (truth, ok bool) {
	truth = strings.EqualFold(text, "true")
	return truth, truth || strings.EqualFold(text, "false")
}

func compileBool(_ syntax, value string) (test, error) {
	truth, ok := parseBool(value)
	if !ok {
		return nil, mistake("%s is neither true nor false", quote(value))
	}
	return boolTest(truth), nil
}

type binaryTest []byte

func (t binaryTest) test(_ *evaluation, value string) match {
	switch data, err := base64.StdEncoding.DecodeString(value); {
	case err != nil:
		return unusable
	case bytes.Equal(data, t):
		return matched
	}
	return different
}

func compileBinary(_ syntax, value string) (test, error) {
	data, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return nil, mistake("%s is not in base64", quote(value))
	}
	return binaryTest(data), nil
}

type addressTest netip.Prefix

func (t addressTest) test(_ *evaluation, value string) match {
	switch address, err := netip.ParseAddr(value); {
	case err != nil:
		return unusable
	case netip.Prefix(t).Contains(address.Unmap().WithZone("")):
		return matched
	}
	return different
}

func compileAddress(_ syntax, value string) (test, error) {
	if address, err := netip.ParseAddr(value); err == nil && address.Zone() == "" {
		return addressTest(netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen())), nil
	}
	prefix, err := netip.ParsePrefix(value)
	if err != nil {
		return nil, mistake("%s is neither an IP address nor a range of them", quote(value))
	}
	return addressTest(prefix.Masked()), nil
}
