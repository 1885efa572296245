package model

import (
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/javaregexp"
	"github.com/stagedoor/stagedoor/internal/lazyregexp"
)

// formatOf returns whether a text has a format of draft-04. It is nil for other
// formats, which are ignored, as the specification says.
func formatOf(name string) func(text string) bool {
	switch name {
	case "date-time":
		return isDateTime
	case "email":
		return isEmail
	case "hostname":
		return isHostname
	case "ipv4":
		return isIPv4
	case "ipv6":
		return isIPv6
	case "regex":
		return func(text string) bool {
			_, err := javaregexp.CompileFinder(text)
			return err == nil
		}
	case "uri":
		return isURI
	}
	return nil
}

// dateTime is RFC 3339's: the day, the time, and the offset.
var dateTime = lazyregexp.New(`^(\d{4}-\d\d-\d\d)[Tt]((?:[01]\d|2[0-3]):[0-5]\d):([0-5]\d|60)(?:\.\d+)?(?:[Zz]|([+-])((?:[01]\d|2[0-3]):[0-5]\d))$`)

func isDateTime(text string) bool {
	parts := dateTime.FindStringSubmatch(text)
	if parts == nil {
		return false
	}
	if _, err := time.Parse(time.DateOnly, parts[1]); err != nil {
		return false
	}
	if parts[3] != "60" {
		return true
	}
	// A leap second ends the day in UTC.
	at := minutes(parts[2])
	switch parts[4] {
	case "+":
		at -= minutes(parts[5])
	case "-":
		at += minutes(parts[5])
	}
	const day = 24 * 60
	return (at+day)%day == day-1
}

// minutes returns how many there are in hh:mm.
func minutes(text string) int {
	digit := func(i int) int { return int(text[i] - '0') }
	return (10*digit(0)+digit(1))*60 + 10*digit(3) + digit(4)
}

func isEmail(text string) bool {
	const longest, longestLocal = 254, 64
	at := strings.LastIndexByte(text, '@')
	if at < 0 || len(text) > longest || at > longestLocal {
		return false
	}
	local, domain := text[:at], text[at+1:]
	if len(local) > 1 && local[0] == '"' && local[at-1] == '"' {
		if strings.ContainsAny(local[1:at-1], `\"`) {
			return false
		}
	} else if strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") ||
		strings.ContainsFunc(local, func(r rune) bool { return !isAlphanumeric(r) && !strings.ContainsRune(".!#$%&'*+-/=?^_`{|}~", r) }) {
		return false
	}
	if literal, ok := strings.CutPrefix(domain, "["); ok && strings.HasSuffix(literal, "]") {
		literal = strings.TrimSuffix(literal, "]")
		if v6, ok := strings.CutPrefix(literal, "IPv6:"); ok {
			return isIPv6(v6)
		}
		return isIPv4(literal)
	}
	return isHostname(domain)
}

func isAlphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

func isHostname(text string) bool {
	const longest, longestLabel = 253, 63
	text = strings.TrimSuffix(text, ".")
	if len(text) > longest {
		return false
	}
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || len(label) > longestLabel || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool { return !isAlphanumeric(r) && r != '-' }) {
			return false
		}
	}
	return true
}

func isIPv4(text string) bool {
	address, err := netip.ParseAddr(text)
	return err == nil && address.Is4()
}

func isIPv6(text string) bool {
	address, err := netip.ParseAddr(text)
	return err == nil && address.Is6() && address.Zone() == ""
}

func isURI(text string) bool {
	u, err := url.Parse(text)
	if err != nil || !u.IsAbs() {
		return false
	}
	host := u.Hostname()
	return !strings.Contains(host, ":") || strings.HasPrefix(u.Host, "[") && isIPv6(host)
}
