package shortfile

import "github.com/stagedoor/stagedoor/internal/lazyregexp"

// subject matches a route to a NATS subject that has placeholders and is not
// quoted: `audit: {nats: events/audit.{message}}`. YAML does not allow braces
// in a plain word between braces.
var subject = lazyregexp.New(`(?m)^([ \t]*[^\s#:]+:[ \t]*\{[ \t]*nats:[ \t]*)([^"'\s][^"'\n]*\}[^"'\n]*)(\}[ \t]*(?:#.*)?)$`)

// QuoteSubjects puts the subjects of a file's routes in quotes where YAML needs
// these, so that the file can be read. The numbers of lines do not change.
func QuoteSubjects(text []byte) []byte {
	return subject.Compiled().ReplaceAll(text, []byte(`$1"$2"$3`))
}
