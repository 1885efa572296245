package control

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"reflect"
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

// page returns one page of items as clients see them, in the order of their
// ids, and the token of the next page, nil for the last one. A token has the
// last id of the page before, so items that are created or deleted between two
// pages make no other item appear twice or not at all. An empty page is not
// nil: it is written as an empty list.
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

// parameter is a parameter of a request, with the name that it has there.
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
		last, ok := readToken[V](*token.value)
		if !ok {
			return nil, nil, apigw.BadRequest("Invalid " + token.name + " specified: " + *token.value)
		}
		items = slices.DeleteFunc(items, func(item T) bool { return id(item) <= last })
	}
	if most := min(size.value, maxPage); len(items) > most {
		items = items[:most]
		next = new(newToken[V](id(items[most-1])))
	}
	views = make([]V, 0, len(items))
	for _, item := range items {
		views = append(views, view(item))
	}
	return views, next, nil
}

// sealBytes is the length of the checksum in a token.
const sealBytes = 8

// newToken makes the token of the page behind an id.
func newToken[V any](id string) string {
	return base64.RawURLEncoding.EncodeToString(append(seal[V](id), id...))
}

// readToken returns the id that a token was made of, and false for a token that
// was not given for a list of the same kind.
func readToken[V any](token string) (id string, ok bool) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(text) <= sealBytes {
		return "", false
	}
	id = string(text[sealBytes:])
	return id, bytes.Equal(text[:sealBytes], seal[V](id))
}

// seal is a checksum of an id and of the type of the list's items. It protects
// no secret: a client that makes up a token sees nothing that the list would
// not show.
func seal[V any](id string) []byte {
	sum := sha256.Sum256([]byte(reflect.TypeFor[V]().String() + " " + id))
	return sum[:sealBytes]
}
