package event

import "github.com/stagedoor/stagedoor/internal/jsonvalue"

// appendMember appends "name": for the next member of an object, with a comma
// where one is due. The name must need no escaping.
func appendMember(dst []byte, name string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

func appendStringMember(dst []byte, name, value string) []byte {
	return jsonvalue.AppendQuoted(appendMember(dst, name), value)
}

// appendKey is appendMember for a name that may need escaping.
func appendKey(dst []byte, name string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	return append(jsonvalue.AppendQuoted(dst, name), ':')
}
