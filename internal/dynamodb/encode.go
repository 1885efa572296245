package dynamodb

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
)

// MarshalJSON writes DynamoDB's form. It writes the whole item at once: if each
// value were a Marshaler, encoding/json would check nested text again and
// again.
func (i item) MarshalJSON() ([]byte, error) { return i.appendJSON(nil), nil }

func (i item) appendJSON(to []byte) []byte {
	to = append(to, '{')
	first := true
	for name, v := range i {
		if !first {
			to = append(to, ',')
		}
		first = false
		to = append(appendString(to, name), ':')
		to = v.appendJSON(to)
	}
	return append(to, '}')
}

// appendJSON writes an object with one member, the kind.
func (v value) appendJSON(to []byte) []byte {
	to = append(append(append(to, `{"`...), v.kind...), `":`...)
	switch v.kind {
	case kindBool:
		to = strconv.AppendBool(to, v.truth)
	case kindNull:
		to = append(to, "true"...)
	case kindList:
		to = v.appendMembers(to, value.appendJSON)
	case kindMap:
		to = v.fields.appendJSON(to)
	case kindStringSet, kindNumberSet, kindBinarySet:
		to = v.appendMembers(to, value.appendScalar)
	default:
		to = v.appendScalar(to)
	}
	return append(to, '}')
}

func (v value) appendMembers(to []byte, one func(value, []byte) []byte) []byte {
	to = append(to, '[')
	for n, member := range v.members {
		if n > 0 {
			to = append(to, ',')
		}
		to = one(member, to)
	}
	return append(to, ']')
}

// appendScalar writes a string, a number or a binary, all of which are strings
// in JSON.
func (v value) appendScalar(to []byte) []byte {
	switch v.kind {
	case kindNumber:
		return append(append(append(to, '"'), v.number.String()...), '"')
	case kindBinary:
		return append(base64.StdEncoding.AppendEncode(append(to, '"'), []byte(v.text)), '"')
	}
	return appendString(to, v.text)
}

func appendString(to []byte, text string) []byte {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string can always be encoded
	}
	return append(to, quoted...)
}
