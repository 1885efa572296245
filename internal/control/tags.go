package control

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// maxTagKey is the longest key of a tag, in characters.
const maxTagKey = 128

// checkTags returns an error unless a resource may have these tags, which are
// all of its tags.
func (s *server) checkTags(tags map[string]string) error {
	if err := checkQuota(len(tags)-1, s.Quotas.Tags, "Tags", "resource"); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		switch length := utf8.RuneCountInString(key); {
		case length < 1 || length > maxTagKey:
			return apigw.BadRequest(fmt.Sprintf("Invalid tag key %q: it must have between 1 and %d characters.", key, maxTagKey))
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return apigw.BadRequest(fmt.Sprintf("Invalid tag key %q: keys that begin with aws: are reserved.", key))
		}
	}
	return nil
}
