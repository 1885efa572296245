package shortfile

import "regexp"

// subject is a route that leads to a subject of NATS with names of places in
// it, written without quotes: `audit: {nats: events/audit.{message}}`. YAML has
// no words with braces between braces.
var subject = regexp.MustCompile(`(?m)^([ \t]*[^\s#:]+:[ \t]*\{[ \t]*nats:[ \t]*)([^"'\s][^"'\n]*\}[^"'\n]*)(\}[ \t]*(?:#.*)?)$`)

// QuoteSubjects puts the subjects of a file's routes in quotes where YAML cannot
// do without, so that a file that has them can be read. Lines stay as they are.
func QuoteSubjects(text []byte) []byte { return subject.ReplaceAll(text, []byte(`$1"$2"$3`)) }
