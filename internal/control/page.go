package control

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"

	"github.com/stagedoor/stagedoor/internal/apigw"
)

// Sizes of pages: of the largest, and of one without maxResults, all resources
// that AWS's quotas allow an API; of one of v1 without a limit.
const (
	maxPage       = 500
	defaultPageV1 = 25
)

// page gives what clients see of one page of items, in the order of their ids,
// and the token of the next one. A token is the last id of the page before, so
// what is created or deleted meanwhile moves no other item. An empty page is
// not nil: it is written as an empty list.
func page[T, V any](items []T, id func(T) string, view func(T) V, maxResults, token *string) (views []V, next *string, err error) {
	size := maxPage
	if maxResults != nil {
		if size, err = strconv.Atoi(*maxResults); err != nil {
			return nil, nil, apigw.BadRequest("Invalid maxResults specified: " + *maxResults)
		}
	}
	return cut(items, id, view, parameter[int]{"maxResults", size}, parameter[*string]{"nextToken", token})
}

// pageV1 is page for operations of v1.
func pageV1[T, V any](items []T, id func(T) string, view func(T) V, limit *int, position *string) (views []V, next *string, err error) {
	size := defaultPageV1
	set(&size, limit)
	return cut(items, id, view, parameter[int]{"limit", size}, parameter[*string]{"position", position})
}

// parameter is one of a request, by the name that it has there.
type parameter[T any] struct {
	name  string
	value T
}

func cut[T, V any](items []T, id func(T) string, view func(T) V, size parameter[int], token parameter[*string]) (views []V, next *string, err error) {
	if size.value < 1 {
		return nil, nil, apigw.BadRequest(fmt.Sprintf("Invalid %s specified: %d", size.name, size.value))
	}
	items = slices.SortedFunc(slices.Values(items), func(a, b T) int { return cmp.Compare(id(a), id(b)) })
	if token.value != nil {
		last, err := base64.RawURLEncoding.DecodeString(*token.value)
		if err != nil || len(last) == 0 {
			return nil, nil, apigw.BadRequest("Invalid " + token.name + " specified: " + *token.value)
		}
		items = slices.DeleteFunc(items, func(item T) bool { return id(item) <= string(last) })
	}
	if most := min(size.value, maxPage); len(items) > most {
		items = items[:most]
		next = new(base64.RawURLEncoding.EncodeToString([]byte(id(items[most-1]))))
	}
	views = make([]V, 0, len(items))
	for _, item := range items {
		views = append(views, view(item))
	}
	return views, next, nil
}
