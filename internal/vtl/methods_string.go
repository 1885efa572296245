package vtl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// callString calls a method of java.lang.String, or one of its static methods,
// which templates reach through any string.
func (r *run) callString(s, name string, args []any) (any, error) {
	if err := r.work(len(s)); err != nil {
		return nil, err
	}
	if slices.Contains(args, nil) {
		return r.callWithNull(s, name, args)
	}
	switch len(args) {
	case 0:
		return r.callString0(s, name)
	case 1:
		if arg, ok := args[0].(string); ok {
			if v, err := r.callString1(s, name, arg); err != errNoMethod { //nolint:errorlint // never wrapped
				return v, err
			}
		}
		if i, ok := integer(args[0]); ok {
			if v, err := r.callStringInt(s, name, i); err != errNoMethod { //nolint:errorlint // never wrapped
				return v, err
			}
		}
	case 2:
		if v, err := r.callString2(s, name, args[0], args[1]); err != errNoMethod { //nolint:errorlint // never wrapped
			return v, err
		}
	}
	switch {
	case name == "valueOf" && len(args) == 1:
		return textValue(r.text(args[0]))
	case name == "join" && len(args) > 1:
		return r.joinAll(args)
	}
	return nil, errNoMethod
}

// callWithNull is a call with an argument that has no value. It is an error for
// most methods.
func (r *run) callWithNull(s, name string, args []any) (any, error) {
	switch {
	case len(args) == 1 && (name == "equals" || name == "equalsIgnoreCase"):
		return false, nil
	case name == "valueOf" || name == "join":
		return nil, errNoMethod
	}
	args = slices.Clone(args)
	for i, arg := range args {
		if arg == nil {
			args[i] = ""
		}
	}
	if _, err := r.callString(s, name, args); err == errNoMethod { //nolint:errorlint // never wrapped
		return nil, err
	}
	return nil, errors.New("an argument has no value")
}

func (r *run) callString0(s, name string) (any, error) {
	switch name {
	case "toString", "intern":
		return s, nil
	case "length":
		return int64(length(s)), nil
	case "isEmpty":
		return s == "", nil
	case "isBlank":
		return strings.TrimSpace(s) == "", nil
	case "trim":
		return trim(s), nil
	case "strip":
		return strings.TrimSpace(s), nil
	case "stripLeading":
		return strings.TrimLeftFunc(s, unicode.IsSpace), nil
	case "stripTrailing":
		return strings.TrimRightFunc(s, unicode.IsSpace), nil
	case "toLowerCase":
		return r.made(strings.ToLower(s))
	case "toUpperCase":
		return r.made(strings.ToUpper(s))
	case "toCharArray":
		return r.characters(s)
	case "getBytes":
		return r.bytes(s)
	}
	return nil, errNoMethod
}

func (r *run) callString1(s, name, arg string) (any, error) {
	switch name {
	case "contains":
		return strings.Contains(s, arg), nil
	case "startsWith":
		return strings.HasPrefix(s, arg), nil
	case "endsWith":
		return strings.HasSuffix(s, arg), nil
	case "equals", "contentEquals":
		return s == arg, nil
	case "equalsIgnoreCase":
		return equalFold(s, arg), nil
	case "compareTo":
		return int64(compareStrings(s, arg)), nil
	case "compareToIgnoreCase":
		return int64(compareStrings(strings.ToLower(s), strings.ToLower(arg))), nil
	case "indexOf":
		return int64(unitOffset(s, strings.Index(s, arg))), nil
	case "lastIndexOf":
		return int64(unitOffset(s, strings.LastIndex(s, arg))), nil
	case "concat":
		return r.join(s, arg)
	case "matches":
		return r.matches(s, arg)
	case "split":
		return r.split(s, arg, 0)
	case "getBytes":
		if equalFold(arg, "UTF-8") {
			return r.bytes(s)
		}
	}
	return nil, errNoMethod
}

func (r *run) callStringInt(s, name string, i int64) (any, error) {
	switch name {
	case "substring":
		return substring(s, i, int64(length(s)))
	case "charAt":
		return substring(s, i, i+1)
	case "indexOf", "lastIndexOf":
		return r.callString1(s, name, string(rune(i))) //nolint:gosec // a character's code
	case "codePointAt":
		v, err := substring(s, i, int64(length(s)))
		if err != nil || v == "" {
			return nil, errors.New("the index is outside of the string")
		}
		c, _ := utf8.DecodeRuneInString(v)
		return int64(c), nil
	case "repeat":
		if i < 0 || i > int64(r.limits.Output) {
			return nil, limitError("a string repeated %d times", i)
		}
		if err := r.charge(len(s) * int(i)); err != nil {
			return nil, err
		}
		return strings.Repeat(s, int(i)), nil
	}
	return nil, errNoMethod
}

