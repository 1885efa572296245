package accesslog

import (
	"strings"

	"github.com/stagedoor/stagedoor/internal/event"
)

// piece is a part of a format: text, and the variable behind it.
type piece struct {
	text  string
	name  string // of the variable, whole; empty: there is none behind the text, which is the format's end
	place place
}

// start is what each variable begins with.
const start = "$context."

// pieces reads a format. The last piece has no variable.
func pieces(format string) []piece {
	format = singleLine(format)
	var list []piece
	text := 0
	for at := 0; ; {
		next := strings.IndexByte(format[at:], '$')
		if next < 0 {
			return append(list, piece{text: format[text:]})
		}
		at += next
		name, length := variable(format[at:])
		if name == "" {
			at++
			continue
		}
		list = append(list, piece{text: format[text:at], name: name})
		at += length
		text = at
	}
}

// lineBreaks become spaces: what programs that read lines take for the end of one.
var lineBreaks = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\v", " ", "\f", " ",
	"\u0085", " ", "\u2028", " ", "\u2029", " ", "\x1c", " ", "\x1d", " ", "\x1e", " ")

// singleLine is a format without the line breaks at its end, and with spaces for
// others.
func singleLine(format string) string {
	return lineBreaks.Replace(strings.TrimRight(format, "\r\n"))
}

// variable returns the name of the variable that a text begins with, and how long it
// is as it is written: $context.name or ${context.name}. The name is empty where the
// text begins with none.
func variable(text string) (name string, length int) {
	if inner, braced := strings.CutPrefix(text, "${context."); braced {
		end := strings.IndexByte(inner, '}')
		if end < 0 || variableName(inner[:end]) != inner[:end] {
			return "", 0
		}
		return inner[:end], len("${context.") + end + 1
	}
	rest, found := strings.CutPrefix(text, start)
	if !found {
		return "", 0
	}
	name = variableName(rest)
	return name, len(start) + len(name)
}

// variableName is the name that a text begins with: one step, or two in a group such as
// identity. What an authorizer returns may have more, with hyphens and dots.
func variableName(text string) string {
	end := step(text)
	name := text[:end]
	if !isGroup(name) || !strings.HasPrefix(text[end:], ".") {
		return name
	}
	member := step(text[end+1:])
	if member == 0 {
		return name
	}
	end += 1 + member
	for name == "authorizer" && end < len(text) && (text[end] == '-' || text[end] == '.') {
		more := step(text[end+1:])
		if more == 0 {
			break
		}
		end += 1 + more
	}
	return text[:end]
}

// step is how many letters, digits and underscores a text begins with.
func step(text string) int {
	for i := range len(text) {
		if c := text[i]; c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return i
		}
	}
	return len(text)
}

func isGroup(name string) bool {
	for _, group := range event.Groups {
		if group == name {
			return true
		}
	}
	return false
}
