package control

import (
	"cmp"
	"encoding/base64"
	"slices"
	"strconv"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// maxPage is the size of the largest page, and of one without maxResults: all
// resources that AWS's quotas allow an API.
const maxPage = 500

// page gives one page of items, in the order of their ids, and the token of the
// next one. A token is the last id of the page before, so what is created or
// deleted meanwhile moves no other item.
func page[T any](items []T, id func(T) string, maxResults, token *string) (some []T, next *string, err error) {
	size := maxPage
	if maxResults != nil {
		size, err = strconv.Atoi(*maxResults)
		if err != nil || size < 1 {
			return nil, nil, apigw.BadRequest("Invalid maxResults specified: " + *maxResults)
		}
		size = min(size, maxPage)
	}
	items = slices.SortedFunc(slices.Values(items), func(a, b T) int { return cmp.Compare(id(a), id(b)) })
	if token != nil {
		last, err := base64.RawURLEncoding.DecodeString(*token)
		if err != nil || len(last) == 0 {
			return nil, nil, apigw.BadRequest("Invalid nextToken specified: " + *token)
		}
		items = slices.DeleteFunc(items, func(item T) bool { return id(item) <= string(last) })
	}
	if len(items) > size {
		items = items[:size]
		t := base64.RawURLEncoding.EncodeToString([]byte(id(items[size-1])))
		next = &t
	}
	return items, next, nil
}

// views is what clients see of items.
func views[T, V any](items []T, view func(T) V) []V {
	out := make([]V, 0, len(items)) // an empty list is written as one
	for _, item := range items {
		out = append(out, view(item))
	}
	return out
}
