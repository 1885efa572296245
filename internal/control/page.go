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

// page gives what clients see of one page of items, in the order of their ids,
// and the token of the next one. A token is the last id of the page before, so
// what is created or deleted meanwhile moves no other item. An empty page is
// not nil: it is written as an empty list.
func page[T, V any](items []T, id func(T) string, view func(T) V, maxResults, token *string) (views []V, next *string, err error) {
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
		next = new(base64.RawURLEncoding.EncodeToString([]byte(id(items[size-1]))))
	}
	views = make([]V, 0, len(items))
	for _, item := range items {
		views = append(views, view(item))
	}
	return views, next, nil
}
