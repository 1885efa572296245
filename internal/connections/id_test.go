package connections

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// Specification, section B.1: 20 characters, ending in "==", with a tail that
// the ids of one connection share.
func TestID(t *testing.T) {
	form := regexp.MustCompile(`^[A-Za-z0-9_-]{18}==$`)
	seen := map[string]bool{}
	for range 1000 {
		id := NewID(0x1234)
		message := apigw.NewMessageID(id.String())
		if back, ok := ParseID(id.String()); !ok || back != id {
			t.Fatalf("ParseID(%q) = %v, %v", id, back, ok)
		}
		for _, s := range []string{id.String(), message} {
			if !form.MatchString(s) {
				t.Fatalf("%q does not have the form of an id", s)
			}
			if seen[s] {
				t.Fatalf("%q came twice", s)
			}
			seen[s] = true
		}
		if id.String()[8:] != message[8:] {
			t.Fatalf("%s and %s do not share a tail", id, message)
		}
	}
}

// Any single changed character makes an id one that was never issued.
func TestParseIDRefuses(t *testing.T) {
	id := NewID(7).String()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ \x00é"
	for i := range id {
		for _, c := range alphabet {
			if changed := id[:i] + string(c) + id[i+1:]; changed != id {
				if _, ok := ParseID(changed); ok {
					t.Errorf("%q was taken for an id (from %q)", changed, id)
				}
			}
		}
	}
	for _, s := range []string{"", "==", id[:19], id + "=", "Llf4ceE2NjMCF7w=", strings.Repeat("A", 1<<20)} {
		if _, ok := ParseID(s); ok {
			t.Errorf("%.30q was taken for an id", s)
		}
	}
}
