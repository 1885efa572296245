// Package spelling finds the name that a misspelled one most likely stands for.
// The readers of files that people write use it: of templates and of the
// configuration.
package spelling

import "strings"

// maxSuggested is the largest length of names that are compared: comparing two
// takes time in proportion to the product of their lengths.
const maxSuggested = 255

// maxCandidates is the largest number of names that a misspelled name is
// compared with.
const maxCandidates = 2000

// Nearest returns the candidate that a misspelled name most likely stands
// for, or "" when none is close enough.
func Nearest(name string, candidates []string) string {
	if name == "" || len(name) > maxSuggested {
		return ""
	}
	candidates = candidates[:min(len(candidates), maxCandidates)]
	best, bestDistance := "", len(name)/3+1
	for _, c := range candidates {
		if len(c) > maxSuggested || c == name {
			continue
		}
		if strings.EqualFold(c, name) {
			return c
		}
		if d := distance(name, c, bestDistance); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// Hint returns "; did you mean X?" with the candidate that is nearest to a
// misspelled name, as the end of a message, or "" when none is close enough.
func Hint(name string, candidates []string) string {
	if nearest := Nearest(name, candidates); nearest != "" {
		return "; did you mean " + nearest + "?"
	}
	return ""
}

// distance is the number of single-character edits between a and b; a swap of
// two neighbours counts as one. It may return any number that is not less than
// limit if the distance is not less than that.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	previous, current, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range current {
		current[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next[0] = i
		lowest := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(current[j]+1, next[j-1]+1, current[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], previous[j-2]+1)
			}
			lowest = min(lowest, next[j])
		}
		if lowest >= limit {
			return limit
		}
		previous, current, next = current, next, previous
	}
	return current[len(b)]
}
