package config

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagedoor/stagedoor/internal/setting"
	"github.com/stagedoor/stagedoor/internal/shortfile"
	"github.com/stagedoor/stagedoor/internal/spelling"
)

// value is what stands behind a key: a scalar, a list, a section, a table or
// records. Each is bound to the variable that it sets.
type value interface {
	// current is what the variable holds, comparable with reflect.DeepEqual.
	current() any
}

// textual is a value that can be written in one word, as in a variable of the
// environment or a flag.
type textual interface {
	value
	set(text string) error
}

// scalar is a single value.
type scalar struct {
	get    func() any
	assign func(text string) error
	// path: a relative path in a file counts from the file's folder.
	path bool
	// boolean: the value is true or false, not a word.
	boolean bool
}

func (s scalar) current() any          { return s.get() }
func (s scalar) set(text string) error { return s.assign(text) }

// bind makes a scalar of a variable and what reads it.
func bind[T any](to *T, parse func(text string) (T, error)) scalar {
	return scalar{
		get: func() any { return *to },
		assign: func(text string) error {
			v, err := parse(text)
			if err == nil {
				*to = v
			}
			return err
		},
	}
}

// text is taken as it is, if check has nothing against it.
func text(to *string, check func(string) error) scalar {
	return bind(to, func(text string) (string, error) {
		if text == "" {
			return "", fmt.Errorf("is empty")
		}
		if check == nil {
			return text, nil
		}
		return text, check(text)
	})
}

// filePath is the path of a file or folder, which need not exist yet.
func filePath(to *string) scalar {
	s := text(to, func(text string) error {
		if strings.Contains(text, "-----BEGIN") {
			return fmt.Errorf("is the path of a file, not what stands in it")
		}
		return nil
	})
	s.path = true
	return s
}

// choice is one of some words.
func choice[T any](to *T, words map[string]T) scalar {
	return bind(to, func(text string) (T, error) {
		if v, found := words[text]; found {
			return v, nil
		}
		names := slices.Sorted(maps.Keys(words))
		var none T
		return none, fmt.Errorf("%q is none of %s%s", text, strings.Join(names, ", "), spelling.Hint(text, names))
	})
}

// duration is a number with a unit.
func duration(to *time.Duration, least, most time.Duration) scalar {
	return bind(to, func(text string) (time.Duration, error) { return setting.Duration(text, least, most) })
}

// orNone takes the word none too, for a limit that does not limit: the zero value.
func orNone[T any](to *T, limit scalar) scalar {
	assign := limit.assign
	limit.assign = func(text string) error {
		if text == "none" {
			*to = *new(T)
			return nil
		}
		if err := assign(text); err != nil {
			return fmt.Errorf("%w, or none", err)
		}
		return nil
	}
	return limit
}

// integer is a whole number.
func integer(to *int, least, most int) scalar {
	return bind(to, func(text string) (int, error) { return setting.Integer(text, least, most) })
}

// parseNode reads the number of a node, or the word for one that is free.
func parseNode(text string) (int, error) {
	n, err := strconv.Atoi(text)
	switch {
	case text == "auto":
		return NodeAuto, nil
	case err != nil || n < 0 || n > math.MaxUint16:
		return 0, fmt.Errorf("%q is not a whole number between 0 and %d, nor the word auto", text, math.MaxUint16)
	}
	return n, nil
}

// boolean is true or false.
func boolean(to *bool) scalar {
	s := bind(to, func(text string) (bool, error) {
		switch text {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return false, fmt.Errorf("%q is neither true nor false", text)
	})
	s.boolean = true
	return s
}

// units of sizes; of those that end alike the longer comes first.
var units = []struct {
	name  string
	bytes int
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"B", 1}, {"", 1}}

