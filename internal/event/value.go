package event

import (
	"strconv"
	"time"
)

// Variable is a variable of $context. It returns what the event has for it.
type Variable func(*Event) Value

// Kind is what a Value is.
type Kind uint8

// The kinds.
const (
	Nothing Kind = iota // the event has no such variable
	Text
	Number
	Time // a moment, which is printed as the common log format has it
)

// Value is the value of a variable. The zero Value is Nothing.
type Value struct {
	Kind   Kind
	Text   string // of a Text
	Number int64  // of a Number; milliseconds since 1970 of a Time
}

// text is a text, or nothing where it is empty.
func text(s string) Value {
	if s == "" {
		return Value{}
	}
	return Value{Kind: Text, Text: s}
}

// number is a figure, or nothing where it is 0.
func number(n int64) Value {
	if n == 0 {
		return Value{}
	}
	return Value{Kind: Number, Number: n}
}

// Append appends the value as it is printed, and nothing for Nothing.
func (v Value) Append(dst []byte) []byte {
	switch v.Kind {
	case Text:
		return append(dst, v.Text...)
	case Number:
		return strconv.AppendInt(dst, v.Number, 10)
	case Time:
		return time.UnixMilli(v.Number).UTC().AppendFormat(dst, requestTimeFormat)
	}
	return dst
}

// any is the value as mapping templates have it: a string or an int64; nil for Nothing.
func (v Value) any() any {
	switch v.Kind {
	case Text:
		return v.Text
	case Number:
		return v.Number
	case Time:
		return string(v.Append(nil))
	}
	return nil
}
