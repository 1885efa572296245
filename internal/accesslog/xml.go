package accesslog

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// xmlState is where in XML a text stops.
type xmlState int

const (
	xmlContent xmlState = iota
	xmlTag              // <name …
	xmlDouble           // a value in double quotes
	xmlSingle
	xmlSection // CDATA
	xmlComment
	xmlInstruction
)

// xmlBegins are what leads from content to another state, and xmlEnds back.
var (
	xmlBegins = []struct {
		text  string
		state xmlState
	}{{"<![CDATA[", xmlSection}, {"<!--", xmlComment}, {"<?", xmlInstruction}, {"<", xmlTag}}
	xmlEnds = map[xmlState]string{xmlTag: ">", xmlDouble: `"`, xmlSingle: `'`, xmlSection: "]]>", xmlComment: "-->", xmlInstruction: "?>"}
)

// next returns the state behind a part of a text, which is not empty, and what is left
// of the text.
func (s xmlState) next(text string) (xmlState, string) {
	switch end := xmlEnds[s]; {
	case s == xmlContent:
		for _, b := range xmlBegins {
			if strings.HasPrefix(text, b.text) {
				return b.state, text[len(b.text):]
			}
		}
	case strings.HasPrefix(text, end) && (s == xmlDouble || s == xmlSingle):
		return xmlTag, text[1:]
	case strings.HasPrefix(text, end):
		return xmlContent, text[len(end):]
	case s == xmlTag && text[0] == '"':
		return xmlDouble, text[1:]
	case s == xmlTag && text[0] == '\'':
		return xmlSingle, text[1:]
	}
	return s, text[1:]
}

// inXML sets the places of a format that is XML, and reports whether it is. A variable
// cannot be in the name of an element or of an attribute.
func inXML(list []piece) bool {
	state := xmlContent
	for i, p := range list {
		for rest := p.text; rest != ""; {
			state, rest = state.next(rest)
		}
		list[i].place = xmlText
		switch state {
		case xmlTag:
			if p.name != "" {
				return false
			}
		case xmlSection:
			list[i].place = xmlCDATA
		case xmlComment, xmlInstruction:
			list[i].place = xmlHidden
		}
	}
	d := xml.NewDecoder(strings.NewReader(with(list, func(place) string { return "x" })))
	elements := 0
	for {
		token, err := d.Token()
		if err != nil {
			return elements > 0 && errors.Is(err, io.EOF)
		}
		if _, is := token.(xml.StartElement); is {
			elements++
		}
	}
}
