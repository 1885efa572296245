package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/stagedoor/stagedoor/internal/explain"
	"github.com/stagedoor/stagedoor/internal/terminal"
)

// indent is how wide labels are.
const indent = 11

// paint colours a text.
func (e *explainer) paint(color, text string) string {
	if !e.color || text == "" {
		return text
	}
	return marks[color] + text + unmark
}

// Colours are marked by characters that no text has (noncharacters of Unicode), until
// control characters of what is explained have been escaped.
var marks = map[string]string{
	bold: "\uFDD0", dim: "\uFDD1", red: "\uFDD2", green: "\uFDD3", yellow: "\uFDD4", cyan: "\uFDD5",
}

const unmark = "\uFDDF"

// flush writes what was printed.
func (e *explainer) flush() error {
	text := escapeControls(e.b.String())
	if e.color {
		pairs := []string{unmark, "\x1b[0m"}
		for color, mark := range marks {
			pairs = append(pairs, mark, "\x1b["+color+"m")
		}
		text = strings.NewReplacer(pairs...).Replace(text)
	}
	_, err := io.WriteString(e.out, text)
	return err
}

// escapeControls writes the characters that a terminal would act upon, but for line ends, as
// JSON escapes.
func escapeControls(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && terminal.IsControl(r) }) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if r != '\n' && terminal.IsControl(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// wrap breaks a text into lines at its spaces. A longer word is not broken.
func wrap(text string, width int) []string {
	var lines []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		line, length := "", 0
		for i, word := range strings.Split(paragraph, " ") {
			n := visibleRunes(word)
			if i > 0 && length+1+n > width && length > 0 {
				lines = append(lines, line)
				line, length = word, n
				continue
			}
			if i > 0 {
				line, length = line+" ", length+1
			}
			line, length = line+word, length+n
		}
		lines = append(lines, line)
	}
	return lines
}

// visibleRunes counts the characters of a text that are not marks.
func visibleRunes(text string) (n int) {
	for _, r := range text {
		if r < 0xFDD0 || r > 0xFDDF {
			n++
		}
	}
	return n
}

// line prints a line with a label, which may be empty.
func (e *explainer) line(label, text string) {
	room := e.width - indent
	for _, part := range wrap(text, room) {
		fmt.Fprintf(&e.b, "%s%s%s\n", e.paint(bold, label), strings.Repeat(" ", indent-len(label)), part)
		label = ""
	}
}

// colored is line with a colour.
func (e *explainer) colored(label, color, text string) {
	for _, part := range wrap(text, e.width-indent) {
		e.line(label, e.paint(color, part))
		label = ""
	}
}

// payload prints a payload as it is, or JSON in lines of its own where it is long.
func (e *explainer) payload(label, text string) {
	if text == "" {
		return
	}
	if room := e.width - indent; utf8.RuneCountInString(text) > room && !strings.Contains(text, "\n") && json.Valid([]byte(text)) {
		var pretty bytes.Buffer
		if json.Indent(&pretty, []byte(text), "", "  ") == nil {
			text = pretty.String()
		}
	}
	for line := range strings.Lines(strings.ReplaceAll(text, "\t", "    ")) {
		for _, part := range chop(strings.TrimRight(line, "\r\n"), e.width-indent) {
			e.line(label, part)
			label = ""
		}
	}
}

// chop cuts a line into pieces of a width.
func chop(line string, width int) []string {
	if utf8.RuneCountInString(line) <= width {
		return []string{line}
	}
	var parts []string
	runes := []rune(line)
	for len(runes) > width {
		parts, runes = append(parts, string(runes[:width])), runes[width:]
	}
	return append(parts, string(runes))
}

// mistake prints a mistake with its line, and a caret below its column.
func (e *explainer) mistake(m *explain.Mistake) {
	shown := *m
	shown.File = shortPath(m.File)
	e.b.WriteString(e.paint(red, shown.Error()) + "\n")
	if m.Source == "" {
		return
	}
	number := fmt.Sprintf("%5d | ", m.Line)
	source, column := window(strings.ReplaceAll(m.Source, "\t", " "), max(m.Column, 1), e.width-len(number))
	e.b.WriteString(e.paint(dim, number) + source + "\n")
	e.b.WriteString(e.paint(dim, "      | ") + strings.Repeat(" ", column) + e.paint(red, "^") + "\n")
}

// window returns the part of a line that fits into a width, and has a byte's column in it, and
// how many characters go before that.
func window(line string, column, width int) (part string, before int) {
	at := utf8.RuneCountInString(line[:min(column-1, len(line))])
	runes := []rune(line)
	if len(runes) <= width {
		return line, at
	}
	start := max(0, min(at-width/2, len(runes)-width))
	return string(runes[start:min(start+width, len(runes))]), at - start
}
