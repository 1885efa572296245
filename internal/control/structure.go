package control

import (
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// structure describes a structure of package wire or wirev1, as its tags have
// it.
type structure struct {
	members []*member
	hasBody bool
	payload int // index of the field that is the whole body, or -1
}

type member struct {
	index    int    // of the field
	name     string // on the wire
	location string // json, uri, query, header, payload
	required bool
	limits   limits
	inner    *structure // of a member that is a structure, or a list or map of structures
}

// limits are the limits of a value, or of each value of a list or map.
type limits struct {
	min, max *int // of a text's characters, or of a number
	enum     []string
	pattern  *regexp.Regexp
}

// describe reads the tags of a type. The types are generated: a mistake in them
// panics when the control plane is made.
func describe(t reflect.Type) *structure {
	s := &structure{payload: -1}
	for i := range t.NumField() {
		m := describeMember(t.Field(i))
		m.index = i
		if correct := corrections[t.Name()+"."+m.name]; correct != nil {
			correct(m)
		}
		s.members = append(s.members, m)
		switch m.location {
		case "payload":
			s.payload = i
		case "json":
			s.hasBody = true
		}
	}
	return s
}

func describeMember(f reflect.StructField) *member {
	m := &member{required: f.Tag.Get("required") == "true"}
	for _, location := range []string{"uri", "query", "header", "payload", "json"} {
		if tag, ok := f.Tag.Lookup(location); ok {
			m.location = location
			m.name, _, _ = strings.Cut(tag, ",")
			break
		}
	}
	m.limits.min = number(f.Tag.Get("min"))
	m.limits.max = number(f.Tag.Get("max"))
	m.limits.enum = strings.Fields(f.Tag.Get("enum"))
	if pattern := f.Tag.Get("pattern"); pattern != "" {
		m.limits.pattern = regexp.MustCompile(pattern)
	}
	if inner := innermost(f.Type); inner.Kind() == reflect.Struct && m.location == "json" && inner.Field(0).Tag != "" {
		m.inner = describe(inner)
	}
	return m
}

// innermost returns the type that a type of pointers, lists and maps is made
// of.
func innermost(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	return t
}

func number(text string) *int {
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return &n
}
