package model

import (
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Formats are what another validator takes for them.
func TestFormats(t *testing.T) {
	t.Parallel()
	for format, texts := range map[string][]string{
		"date-time": {
			"2026-11-22T00:00:00Z", "2026-11-22t23:59:59.123456z", "2026-11-22T00:00:00+01:30", "2026-02-29T00:00:00Z", "2024-02-29T00:00:00-23:59",
			"2026-11-22", "2026-11-22 00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T00:60:00Z", "2026-11-22T00:00:61Z", "2026-13-22T00:00:00Z",
			"2026-12-31T23:59:60Z", "2026-12-31T22:59:60Z", "2027-01-01T00:59:60+01:00", "2026-12-31T15:59:60-08:00", "2026-12-31T16:59:60-08:00",
			"2026-11-22T00:00:00", "2026-11-22T00:00:00.Z", "2026-11-22T00:00:00+1:00", "2026-11-22T00:00:00+24:00", "", "T",
		},
		"email": {
			"a@example.org", "a.b+c@example.org", "a@b", "a@b.", "@b", "a@", "a", ".a@b", "a.@b", "a..b@c", `"a b"@c`, `"a"b"@c`, `"@c`, "ä@b", "a@ä",
			"a@[127.0.0.1]", "a@[IPv6:::1]", "a@[::1]", "a@[x]", "a@[", "a@b@c", strings.Repeat("a", 64) + "@b", strings.Repeat("a", 65) + "@b", "a@" + strings.Repeat("b", 64),
			"a@" + strings.Repeat("b.", 126) + "b",
		},
		"hostname": {"a", "a.b", "a.b.", "", ".", "a..b", "-a", "a-", "a-b", "a_b", "ä", strings.Repeat("a", 63), strings.Repeat("a", 64), strings.Repeat("a.", 127), strings.Repeat("a.", 126) + "a"},
		"ipv4":     {"127.0.0.1", "0.0.0.0", "255.255.255.255", "256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.", "a.b.c.d", "", "::1"},
		"ipv6":     {"::1", "::", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "1.2.3.4", "::1%eth0", "1::2::3", "12345::", ":", ""},
		"uri":      {"http://a", "http://a/b?c#d", "a:b", "urn:a:b", "//a", "/a", "a", "", "http://[::1]/", "http://[::1", "http://[x:y]/", "http://a b/", "http://a/%zz", ":"},
		"regex":    {"a", "(", "[a-z]+", "(?=a)b", "a{2,1}", ""},
	} {
		theirs, err := compileTheirs(`{"format":"` + format + `"}`)
		if err != nil {
			t.Fatal(err)
		}
		ours := compileOne(t, `{"format":"`+format+`"}`)
		for _, text := range texts {
			message := `"` + strings.ReplaceAll(text, `"`, `\"`) + `"`
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(message))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := ours.Validate([]byte(message)) == nil, theirs.Validate(value) == nil; got != want {
				t.Errorf("%q is a %s: %t; the other says %t", text, format, got, want)
			}
		}
	}
}

// Parts of a schema that have an id are reached by it, and it is the base of references
// in them.
func TestIdentifiers(t *testing.T) {
	t.Parallel()
	for schema, message := range map[string]string{
		`{"definitions":{"a":{"id":"#text","type":"string"}},"$ref":"#text"}`:                                                                                                    `1`,
		`{"id":"http://a/root","definitions":{"a":{"id":"http://a/other/x","definitions":{"n":{"type":"null"}},"items":{"$ref":"#/definitions/n"}}},"items":{"$ref":"other/x"}}`: `[[1]]`,
		`{"id":"http://a/root","definitions":{"a":{"id":"other/x","properties":{"y":{"$ref":"y"}}},"b":{"id":"other/y","type":"string"}},"items":{"$ref":"other/x"}}`:            `[{"y":1}]`,
		`{"definitions":{"a":{"id":"http://a/b#name","type":"string"}},"items":{"$ref":"http://a/b#name"}}`:                                                                      `[1]`,
		`{"items":{"$ref":"#/x-part/deep%20er/0"},"x-part":{"deep er":[{"type":"string"}]}}`:                                                                                     `[1]`,
		`{"definitions":{"a~b/c":{"type":"string"}},"items":{"$ref":"#/definitions/a~0b~1c"}}`:                                                                                   `[1]`,
		`{"properties":{"$ref":{"type":"string"}}}`:                                                                                                                              `{"$ref":1}`,
		`{"items":{"$ref":"https://json-schema.org/draft-04/schema#/definitions/positiveInteger"}}`:                                                                              `[-1]`,
	} {
		m := compileOne(t, schema)
		theirs, err := compileTheirs(schema)
		if err != nil {
			t.Errorf("%s: the other says %v", schema, err)
			continue
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(message))
		if err != nil {
			t.Fatal(err)
		}
		if ours := m.Validate([]byte(message)); ours == nil || theirs.Validate(value) == nil {
			t.Errorf("%s on %s: %v, the other says %v", schema, message, ours, theirs.Validate(value))
		}
	}
	for schema, want := range map[string]string{
		`{"items":{"$ref":"#/x-part"},"x-part":{"type":"x"}}`:            `model M: at /x-part/type: value must be one of`,
		`{"items":{"$ref":"#/x-part"},"x-part":7}`:                       `model M: at /x-part: got number, want object`,
		`{"items":{"$ref":"#/definitions/1"},"definitions":{}}`:          `model M: at /items/$ref: model M has no #/definitions/1`,
		`{"items":{"$ref":"http://json-schema.org/draft-04/schema#/x"}}`: `model M: at /items/$ref: model http://json-schema.org/draft-04/schema has no #/x`,
		`{"items":{"$ref":":"}}`:                                         `model M: at /items/$ref: ":" is no URL`,
		`{"additionalProperties":{"properties":{"a":{"maximum":"1"}}}}`:  `model M: at /additionalProperties/properties/a/maximum: got string, want number`,
		`{"maxItems":1.5}`:           `model M: at /maxItems: got number, want integer`,
		`{"multipleOf":0}`:           `model M: at /multipleOf: exclusiveMinimum: got 0, want 0`,
		`{"required":[]}`:            `model M: at /required: minItems: got 0, want 1`,
		`{"enum":[1,1.0]}`:           `model M: at /enum: items at 0 and 1 are equal`,
		`{"dependencies":{"a":[1]}}`: `model M: at /dependencies/a/0: got number, want string`,
	} {
		if _, err := compileAll("M", schema).Model("M"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s\ngot  %v\nwant %s", schema, err, want)
		}
	}
	if err := compileOne(t, `{"maxItems":1.0e1,"type":["string","array"]}`).Validate([]byte(`[1,2,3,4,5,6,7,8,9,10]`)); err != nil {
		t.Error(err)
	}
}
