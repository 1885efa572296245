package accesslog

import (
	"encoding/csv"
	"encoding/json"
	"strings"
)

// place is what surrounds a variable: it says what a value must not contain as it is.
type place uint8

const (
	bare      place = iota // text outside of quotes
	quoted                 // text in double quotes
	jsonText               // a string of JSON
	jsonValue              // JSON where a value stands
	xmlText                // text of an element or an attribute of XML
	xmlCDATA               // a CDATA section
	xmlHidden              // a comment or an instruction of XML
	csvField               // a whole field of CSV
	csvPart                // a part of a field
	csvQuoted              // in a field in double quotes
)

// kind is the language of a whole format.
type kind uint8

const (
	plain kind = iota // such as the common log format
	ofJSON
	ofXML
	ofCSV
)

// settle finds the language of a format, and the place of each variable in it.
func settle(list []piece) kind {
	var whole strings.Builder
	for _, p := range list {
		whole.WriteString(p.text)
	}
	switch begin := strings.TrimSpace(whole.String()); {
	case begin == "":
	case (begin[0] == '{' || begin[0] == '[') && inJSON(list):
		return ofJSON
	case begin[0] == '<' && inXML(list):
		return ofXML
	}
	if inCSV(list) {
		return ofCSV
	}
	in := false
	for i, p := range list {
		for j := range len(p.text) {
			if p.text[j] == '"' && (j == 0 || p.text[j-1] != '\\') {
				in = !in
			}
		}
		list[i].place = bare
		if in {
			list[i].place = quoted
		}
	}
	return plain
}

// with is the format with a text in place of each variable.
func with(list []piece, value func(place) string) string {
	var b strings.Builder
	for _, p := range list {
		b.WriteString(p.text)
		if p.name != "" {
			b.WriteString(value(p.place))
		}
	}
	return b.String()
}

// inJSON sets the places of a format that is JSON, and reports whether it is.
func inJSON(list []piece) bool {
	in, escaped := false, false
	for i, p := range list {
		for _, c := range []byte(p.text) {
			switch {
			case escaped:
				escaped = false
			case c == '\\':
				escaped = in
			case c == '"':
				in = !in
			}
		}
		list[i].place = jsonValue
		if in {
			list[i].place = jsonText
		}
	}
	// What stands outside of strings may be a number or a string: both must do.
	for _, value := range []string{`"x"`, `0`} {
		text := with(list, func(p place) string {
			if p == jsonText {
				return "x"
			}
			return value
		})
		if !json.Valid([]byte(text)) {
			return false
		}
	}
	return true
}

// inCSV sets the places of a format that is CSV, and reports whether it is: it has
// commas outside of quotes, a field is quoted as a whole or not at all, and what is not
// quoted has no spaces within.
func inCSV(list []piece) bool {
	const mark = "\x00" // stands for a variable
	format := with(list, func(place) string { return mark })
	if strings.Count(format, mark) != len(list)-1 {
		return false
	}
	var places []place
	fields := 0
	for rest, more := format, true; more; fields++ {
		var field string
		if quote := strings.TrimLeft(rest, " "); strings.HasPrefix(quote, `"`) {
			end := 1 + strings.Index(quote[1:], `"`)
			for end > 0 && strings.HasPrefix(quote[end+1:], `"`) { // a quote in the field
				next := strings.Index(quote[end+2:], `"`)
				if next < 0 {
					return false
				}
				end += 2 + next
			}
			if end == 0 {
				return false
			}
			field, rest = quote[:end+1], quote[end+1:]
			var behind string
			if behind, rest, more = strings.Cut(rest, ","); strings.TrimSpace(behind) != "" {
				return false
			}
			for range strings.Count(field, mark) {
				places = append(places, csvQuoted)
			}
			continue
		}
		field, rest, more = strings.Cut(rest, ",")
		if strings.ContainsAny(strings.TrimSpace(field), " \"\t") {
			return false
		}
		if field == mark {
			places = append(places, csvField)
			continue
		}
		for range strings.Count(field, mark) {
			places = append(places, csvPart)
		}
	}
	r := csv.NewReader(strings.NewReader(format))
	r.TrimLeadingSpace = true
	if _, err := r.Read(); err != nil || fields < 2 {
		return false
	}
	for i := range places {
		list[i].place = places[i]
	}
	return true
}
