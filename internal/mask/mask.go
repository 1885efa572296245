// Package mask hides secrets in what is shown to people: the values of members, header
// lines and parameters whose names sound like secrets. It knows texts by their form
// alone, and takes those that were cut off or are not quite JSON.
//
// Whoever shows a client's or a backend's payloads uses it.
package mask

import (
	"strings"
	"unicode"
)

// Hidden stands in the place of a secret.
const Hidden = "***"

// parts are what a name has in it that stands for a secret, in the form of plain.
var parts = []string{
	"authorization", "password", "passwd", "passphrase", "passcode", "pwd", "secret", "token", "apikey", "accesskey",
	"privatekey", "signingkey", "encryptionkey", "credential", "cookie", "signature", "sessionid", "jwt",
}

// names are whole names of secrets, in the form of plain.
var names = map[string]bool{"auth": true, "pass": true, "pin": true, "otp": true, "cvv": true, "cvc": true, "sig": true}

// IsSecret reports whether the name of a member, a header line or a parameter sounds like
// one of a secret: "Authorization", "x-api-key", "refresh_token", "clientSecret".
func IsSecret(name string) bool {
	name = plain(name)
	if names[name] {
		return true
	}
	for _, part := range parts {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// plain is a name without what people separate words with, in lower case.
func plain(name string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return unicode.ToLower(c)
		}
		return -1
	}, name)
}

// Value returns the value of a header line or a parameter as it is shown.
func Value(name, value string) string {
	switch {
	case IsSecret(name), hasScheme(value):
		return Hidden
	case strings.EqualFold(name, "Sec-WebSocket-Protocol"):
		return subprotocols(value)
	}
	return string(Append(nil, []byte(value)))
}

// hasScheme reports whether a header's value is a credential, whatever its name.
func hasScheme(value string) bool {
	scheme, _, found := strings.Cut(value, " ")
	return found && (strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "Basic"))
}

// maxSubprotocol is the length of the longest subprotocol that is shown. Scripts in
// browsers can set no header, so that some send tokens as subprotocols.
const maxSubprotocol = 32

func subprotocols(value string) string {
	list := strings.Split(value, ",")
	for i, protocol := range list {
		protocol = strings.TrimSpace(protocol)
		if strings.HasPrefix(protocol, "bearer.") || len(protocol) > maxSubprotocol {
			protocol = Hidden
		}
		list[i] = protocol
	}
	return strings.Join(list, ", ")
}
