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
	"github.com/stagedoor/stagedoor/internal/usage"
)

// value is a value of the file: a scalar, a list, a section, a table, records,
// documents, or APIs. Each sets a variable of the configuration.
type value interface {
	// current returns what the variable holds, for reflect.DeepEqual.
	current() any
	// take sets the variable to what that of another value, of the same key, holds.
	take(from value)
}

// live marks a value whose change takes effect without a restart.
type live struct{ value }

// unwrap returns a value without its mark, and whether it had one.
func unwrap(v value) (value, bool) {
	if marked, ok := v.(live); ok {
		return marked.value, true
	}
	return v, false
}

// textual is a value that can be written in one word, as in a variable of the
// environment or a flag.
type textual interface {
	value
	// set reads a text. On an error the variable stays as it was.
	set(text string) error
}

// scalar is a single value.
type scalar struct {
	get    func() any
	put    func(any) // what get of the same key returned
	assign func(text string) error
	// path: a relative path in a file counts from the file's folder.
	path bool
	// boolean: the value is true or false, not a word.
	boolean bool
}

func (s scalar) current() any          { return s.get() }
func (s scalar) take(from value)       { s.put(from.current()) }
func (s scalar) set(text string) error { return s.assign(text) }

// bind returns the scalar that sets a variable to what parse makes of a text.
func bind[T any](to *T, parse func(text string) (T, error)) scalar {
	return scalar{
		get: func() any { return *to },
		put: func(v any) { *to = v.(T) },
		assign: func(text string) error {
			v, err := parse(text)
			if err == nil {
				*to = v
			}
			return err
		},
	}
}

// text is a text that is not empty and has no mistake by check, which may be nil.
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

// filePath is the path of a file or a folder. It need not exist.
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

// choice is one of several words, each with its meaning.
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

// orNone is a limit, or the word none, which sets the variable to its zero value: no
// limit.
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

// accountRate is a rate of the whole gateway, or the word aws for the one that AWS
// gives an account.
func accountRate(to *usage.Rate, aws usage.Rate) scalar {
	return bind(to, func(text string) (usage.Rate, error) {
		if text == likeAWS {
			return aws, nil
		}
		r, err := usage.ParseRate(text)
		if err != nil {
			err = fmt.Errorf("%w, nor %s", err, likeAWS)
		}
		return r, err
	})
}

// likeAWS is the word for AWS's own rates.
const likeAWS = "aws"

// requestRate is the rate of requests. The word aws says something of connects too.
func requestRate(to *Limits) scalar {
	rate := accountRate(&to.Requests, usage.AWSRequests)
	assign := rate.assign
	rate.assign = func(text string) error {
		to.LikeAWS = text == likeAWS
		return assign(text)
	}
	return rate
}

// integer is a whole number.
func integer(to *int, least, most int) scalar {
	return bind(to, func(text string) (int, error) { return setting.Integer(text, least, most) })
}

// parseNode reads the number of a gateway, or the word auto.
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

// units are the units of sizes. "B" comes after those that end with it, and no unit
// comes last.
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
	// clear removes all values.
	clear()
	// add reads a value and adds it; on an error it adds nothing.
	add(text string) error
}

// list is a sequence in a slice.
type list[T any] struct {
	to     *[]T
	parse  func(text string) (T, error)
	fewest int
}

func (l list[T]) current() any    { return *l.to }
func (l list[T]) take(from value) { *l.to = *from.(list[T]).to }
func (l list[T]) least() int      { return l.fewest }
func (l list[T]) clear()          { *l.to = nil }

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
func (s section) take(value)   {} // its keys have the values

func (s section) names() []string {
	names := make([]string, len(s))
	for i, k := range s {
		names[i] = k.name
	}
	return names
}

// find returns the value of a key, nil where there is no such key.
func (s section) find(name string) value {
	for _, k := range s {
		if k.name == name {
			v, _ := unwrap(k.value)
			return v
		}
	}
	return nil
}

// dictionary is a mapping from names that the user chooses to values that are
// alike.
type dictionary interface {
	value
	// clear removes all values.
	clear()
	// checkName returns what is wrong with a name.
	checkName(name string) error
	// put reads the value of a name; on an error the name has none.
	put(name, text string) error
}

// table is a dictionary in a map.
type table[T any] struct {
	to    *map[string]T
	name  func(text string) error // what is wrong with a name
	parse func(text string) (T, error)
}

func (t table[T]) current() any                { return *t.to }
func (t table[T]) take(from value)             { *t.to = *from.(table[T]).to }
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

// current returns the template that the APIs stand for: their comments, order and
// spelling make no difference.
func (s shortForm) current() any {
	if *s.to == nil {
		return ""
	}
	return string((*s.to).Template())
}

func (s shortForm) take(from value) { *s.to = *from.(shortForm).to }

// timestamp is a time in the form of RFC 3339.
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

func (d documents) current() any    { return *d.to }
func (d documents) take(from value) { *d.to = *from.(documents).to }

// collection is a list of sections that are alike.
type collection interface {
	value
	// grow adds an empty record and returns its keys.
	grow() section
}

// records is a collection in a slice.
type records[T any] struct {
	to   *[]T
	keys func(*T) section
}

func (r records[T]) current() any    { return *r.to }
func (r records[T]) take(from value) { *r.to = *from.(records[T]).to }

func (r records[T]) grow() section {
	*r.to = append(*r.to, *new(T))
	// The keys are used before the slice grows again, and moves.
	return r.keys(&(*r.to)[len(*r.to)-1])
}