func (r *run) callString2(s, name string, first, second any) (any, error) {
	arg, isText := first.(string)
	other, isOther := second.(string)
	number, isNumber := integer(second)
	switch {
	case isText && isOther:
		switch name {
		case "replace":
			return r.replace(s, arg, other)
		case "replaceAll":
			return r.replaceMatches(s, arg, other, maxMatches)
		case "replaceFirst":
			return r.replaceMatches(s, arg, other, 1)
		}
	case isText && isNumber:
		switch name {
		case "split":
			return r.split(s, arg, number)
		case "indexOf":
			return indexFrom(s, arg, number), nil
		case "lastIndexOf":
			return lastIndexFrom(s, arg, number), nil
		case "startsWith":
			n := int64(length(s))
			return number >= 0 && number <= n && strings.HasPrefix(s[byteOffset(s, int(number)):], arg), nil
		}
	case isNumber:
		from, ok := integer(first)
		if ok && (name == "substring" || name == "subSequence") {
			return substring(s, from, number)
		}
	}
	return nil, errNoMethod
}

func substring(s string, from, to int64) (string, error) {
	n := length(s)
	if from < 0 || from > to || to > int64(n) {
		return "", fmt.Errorf("no characters %d to %d in a string of %d", from, to, n)
	}
	return slice(s, int(from), int(to)), nil
}

// indexFrom is indexOf(arg, from).
func indexFrom(s, arg string, from int64) int64 {
	from = min(max(from, 0), int64(length(s)))
	start := byteOffset(s, int(from))
	i := strings.Index(s[start:], arg)
	if i < 0 {
		return -1
	}
	return int64(unitOffset(s, start+i))
}

// lastIndexFrom is lastIndexOf(arg, from).
func lastIndexFrom(s, arg string, from int64) int64 {
	if from < 0 {
		return -1
	}
	start := byteOffset(s, int(min(from, int64(length(s)))))
	return int64(unitOffset(s, strings.LastIndex(s[:min(len(s), start+len(arg))], arg)))
}

func (r *run) replace(s, old, replacement string) (any, error) {
	count := strings.Count(s, old)
	if err := r.charge(len(s) + count*len(replacement)); err != nil {
		return nil, err
	}
	return r.stringValue(strings.ReplaceAll(s, old, replacement)), nil
}

// made counts a string that a method made.
func (r *run) made(s string) (any, error) {
	if err := r.charge(len(s)); err != nil {
		return nil, err
	}
	return r.stringValue(s), nil
}

// stringValue returns a string as a value. For the receiver of the method,
// which methods return that change nothing, it returns the receiver's value
// without an allocation.
func (r *run) stringValue(s string) any {
	if s == r.receiver {
		return r.receiver
	}
	return s
}

func (r *run) characters(s string) (any, error) {
	if err := r.charge(bytesPerItem * len(s)); err != nil {
		return nil, err
	}
	items := make([]any, 0, len(s))
	for _, c := range s {
		items = append(items, string(c))
	}
	return newArrayList(items), nil
}

func (r *run) bytes(s string) (any, error) {
	if err := r.charge(bytesPerItem * len(s)); err != nil {
		return nil, err
	}
	items := make([]any, 0, len(s))
	for i := range len(s) {
		items = append(items, stored(int64(int8(s[i])))) //nolint:gosec // Java's bytes have a sign
	}
	return newArrayList(items), nil
}

// joinAll is String.join: a separator, and a list or several texts.
func (r *run) joinAll(args []any) (any, error) {
	items := args[1:]
	if list, ok := asList(items[0]); ok && len(items) == 1 {
		items = list.Items
	}
	separator, err := r.text(args[0])
	if err != nil {
		return nil, err
	}
	return textValue(r.capture(func() error {
		for i, item := range items {
			if i > 0 {
				if err := r.write(separator); err != nil {
					return err
				}
			}
			if err := r.append(item, styleJava, 0); err != nil {
				return err
			}
		}
		return nil
	}))
}