// size is a number of bytes, such as 4096, 64KiB or 1MiB.
func size(to *int, least, most int) scalar {
	return bind(to, func(text string) (int, error) {
		for _, unit := range units {
			number, found := strings.CutSuffix(text, unit.name)
			if !found {
				continue
			}
			n, err := strconv.Atoi(strings.TrimSpace(number))
			if err != nil || n < 0 {
				break
			}
			if n > most/unit.bytes || n*unit.bytes < least {
				return 0, fmt.Errorf("%s is not between %d and %d bytes", text, least, most)
			}
			return n * unit.bytes, nil
		}
		return 0, fmt.Errorf("%q is not a number of bytes such as 4096, 64KiB or 1MiB", text)
	})
}

// sequence is a list of values that are alike, each written in one word. One alone
// may stand for the list; in one word they stand between commas.
type sequence interface {
	textual
	// least is how many values there must be.
	least() int
	// clear takes all values away.
	clear()
	// add adds a value, if it is one.
	add(text string) error
}

// list is a sequence in a slice.
type list[T any] struct {
	to     *[]T
	parse  func(text string) (T, error)
	fewest int
}

func (l list[T]) current() any { return *l.to }
func (l list[T]) least() int   { return l.fewest }
func (l list[T]) clear()       { *l.to = nil }

func (l list[T]) add(text string) error {
	v, err := l.parse(text)
	if err == nil {
		*l.to = append(*l.to, v)
	}
	return err
}

func (l list[T]) set(text string) error {
	next := list[T]{new([]T), l.parse, l.fewest}
	for item := range strings.SplitSeq(text, ",") {
		if err := next.add(strings.TrimSpace(item)); err != nil {
			return err
		}
	}
	*l.to = *next.to
	return nil
}

// section is a mapping with keys of its own.
type section []key

func (s section) current() any { return nil }

func (s section) names() []string {
	names := make([]string, len(s))
	for i, k := range s {
		names[i] = k.name
	}
	return names
}

func (s section) find(name string) value {
	for _, k := range s {
		if k.name == name {
			return k.value
		}
	}
	return nil
}

// dictionary is a mapping from names that the user chooses to values that are
// alike.
type dictionary interface {
	value
	// clear takes all values away.
	clear()
	checkName(name string) error
	// put gives a name a value, if it is one.
	put(name, text string) error
}

// table is a dictionary in a map.
type table[T any] struct {
	to    *map[string]T
	name  func(text string) error // what is wrong with a name
	parse func(text string) (T, error)
}

func (t table[T]) current() any                { return *t.to }
func (t table[T]) clear()                      { *t.to = map[string]T{} }
func (t table[T]) checkName(name string) error { return t.name(name) }

func (t table[T]) put(name, text string) error {
	v, err := t.parse(text)
	if err == nil {
		(*t.to)[name] = v
	}
	return err
}

// shortForm are APIs in their short form.
type shortForm struct{ to **shortfile.File }

// current is the template that the APIs stand for: what else is written about
// them does not count.
func (s shortForm) current() any {
	if *s.to == nil {
		return ""
	}
	return string((*s.to).Template())
}

// timestamp is a time as RFC 3339 writes it.
func timestamp(to *time.Time) scalar {
	return bind(to, func(text string) (time.Time, error) {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return t, fmt.Errorf("%q is not a time such as 2027-01-31T00:00:00Z", text)
		}
		return t, nil
	})
}

// documents are JSON documents, written in YAML.
type documents struct {
	to    *[]string
	check func(document string) error
}

func (d documents) current() any { return *d.to }

// collection is a list of sections that are alike.
type collection interface {
	value
	// grow adds an empty record and gives its keys.
	grow() section
}

// records is a collection in a slice.
type records[T any] struct {
	to   *[]T
	keys func(*T) section
}

func (r records[T]) current() any { return *r.to }

func (r records[T]) grow() section {
	*r.to = append(*r.to, *new(T))
	// The keys are used before the slice grows again, and moves.
	return r.keys(&(*r.to)[len(*r.to)-1])
}
