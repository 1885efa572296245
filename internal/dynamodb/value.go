package dynamodb

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// kind is the type of a value, by DynamoDB's name for it.
type kind string

const (
	kindString    kind = "S"
	kindNumber    kind = "N"
	kindBinary    kind = "B"
	kindBool      kind = "BOOL"
	kindNull      kind = "NULL"
	kindList      kind = "L"
	kindMap       kind = "M"
	kindStringSet kind = "SS"
	kindNumberSet kind = "NS"
	kindBinarySet kind = "BS"
)

// setOf has the kind of a set's members, by the kind of the set.
var setOf = map[kind]kind{kindStringSet: kindString, kindNumberSet: kindNumber, kindBinarySet: kindBinary}

// maxDepth is how deep lists and maps may be nested.
const maxDepth = 32

// value is an attribute's value. Values never change after they were made,
// because stored items and answers share them.
type value struct {
	kind    kind
	text    string // of a string; of a binary, its bytes
	number  number
	truth   bool
	members []value // of a list, or of a set
	fields  item    // of a map
}

// item is an item, or the contents of a map: values by attribute name.
type item map[string]value

// UnmarshalJSON reads DynamoDB's form: an object with one member, the kind.
func (v *value) UnmarshalJSON(text []byte) error {
	var members map[kind]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return err
	}
	switch len(members) {
	case 0:
		return validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	case 1:
	default:
		return validation("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	}
	for kind, content := range members {
		v.kind = kind
		return v.decode(content)
	}
	return nil
}

func (v *value) decode(content json.RawMessage) error {
	if string(content) == "null" {
		return validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	}
	switch v.kind {
	case kindString:
		return json.Unmarshal(content, &v.text)
	case kindNumber, kindBinary:
		var text string
		if err := json.Unmarshal(content, &text); err != nil {
			return err
		}
		return v.decodeScalar(text)
	case kindBool:
		return json.Unmarshal(content, &v.truth)
	case kindNull:
		var null bool
		if err := json.Unmarshal(content, &null); err != nil {
			return err
		}
		if !null {
			return validation("One or more parameter values were invalid: Null attribute value types must have the value of true")
		}
		return nil
	case kindList:
		return json.Unmarshal(content, &v.members)
	case kindMap:
		return json.Unmarshal(content, &v.fields)
	case kindStringSet, kindNumberSet, kindBinarySet:
		return v.decodeSet(content)
	}
	return validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
}

func (v *value) decodeScalar(text string) (err error) {
	switch v.kind {
	case kindNumber:
		v.number, err = parseNumber(text)
	case kindBinary:
		var raw []byte
		if raw, err = base64.StdEncoding.DecodeString(text); err != nil {
			return serialization("a binary value is not Base64: " + err.Error())
		}
		v.text = string(raw)
	default:
		v.text = text
	}
	return err
}

func (v *value) decodeSet(content json.RawMessage) error {
	var texts []string
	if err := json.Unmarshal(content, &texts); err != nil {
		return err
	}
	if len(texts) == 0 {
		return validation("One or more parameter values were invalid: An %s set may not be empty", setNames[v.kind])
	}
	for _, text := range texts {
		member := value{kind: setOf[v.kind]}
		if err := member.decodeScalar(text); err != nil {
			return err
		}
		v.members = append(v.members, member)
	}
	if len(v.memberKeys()) < len(v.members) {
		return validation("One or more parameter values were invalid: Input collection [%s] contains duplicates.", clip(strings.Join(texts, ", ")))
	}
	return nil
}

var setNames = map[kind]string{kindStringSet: "string", kindNumberSet: "number", kindBinarySet: "binary"}

// equal reports whether two values are equal as the operator = compares them:
// sets in any order.
func (v value) equal(other value) bool {
	if v.kind != other.kind || len(v.members) != len(other.members) {
		return false
	}
	switch v.kind {
	case kindBool:
		return v.truth == other.truth
	case kindNull:
		return true
	case kindList:
		return slices.EqualFunc(v.members, other.members, value.equal)
	case kindMap:
		return maps.EqualFunc(v.fields, other.fields, value.equal)
	case kindStringSet, kindNumberSet, kindBinarySet:
		return maps.Equal(v.memberKeys(), other.memberKeys())
	}
	return v.order(other) == 0
}

// has reports whether a list or set has a member.
func (v value) has(member value) bool { return slices.ContainsFunc(v.members, member.equal) }

// memberKeys returns the members of a set by a text that tells them apart.
func (v value) memberKeys() map[string]bool {
	keys := make(map[string]bool, len(v.members))
	for _, member := range v.members {
		keys[member.setKey()] = true
	}
	return keys
}

// setKey returns a text that is different for different members of a set, which
// are all of one kind.
func (v value) setKey() string {
	if v.kind == kindNumber {
		return v.number.String()
	}
	return v.text
}

// ordered reports whether values of the kind have an order.
func (k kind) ordered() bool { return k == kindString || k == kindNumber || k == kindBinary }

// order compares two values of the same ordered kind.
func (v value) order(other value) int {
	if v.kind == kindNumber {
		return v.number.compare(other.number)
	}
	return cmp.Compare(v.text, other.text)
}

// check returns an error for a value that is nested too deep.
func (v value) check(depth int) error {
	if depth > maxDepth {
		return validation("Nesting Levels have exceeded supported limits")
	}
	for _, member := range v.members {
		if err := member.check(depth + 1); err != nil {
			return err
		}
	}
	for _, field := range v.fields {
		if err := field.check(depth + 1); err != nil {
			return err
		}
	}
	return nil
}

// size returns the size in bytes, close to how DynamoDB counts it.
func (v value) size() int {
	n := 0
	switch v.kind {
	case kindBool, kindNull:
		return 1
	case kindNumber:
		return len(v.number.coefficient.String())/2 + 2
	case kindList, kindMap:
		n = 3 + len(v.members) + len(v.fields)
	}
	for _, member := range v.members {
		n += member.size()
	}
	return n + len(v.text) + v.fields.size()
}

func (i item) size() int {
	n := 0
	for name, v := range i {
		n += len(name) + v.size()
	}
	return n
}
